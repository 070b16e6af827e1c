"""People whom Faker makes up, the same ones each time for the same chance."""

from __future__ import annotations

import threading
from datetime import date
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from mock_klarna.shopper.countries import Country, country
from mock_klarna.shopper.given import Given, sort
from mock_klarna.shopper.identity import identity
from mock_klarna.shopper.places import place
from mock_klarna.shopper.shopper import Shopper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faker import Faker

TODAY = date(2026, 1, 1)
"""The day on which ages are reckoned unless the caller names one: shoppers must not age between two runs."""

_PROVIDERS = ["faker.providers.address", "faker.providers.person"]
_FAKERS_NAME = {"nb-NO": "no-NO"}
_WHO = ("given_name", "family_name", "email", "title", "phone")
# the seed's samples print an address in this order
_FIRST = [
    "given_name",
    "family_name",
    "email",
    "title",
    "street_address",
    "street_address2",
    "postal_code",
    "city",
    "region",
    "phone",
    "country",
]
_one_at_a_time = threading.Lock()


def person(where: str, chance: str, given: Mapping[str, object] | None = None, *, today: date = TODAY) -> Shopper:
    """Somebody in a country (ISO alpha-2; UnknownCountry if it is not served), 18 to 79 years old on `today`.

    The same `chance` makes the same person on every run, whoever was made before. `given` holds members of an address
    or a customer, or the objects `billing_address`, `shipping_address` and `customer`; they win, and what is made up
    follows them: a country, a gender or title, a name, a date of birth, a region or postal code. Somebody who is given
    no shipping address has none.
    """
    wishes = sort(given or {})
    home = country(wishes.billing.get("country", where))
    # the Faker instances are shared, and a seed must not change under somebody who is being made up
    with _one_at_a_time:
        return _made_up(home, chance, wishes, today)


def _made_up(home: Country, chance: str, wishes: Given, today: date) -> Shopper:
    who, customer = identity(home, _source(home, f"{chance}/identity"), wishes, today)
    billing = _address(home, f"{chance}/billing", who, wishes.billing)
    name = f"{billing['given_name']} {billing['family_name']}"
    return Shopper(name, billing, _shipping(chance, billing, wishes.shipping), customer)


def _shipping(chance: str, billing: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str] | None:
    if not given:
        return None
    who = {member: billing[member] for member in _WHO if member in billing}
    return _address(country(given.get("country", billing["country"])), f"{chance}/shipping", who, given)


def _address(home: Country, chance: str, who: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    members = {**who, **place(home, _source(home, chance), given), **given, "country": home.code}
    return {member: members.pop(member) for member in _FIRST if member in members} | members


def _source(home: Country, chance: str) -> Faker:
    fake = _faker(_FAKERS_NAME.get(home.locale, home.locale))
    fake.seed_instance(int.from_bytes(blake2b(f"{home.code}/{chance}".encode(), digest_size=8).digest()))
    return fake


@cache
def _faker(locale: str) -> Faker:
    from faker import Faker

    return Faker(locale, providers=_PROVIDERS, use_weighting=False)
