"""Converts values that Klarna's documents forbid but real integrations send, before they are validated again.

`x-lenient` in a member's schema names its conversions, separated by blanks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from mock_klarna.errors import Problem
from mock_klarna.validation.schemas import Catalogue, Parts, Schema

_MAX_VALUES = 10_000
EXPLAINED_ENTRIES = 1000
"""Entries of a list that are checked first in a body that is not valid as it is; an order may have as many lines."""


def without_nulls(body: Any) -> Any:
    """Return the body without the members that are null: null means "not set" (klarna.md §13)."""
    if isinstance(body, dict):
        return {
            name: without_nulls(value) if isinstance(value, dict | list) else value
            for name, value in body.items()
            if value is not None
        }
    if isinstance(body, list):
        return [without_nulls(value) if isinstance(value, dict | list) else value for value in body]
    return body


def has_whole_floats(body: Any) -> bool:
    """Return whether a body has numbers such as 1.0, which are integers for JSON Schema: the outer `_MAX_VALUES` are looked at."""
    branches, seen = [body] if isinstance(body, dict | list) else [], 0
    for branch in branches:
        seen += len(branch)
        if seen > _MAX_VALUES:
            return False
        for value in branch.values() if isinstance(branch, dict) else branch:
            kind = type(value)
            if kind is float and value.is_integer():
                return True
            if kind is dict or kind is list:
                branches.append(value)
    return False


def leniencies(schema: Schema, *, strict: bool = False) -> tuple[str, ...]:
    """Return the names of the conversions that a member's schema allows; strict mode has those that documents imply."""
    names = str(schema.get("x-lenient", "")).split()
    return tuple(name for name in names if not (strict and _CONVERSIONS[name].is_undocumented))


def normalize(catalogue: Catalogue, parts: Parts, value: Any, *, strict: bool = False) -> Any:
    """Return a value with every conversion that its schema allows; unknown members stay as they are."""
    if value == [] and _takes_empty_array(catalogue, parts):
        return {}  # an empty array of PHP (klarna.md §3.3)
    if isinstance(value, dict):
        known = _known(catalogue, parts, value)
        members = value | {name: normalize(catalogue, part, value[name], strict=strict) for name, part in known}
        return {name: inner for name, inner in members.items() if inner is not None}
    if isinstance(value, list):
        entry = catalogue.entry(parts)
        return [normalize(catalogue, entry, inner, strict=strict) for inner in value] if entry else value
    return _scalar(parts, value, strict)


def _known(catalogue: Catalogue, parts: Parts, value: dict[str, Any]) -> Iterator[tuple[str, Parts]]:
    """Yield the members of an object that its schema describes; an object may have thousands of others."""
    members, others = catalogue.members(parts), catalogue.others(parts)
    if others:
        yield from ((name, members.get(name, others)) for name in value)
    else:
        yield from ((name, known) for name, known in members.items() if known and name in value)


class Excerpt(NamedTuple):
    """A body whose long lists have their first entries only.

    longest: the entries of the longest list that was cut, 0 if none was. problems: the lists that are too long by their schema.
    """

    body: Any
    longest: int
    problems: list[Problem]


def excerpt(catalogue: Catalogue, parts: Parts, body: Any, path: str = "") -> Excerpt:
    """Return a body with the first `EXPLAINED_ENTRIES` of each list that its schema describes; lists inside lists stay."""
    if not isinstance(body, dict):
        return Excerpt(body, 0, [])
    changes: dict[str, Any] = {}
    longest, problems = 0, list[Problem]()
    for name, known in catalogue.members(parts).items():
        value, inside = body.get(name), f"{path}.{name}".removeprefix(".")
        if isinstance(value, dict):
            inner = excerpt(catalogue, known, value, inside)
            if inner.longest:
                changes[name], longest = inner.body, max(longest, inner.longest)
                problems += inner.problems
        elif isinstance(value, list) and len(value) > EXPLAINED_ENTRIES:
            changes[name], longest = value[:EXPLAINED_ENTRIES], max(longest, len(value))
            most = next((part.schema["maxItems"] for part in known if "maxItems" in part.schema), None)
            if most is not None and len(value) > most:
                message = (
                    f"at most {most} entries ({len(value)} were sent, and the first {EXPLAINED_ENTRIES} were checked)"
                )
                problems.append(Problem(inside, "maxItems", value, message))
    return Excerpt(body | changes if changes else body, longest, problems)


def _takes_empty_array(catalogue: Catalogue, parts: Parts) -> bool:
    """Return whether parts describe an object for which an empty array is taken."""
    documents = {part.document for part in parts if part.schema.get("type") == "object"}
    return bool(documents) and all(takes_empty_arrays(catalogue.documents[document]) for document in documents)


def takes_empty_arrays(document: Schema) -> bool:
    """Return whether the objects of a schema file may be sent as empty arrays: those of Klarna, and not our own requests."""
    return document.get("additionalProperties") is not False


def _scalar(parts: Parts, value: Any, strict: bool) -> Any:
    if isinstance(value, float) and any(part.schema.get("type") == "integer" for part in parts):
        return int(value) if value.is_integer() and abs(value) < LARGEST_ID else value
    for part in parts:
        for name in leniencies(part.schema, strict=strict):
            value = _CONVERSIONS[name].convert(value)
    return value


def _country(value: Any) -> Any:
    upper = _currency(value)
    return "GB" if upper == "UK" else upper


def _currency(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _locale(value: Any) -> Any:
    language, hyphen, country = value.strip().partition("-") if isinstance(value, str) else ("", "", "")
    return f"{language.lower()}-{_country(country)}" if hyphen else value


def _blanks(value: Any) -> Any:
    return value.strip(" \t\r\n") if isinstance(value, str) else value


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _number_as_id(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LARGEST_ID:
        return value
    return str(int(value)) if value == int(value) else value


def _empty_as_missing(value: Any) -> Any:
    return None if value == "" else value


LARGEST_ID = 2**63
"""Numbers below this one, and no fractions, are taken as ids; JSON cannot have larger integers."""


@dataclass(frozen=True, slots=True)
class _Conversion:
    """A conversion of a value; `is_undocumented` ones are made for shops alone, and strict mode has none of them."""

    convert: Callable[[Any], Any]
    is_undocumented: bool = False


_CONVERSIONS: Mapping[str, _Conversion] = MappingProxyType(
    {
        "country": _Conversion(_country),  # klarna.md §3.10
        "currency": _Conversion(_currency),  # klarna.md §9.5
        "locale": _Conversion(_locale),  # klarna.md C-22
        "blanks": _Conversion(_blanks),  # klarna.md §3.10
        "number_as_text": _Conversion(_number_as_text),  # klarna.md §3.7
        "number_as_id": _Conversion(_number_as_id, is_undocumented=True),  # klarna.md §3.4
        "empty_as_missing": _Conversion(_empty_as_missing, is_undocumented=True),  # klarna.md §3.4 and §3.10
    }
)
