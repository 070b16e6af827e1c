"""Converts values that Klarna's documents forbid but real integrations send, before they are validated again.

`x-lenient` in a member's schema names its conversions, separated by blanks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mock_klarna.validation.schemas import Catalogue, Parts, Schema


def without_nulls(body: Any) -> Any:
    """Return the body without the members that are null: null means "not set" (klarna.md §13)."""
    if isinstance(body, dict):
        return {name: without_nulls(value) for name, value in body.items() if value is not None}
    if isinstance(body, list):
        return [without_nulls(value) for value in body]
    return body


def leniencies(schema: Schema, *, strict: bool = False) -> tuple[str, ...]:
    """Return the names of the conversions that a member's schema allows; strict mode has those that documents imply."""
    names = str(schema.get("x-lenient", "")).split()
    return tuple(name for name in names if not (strict and _CONVERSIONS[name].is_undocumented))


def normalize(catalogue: Catalogue, parts: Parts, value: Any, *, strict: bool = False) -> Any:
    """Return a value with every conversion that its schema allows; unknown members stay as they are."""
    if value == [] and _is_object(parts):
        return {}  # an empty array of PHP (klarna.md §3.3)
    if isinstance(value, dict):
        members = {name: _member(catalogue, parts, name, inner, strict) for name, inner in value.items()}
        return {name: inner for name, inner in members.items() if inner is not None}
    if isinstance(value, list):
        entry = catalogue.entry(parts)
        return [normalize(catalogue, entry, inner, strict=strict) for inner in value] if entry else value
    return _scalar(parts, value, strict)


def _member(catalogue: Catalogue, parts: Parts, name: str, value: Any, strict: bool) -> Any:
    known = catalogue.member(parts, name)
    return normalize(catalogue, known, value, strict=strict) if known else value


def _is_object(parts: Parts) -> bool:
    return any(part.schema.get("type") == "object" for part in parts)


def _scalar(parts: Parts, value: Any, strict: bool) -> Any:
    if isinstance(value, float) and value.is_integer() and any(part.schema.get("type") == "integer" for part in parts):
        return int(value)
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
"""Numbers below this one, and no fractions, are taken as ids."""


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
