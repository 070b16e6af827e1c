"""Named test shoppers, from fixtures/shoppers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mock_klarna import resources
from mock_klarna.domain.countries import COUNTRIES, country
from mock_klarna.errors import similar

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Shopper:
    """A shopper; the mappings are JSON objects with Klarna's members (klarna.md §3.10).

    `shipping_address` is None if the goods are sent to the billing address.
    """

    name: str
    billing_address: Mapping[str, str]
    shipping_address: Mapping[str, str] | None
    customer: Mapping[str, str]


class UnknownShopper(LookupError):
    """Unknown test shopper; the message lists similar names."""

    def __init__(self, name: str) -> None:
        near = similar(name.casefold(), shopper_names(), most=5, cutoff=0.5)
        hint = f"similar: {', '.join(near)}" if near else f"countries with shoppers: {', '.join(COUNTRIES)}"
        super().__init__(f"unknown test shopper {name!r}; {hint}")
        self.name = name


def named_shopper(name: str) -> Shopper:
    """Return a test shopper by name, in any letter case, also with `uk-` for `gb-`; raises `UnknownShopper`."""
    prefix, dash, rest = name.casefold().partition("-")
    known = f"{'gb' if prefix == 'uk' else prefix}{dash}{rest}"
    entry = _load_shoppers().get(known)
    if entry is None:
        raise UnknownShopper(name)
    shipping = entry.get("shipping_address")
    return Shopper(known, dict(entry["billing_address"]), dict(shipping) if shipping else None, dict(entry["customer"]))


def shopper_names(code: str | None = None) -> list[str]:
    """Return the sorted names of all test shoppers, or of a country's; raises `UnknownCountry`."""
    prefix = "" if code is None else f"{country(code).code.lower()}-"
    return sorted(name for name in _load_shoppers() if name.startswith(prefix))


def shopper_descriptions(code: str | None = None) -> dict[str, str]:
    """Return the description of each test shopper by name, as the command line prints them."""
    return {name: _load_shoppers()[name]["description"] for name in shopper_names(code)}


@cache
def _load_shoppers() -> dict[str, Any]:
    shoppers: dict[str, Any] = {}
    for path in sorted((resources.fixtures() / "shoppers").glob("*.json")):
        shoppers |= json.loads(path.read_text(encoding="utf-8"))
    return shoppers
