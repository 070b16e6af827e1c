"""Where Faker people live: street, postal code, city and region that fit together."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faker import Faker

    from mock_klarna.shopper.countries import Country

# Faker writes these with a word in front, an extension behind, or without a first digit above zero
_POSTAL_CODES = {"GR": "%## ##", "HU": "%###", "MX": "%####"}

_AUSTRALIA = (
    ("ACT", "2600", "2618"),
    ("NSW", "2000", "2599"),
    ("NSW", "2619", "2899"),
    ("NT", "0800", "0899"),
    ("QLD", "4000", "4899"),
    ("SA", "5000", "5799"),
    ("TAS", "7000", "7799"),
    ("VIC", "3000", "3999"),
    ("WA", "6000", "6799"),
)

# Faker gives both the letter X
_SHARING_X = (("NU", "X0A", "X0C"), ("NT", "X0E", "X1A"))


def place(home: Country, fake: Faker, given: Mapping[str, str]) -> dict[str, str]:
    """Address members of a place in `home`, drawn from `fake`, around the members that are already given."""
    found = {"street_address": _street(fake), "postal_code": "", "city": fake.city()}
    if home.region_needed:
        found |= _postal_region(home.code, fake, given)
    else:
        found["postal_code"] = _postal_code(home.code, fake)
    return found


@cache
def spans(country: str) -> tuple[tuple[str, str, str], ...]:
    """Which postal codes lie in which region (US, AU, CA): region, first and last code or how those begin."""
    if country == "AU":
        return _AUSTRALIA
    return _states() if country == "US" else _provinces()


def region_of(country: str, postal_code: str) -> str | None:
    """The region that a postal code lies in (US, AU, CA), or None if no region is known to hold it."""
    code = postal_code.strip().upper()
    return next((region for region, low, high in spans(country) if low <= code[: len(low)] <= high), None)


def _street(fake: Faker) -> str:
    street = fake.street_address().replace("\n", ", ").replace(" ,", ",")
    return f"{fake.building_number()} {fake.street_name()}" if "PO Box" in street else " ".join(street.split())


def _postal_code(country: str, fake: Faker) -> str:
    pattern = _POSTAL_CODES.get(country)
    return fake.numerify(pattern) if pattern else fake.postcode()


def _postal_region(country: str, fake: Faker, given: Mapping[str, str]) -> dict[str, str]:
    wanted = given.get("region") or region_of(country, given.get("postal_code", ""))
    fitting = [span for span in spans(country) if span[0] == wanted] or spans(country)
    region, low, high = fake.random_element(fitting)
    return {"postal_code": _within(low, high, fake), "region": region}


def _within(low: str, high: str, fake: Faker) -> str:
    if low.isdigit():
        return f"{fake.random_int(int(low), int(high)):0{len(low)}}"
    return low + fake.bothify("?#? #?#"[len(low) :], letters="ABCEGHJKLMNPRSTVWXYZ")


def _states() -> tuple[tuple[str, str, str], ...]:
    from faker.providers.address.en_US import Provider

    codes = Provider.states_postcode
    return tuple((state, f"{codes[state][0]:05}", f"{codes[state][1]:05}") for state in Provider.states_abbr)


def _provinces() -> tuple[tuple[str, str, str], ...]:
    from faker.providers.address.en_CA import Provider

    prefixes = Provider.provinces_postcode_prefixes
    south = ((name, letter, letter) for name, letters in prefixes.items() for letter in letters if letter != "X")
    return (*south, *_SHARING_X)
