"""People whom Faker makes up, the same ones each time for the same chance."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from mock_klarna.shoppers.countries import Country, country
from mock_klarna.shoppers.named import Shopper
from mock_klarna.shoppers.national_ids import national_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faker import Faker

    from mock_klarna.shoppers.countries import Country

ADDRESS_MEMBERS = frozenset(
    [
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
        "care_of",
        "attention",
        "organization_name",
    ]
)
"""The members of an address (klarna.md §3.10)."""

CUSTOMER_MEMBERS = frozenset(
    [
        "date_of_birth",
        "title",
        "gender",
        "last_four_ssn",
        "national_identification_number",
        "type",
        "vat_id",
        "organization_registration_id",
        "organization_entity_type",
    ]
)
"""The members of a customer (klarna.md §3.10)."""


@dataclass(frozen=True, slots=True)
class Given:
    """The members that a test fixed, by the object that they end in; `shipping` is empty where it gave none."""

    billing: Mapping[str, str]
    shipping: Mapping[str, str]
    customer: Mapping[str, str]


def sort(members: Mapping[str, object]) -> Given:
    """Sort what a test said: an object wins over a single member, null is not set, other members are left out."""
    billing = _picked(members, ADDRESS_MEMBERS) | _object(members, "billing_address")
    customer = _picked(members, CUSTOMER_MEMBERS) | _object(members, "customer")
    return Given(billing, _object(members, "shipping_address"), customer)


def _picked(members: Mapping[str, object], known: frozenset[str]) -> dict[str, str]:
    return {name: str(value) for name, value in members.items() if name in known and value is not None}


def _object(members: Mapping[str, object], name: str) -> dict[str, str]:
    value = members.get(name)
    return {key: str(item) for key, item in value.items() if item is not None} if isinstance(value, Mapping) else {}


_YOUNGEST, _OLDEST = 18 * 366, 79 * 365
# letters that no decomposition turns into ASCII ones
_SINGLE = dict(zip("αβγδεζηικλμνξοπρστυφωøłđð", "avgdeziiklmnxoprstyfooldd", strict=True))
_SPELLING = str.maketrans(_SINGLE | {"θ": "th", "χ": "ch", "ψ": "ps", "æ": "ae"})


def identity(home: Country, fake: Faker, wishes: Given, today: date) -> tuple[dict[str, str], dict[str, str]]:
    """The address members that tell who somebody is, and the customer, drawn from `fake` around what is wished."""
    coin = fake.random_element(("female", "male"))
    born = today - timedelta(days=fake.random_int(_YOUNGEST, _OLDEST))
    phone, number, serial = (fake.numerify(form) for form in (fake.random_element(home.mobiles), "%###", "#########"))
    gender = _gender(home, wishes, coin)
    # names come last: what was drawn before stays the same when a test changes the gender
    who = {**_names(fake, gender), **wishes.billing}
    name = who["given_name"], who["family_name"]
    title = _title(home, wishes, gender)
    contact = {"given_name": name[0], "family_name": name[1], "email": _email(name, number), "phone": phone}
    customer = {"date_of_birth": born.isoformat(), "gender": gender, **title, **wishes.customer}
    return contact | title, _with_national_id(home, customer, name, gender, serial)


def _gender(home: Country, wishes: Given, coin: str) -> str:
    given = wishes.customer.get("gender", "").casefold()
    if given in ("female", "male"):
        return given
    titles = (wishes.customer.get("title", ""), wishes.billing.get("title", ""))
    return next(filter(None, map(home.gender_of, titles)), coin)


def _title(home: Country, wishes: Given, gender: str) -> dict[str, str]:
    given = wishes.billing.get("title") or wishes.customer.get("title")
    title = given or next(iter(home.titles.get(gender, ())), None)
    return {"title": title} if title else {}


def _names(fake: Faker, gender: str) -> dict[str, str]:
    if gender == "female":
        return {"given_name": fake.first_name_female(), "family_name": fake.last_name_female()}
    return {"given_name": fake.first_name_male(), "family_name": fake.last_name_male()}


def _email(name: tuple[str, str], number: str) -> str:
    parts = filter(None, (*map(_plain, name), number))
    return f"{'.'.join(parts)}@example.com"


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFD", name.casefold()).translate(_SPELLING)
    return "".join(char for char in folded if char.isascii() and char.isalnum())


def _with_national_id(
    home: Country, customer: dict[str, str], name: tuple[str, str], gender: str, serial: str
) -> dict[str, str]:
    born = _day(customer["date_of_birth"])
    number = national_id(home.code, born, gender, name, serial) if born else None
    return {"national_identification_number": number} | customer if number else customer


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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


TODAY = date(2026, 1, 1)
"""The day on which ages are reckoned unless the caller names one: shoppers must not age between two runs."""

_PROVIDERS = ["faker.providers.address", "faker.providers.person"]
_FAKERS_NAME = {"nb-NO": "no-NO"}
_WHO = ("given_name", "family_name", "email", "title", "phone")
# the guide's samples have the members of an address in this order
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
