"""Converts values that Klarna's documents forbid but real integrations send, before they are validated again.

`x-lenient` in a member's schema names the conversion.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mock_klarna.validation.schemas import Catalogue, Parts


def without_nulls(body: Any) -> Any:
    """Return the body without the members that are null: null means "not set" (klarna.md §13)."""
    if isinstance(body, dict):
        return {name: without_nulls(value) for name, value in body.items() if value is not None}
    if isinstance(body, list):
        return [without_nulls(value) for value in body]
    return body


def normalize(catalogue: Catalogue, parts: Parts, value: Any) -> Any:
    """Return a value with every conversion that its schema allows; unknown members stay as they are."""
    if value == [] and _is_object(parts):
        return {}  # an empty array of PHP (klarna.md §3.3)
    if isinstance(value, dict):
        return {name: _member(catalogue, parts, name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        entry = catalogue.entry(parts)
        return [normalize(catalogue, entry, inner) for inner in value] if entry else value
    return _scalar(parts, value)


def _member(catalogue: Catalogue, parts: Parts, name: str, value: Any) -> Any:
    known = catalogue.member(parts, name)
    return normalize(catalogue, known, value) if known else value


def _is_object(parts: Parts) -> bool:
    return any(part.schema.get("type") == "object" for part in parts)


def _scalar(parts: Parts, value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and any(part.schema.get("type") == "integer" for part in parts):
        return int(value)
    for part in parts:
        value = _CONVERSIONS.get(part.schema.get("x-lenient", ""), _as_is)(value)
    return value


def _as_is(value: Any) -> Any:
    return value


def _country(value: Any) -> Any:
    upper = _currency(value)
    return "GB" if upper == "UK" else upper


def _currency(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _locale(value: Any) -> Any:
    language, hyphen, country = value.strip().partition("-") if isinstance(value, str) else ("", "", "")
    return f"{language.lower()}-{country.upper()}" if hyphen else value


def _blanks(value: Any) -> Any:
    return value.strip(" \t\r\n") if isinstance(value, str) else value


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "country": _country,  # klarna.md §3.10
        "currency": _currency,  # klarna.md §9.5
        "locale": _locale,  # klarna.md C-22
        "blanks": _blanks,  # klarna.md §3.10
        "number_as_text": _number_as_text,  # klarna.md §3.7
    }
)
