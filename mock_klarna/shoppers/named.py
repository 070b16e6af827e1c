"""The test shoppers that have a name, from fixtures/shoppers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mock_klarna import resources
from mock_klarna.errors import similar
from mock_klarna.shoppers.countries import COUNTRIES, country

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Shopper:
    """Somebody who buys; every mapping is JSON-ready and in Klarna's members (klarna.md §3.10).

    `shipping_address` is None for a shopper who has the goods sent to the billing address.
    """

    name: str
    billing_address: Mapping[str, str]
    shipping_address: Mapping[str, str] | None
    customer: Mapping[str, str]


class UnknownShopper(LookupError):
    """There is no test shopper with this name; the message lists similar names."""

    def __init__(self, name: str) -> None:
        near = similar(name.casefold(), shopper_names(), most=5, cutoff=0.5)
        hint = f"similar: {', '.join(near)}" if near else f"countries with shoppers: {', '.join(COUNTRIES)}"
        super().__init__(f"unknown test shopper {name!r}; {hint}")
        self.name = name


def named_shopper(name: str) -> Shopper:
    """The test shopper of that name, in any letter case, `uk-` for `gb-`; UnknownShopper lists similar names."""
    prefix, dash, rest = name.casefold().partition("-")
    known = f"{'gb' if prefix == 'uk' else prefix}{dash}{rest}"
    entry = _everybody().get(known)
    if entry is None:
        raise UnknownShopper(name)
    shipping = entry.get("shipping_address")
    return Shopper(known, dict(entry["billing_address"]), dict(shipping) if shipping else None, dict(entry["customer"]))


def shopper_names(code: str | None = None) -> list[str]:
    """The names of all test shoppers, or of one country's (UnknownCountry if it has none), in alphabetical order."""
    prefix = "" if code is None else f"{country(code).code.lower()}-"
    return sorted(name for name in _everybody() if name.startswith(prefix))


def shopper_descriptions(code: str | None = None) -> dict[str, str]:
    """What each test shopper is for, by name: the list that the command line prints."""
    return {name: _everybody()[name]["description"] for name in shopper_names(code)}


@cache
def _everybody() -> dict[str, Any]:
    everybody: dict[str, Any] = {}
    for path in sorted((resources.fixtures() / "shoppers").glob("*.json")):
        everybody |= json.loads(path.read_text(encoding="utf-8"))
    return everybody
