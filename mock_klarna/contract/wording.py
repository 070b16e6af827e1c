"""What would be right, in words, read out of the schemas."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mock_klarna.contract.catalogue import Parts
from mock_klarna.domain.sources import without_sources

_TYPES = {
    "object": "an object",
    "array": "a list",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
}


def words(parts: Parts) -> str:
    """Return what a value must be: its type with its limits, or what the schema says under `x-expected`."""
    said = _first(parts, "x-expected")
    if said:
        return str(said)
    if choices := _first(parts, "enum"):
        return one_of(choices)
    kinds = _first(parts, "type") or "object"
    named = " or ".join(_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    return named + _limits(parts)


def presence(parts: Parts) -> str:
    """Return what to tell the sender of a body that lacks a member."""
    description = without_sources(str(_first(parts, "description") or "")).rstrip(".")
    return f"present: {words(parts)}" + (f" ({description})" if description else "")


def one_of(choices: Sequence[Any]) -> str:
    """Return a list of values to choose from, in words."""
    return "one of " + ", ".join(map(str, choices)) if len(choices) > 1 else str(choices[0])


def broken(keyword: str, limit: Any, sent: Any) -> str:
    """Return what a value must be that breaks one keyword with that limit."""
    say = _KEYWORDS.get(keyword)
    return say(limit, sent) if say else f"a value that satisfies {keyword} {limit}"


def _first(parts: Parts, keyword: str) -> Any:
    return next((part.schema[keyword] for part in parts if keyword in part.schema), None)


def _limits(parts: Parts) -> str:
    low, high = _first(parts, "minimum"), _first(parts, "maximum")
    longest = _first(parts, "maxLength")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f" of at most {longest} characters" if longest is not None else ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


_KEYWORDS: Mapping[str, Callable[[Any, Any], str]] = MappingProxyType(
    {
        "enum": lambda limit, sent: one_of(limit),
        "const": lambda limit, sent: "true" if limit is True else str(limit),
        "minimum": lambda limit, sent: f"at least {limit}",
        "maximum": lambda limit, sent: f"at most {limit}",
        "exclusiveMinimum": lambda limit, sent: f"more than {limit}",
        "minLength": lambda limit, sent: f"at least {_count(limit, 'character', 'characters')}",
        "maxLength": lambda limit, sent: f"at most {limit} characters ({len(sent)} were sent)",
        "minItems": lambda limit, sent: f"at least {_count(limit, 'entry', 'entries')}",
        "maxItems": lambda limit, sent: f"at most {limit} entries ({len(sent)} were sent)",
        "pattern": lambda limit, sent: f"text that matches {limit}",
    }
)
