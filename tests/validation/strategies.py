"""Values that a schema is likely to meet, right and wrong."""

from typing import Any

from hypothesis import strategies as st

from mock_klarna.validation.schemas import Catalogue, Parts

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
tricky_text = st.sampled_from(
    [
        "",
        "SE",
        "UK",
        "sv-SE",
        "SE\n",
        "sv-SE\n",
        " 11148",
        "1\n\n",
        "1985-10-20",
        "1985-10-20\n",
        "https://a",
        "2h\n",
        "é" * 11,
    ]
)
tricky_numbers = st.sampled_from(
    [0, -1, 1.0, 1.5, 100000000, 100000001, 100000000.5, 2**63 - 1, 2**63, 2.0**63, 2**80, -0.0, 1e300]
)


def resembling(catalogue: Catalogue, parts: Parts, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that are nearly what the schema asks for, so that the two engines meet its corners."""
    kinds = {part.schema.get("type") for part in parts if isinstance(part.schema.get("type"), str)}
    choices = [value for part in parts for value in part.schema.get("enum", ())]
    guesses: list[st.SearchStrategy[Any]] = [st.sampled_from(choices)] if choices else []
    if "object" in kinds and depth < 4:
        names = {name for part in parts for name in part.schema.get("properties", {})}
        needed = {name for part in parts for name in part.schema.get("required", ())}
        inner = {name: resembling(catalogue, catalogue.member(parts, name), depth + 1) for name in sorted(names)}
        guesses.append(
            st.fixed_dictionaries(
                {n: s for n, s in inner.items() if n in needed},
                optional={n: s for n, s in inner.items() if n not in needed},
            )
        )
    if "array" in kinds and depth < 4:
        guesses.append(st.lists(resembling(catalogue, catalogue.entry(parts), depth + 1), max_size=2))
    if kinds & {"integer", "number"}:
        guesses.append(tricky_numbers | st.integers(-5, 200000000))
    if "string" in kinds:
        guesses.append(tricky_text | st.text(max_size=12))
    return st.one_of(*guesses, *guesses, *guesses, json_values) if guesses else json_values
