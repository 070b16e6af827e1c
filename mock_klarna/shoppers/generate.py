"""Generated shoppers, made with Faker: the same seed gives the same shopper."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mock_klarna.domain.countries import ADDRESS_MEMBERS, COUNTRIES, CUSTOMER_MEMBERS, country
from mock_klarna.domain.time import SHOPPERS_DAY
from mock_klarna.shoppers.form import read_date, shopper_from_form
from mock_klarna.shoppers.named import Shopper
from mock_klarna.shoppers.national_ids import national_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from faker import Faker

    from mock_klarna.domain.countries import Country
    from mock_klarna.errors import Problem


@dataclass(frozen=True, slots=True)
class GivenMembers:
    """The given members, by the object that they belong to; `shipping` is empty if there are none."""

    billing: Mapping[str, str]
    shipping: Mapping[str, str]
    customer: Mapping[str, str]


def members_by_object(members: Mapping[str, object]) -> GivenMembers:
    """Return the members by object. Objects override single members; null and unknown members are left out."""
    billing = _selected(members, ADDRESS_MEMBERS) | _members_of(members, "billing_address")
    customer = _selected(members, CUSTOMER_MEMBERS) | _members_of(members, "customer")
    return GivenMembers(billing, _members_of(members, "shipping_address"), customer)


def _selected(members: Mapping[str, object], known: Collection[str]) -> dict[str, str]:
    return {name: str(value) for name, value in members.items() if name in known and value is not None}


def _members_of(members: Mapping[str, object], name: str) -> dict[str, str]:
    value = members.get(name)
    return {key: str(item) for key, item in value.items() if item is not None} if isinstance(value, Mapping) else {}


_MIN_AGE_DAYS, _MAX_AGE_DAYS = 18 * 366, 79 * 365
# letters that Unicode does not decompose into ASCII letters
_ASCII_LETTERS = dict(zip("αβγδεζηικλμνξοπρστυφωøłđð", "avgdeziiklmnxoprstyfooldd", strict=True))
_TRANSLITERATION = str.maketrans(_ASCII_LETTERS | {"θ": "th", "χ": "ch", "ψ": "ps", "æ": "ae"})


def generate_identity(
    home_country: Country, fake: Faker, given: GivenMembers, today: date
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the address members of a person, and the customer: the given members, and the others from `fake`."""
    default = fake.random_element(("female", "male"))
    birth_date = today - timedelta(days=fake.random_int(_MIN_AGE_DAYS, _MAX_AGE_DAYS))
    phone, number, serial = (
        fake.numerify(form) for form in (fake.random_element(home_country.mobiles), "%###", "#########")
    )
    gender = _gender(home_country, given, default)
    # names come last, so that the other members do not change with the gender
    names = {**_generate_name(fake, gender), **given.billing}
    name = names["given_name"], names["family_name"]
    title = _title(home_country, given, gender)
    contact = {"given_name": name[0], "family_name": name[1], "email": _email(name, number), "phone": phone}
    customer = {"date_of_birth": birth_date.isoformat(), "gender": gender, **title, **given.customer}
    return contact | title, _with_national_id(home_country, customer, name, gender, serial)


def _gender(home_country: Country, given: GivenMembers, default: str) -> str:
    gender = given.customer.get("gender", "").casefold()
    if gender in ("female", "male"):
        return gender
    titles = (given.customer.get("title", ""), given.billing.get("title", ""))
    return next(filter(None, map(home_country.gender_of, titles)), default)


def _title(home_country: Country, given: GivenMembers, gender: str) -> dict[str, str]:
    title = given.billing.get("title") or given.customer.get("title")
    title = title or next(iter(home_country.titles.get(gender, ())), None)
    return {"title": title} if title else {}


def _generate_name(fake: Faker, gender: str) -> dict[str, str]:
    if gender == "female":
        return {"given_name": fake.first_name_female(), "family_name": fake.last_name_female()}
    return {"given_name": fake.first_name_male(), "family_name": fake.last_name_male()}


def _email(name: tuple[str, str], number: str) -> str:
    parts = filter(None, (*map(_ascii_text, name), number))
    return f"{'.'.join(parts)}@example.com"


def _ascii_text(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name.casefold()).translate(_TRANSLITERATION)
    return "".join(char for char in decomposed if char.isascii() and char.isalnum())


def _with_national_id(
    home_country: Country, customer: dict[str, str], name: tuple[str, str], gender: str, serial: str
) -> dict[str, str]:
    birth_date = _parse_date(customer["date_of_birth"])
    number = national_id(home_country.code, birth_date, gender, name, serial) if birth_date else None
    return {"national_identification_number": number} | customer if number else customer


def _parse_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# Faker's postal codes of these countries have a prefix, a suffix, or start with zero
_POSTAL_CODES = {"GR": "%## ##", "HU": "%###", "MX": "%####"}

_AUSTRALIAN_RANGES = (
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

# in Faker both have the letter X
_RANGES_WITH_X = (("NU", "X0A", "X0C"), ("NT", "X0E", "X1A"))


def generate_place(home_country: Country, fake: Faker, given: Mapping[str, str]) -> dict[str, str]:
    """Return the address members of a place in `home_country`, generated with `fake` to fit the given members."""
    address = {"street_address": _generate_street(fake), "postal_code": "", "city": fake.city()}
    if home_country.region_needed:
        address |= _generate_postal_code_and_region(home_country.code, fake, given)
    else:
        address["postal_code"] = _generate_postal_code(home_country.code, fake)
    return address


@cache
def postal_code_ranges(country: str) -> tuple[tuple[str, str, str], ...]:
    """Return the postal codes of each region (US, AU, CA): region, first and last code or their prefixes."""
    if country == "AU":
        return _AUSTRALIAN_RANGES
    return _us_ranges() if country == "US" else _canadian_ranges()


def region_of(country: str, postal_code: str) -> str | None:
    """Return the region of a postal code (US, AU, CA), or None if it is unknown."""
    code = postal_code.strip().upper()
    return next((region for region, low, high in postal_code_ranges(country) if low <= code[: len(low)] <= high), None)


def _generate_street(fake: Faker) -> str:
    street = fake.street_address().replace("\n", ", ").replace(" ,", ",")
    return f"{fake.building_number()} {fake.street_name()}" if "PO Box" in street else " ".join(street.split())


def _generate_postal_code(country: str, fake: Faker) -> str:
    pattern = _POSTAL_CODES.get(country)
    return fake.numerify(pattern) if pattern else fake.postcode()


def _generate_postal_code_and_region(country: str, fake: Faker, given: Mapping[str, str]) -> dict[str, str]:
    given_region = given.get("region") or region_of(country, given.get("postal_code", ""))
    all_ranges = postal_code_ranges(country)
    ranges = [each for each in all_ranges if each[0] == given_region] or all_ranges
    region, low, high = fake.random_element(ranges)
    return {"postal_code": _postal_code_between(low, high, fake), "region": region}


def _postal_code_between(low: str, high: str, fake: Faker) -> str:
    if low.isdigit():
        return f"{fake.random_int(int(low), int(high)):0{len(low)}}"
    return low + fake.bothify("?#? #?#"[len(low) :], letters="ABCEGHJKLMNPRSTVWXYZ")


def _us_ranges() -> tuple[tuple[str, str, str], ...]:
    from faker.providers.address.en_US import Provider

    codes = Provider.states_postcode
    return tuple((state, f"{codes[state][0]:05}", f"{codes[state][1]:05}") for state in Provider.states_abbr)


def _canadian_ranges() -> tuple[tuple[str, str, str], ...]:
    from faker.providers.address.en_CA import Provider

    prefixes = Provider.provinces_postcode_prefixes
    ranges = ((name, letter, letter) for name, letters in prefixes.items() for letter in letters if letter != "X")
    return (*ranges, *_RANGES_WITH_X)


_PROVIDERS = ["faker.providers.address", "faker.providers.person"]
_FAKER_LOCALES = {"nb-NO": "no-NO"}
_PERSON_MEMBERS = ("given_name", "family_name", "email", "title", "phone")
_lock = threading.Lock()


def person(
    country_code: str, seed: str, members: Mapping[str, object] | None = None, *, today: date = SHOPPERS_DAY
) -> Shopper:
    """Return a generated shopper of a country, 18 to 79 years old on `today`. The same seed gives the same shopper.

    country_code: ISO 3166 alpha-2; raises `UnknownCountry` if it has no test shoppers.
    members: members of an address or a customer, or the objects `billing_address`, `shipping_address` and `customer`.
        They are used as given, and generated members fit them: country, gender or title, name, date of birth, region
        or postal code. Without a given shipping address there is none.
    """
    given = members_by_object(members or {})
    home_country = country(given.billing.get("country", country_code))
    # the Faker instances are shared between threads
    with _lock:
        return _generate_shopper(home_country, seed, given, today)


def completed_shopper(
    country_code: str, seed: str, members: Mapping[str, object], options: Mapping[str, object], today: date, locale: str
) -> tuple[Shopper, list[Problem]]:
    """Return the shopper that members describe, with the missing members generated, and the problems of the given ones.

    Given members are read and checked by `shopper_from_form`, which also describes `options`, `today` and `locale`. Generated
    members have no problems: a country without titles has none to generate, for example. Raises `UnknownCountry`.
    """
    given = members_by_object(members)
    home_country = country(given.billing.get("country") or country_code)
    customer = dict(given.customer)
    if "date_of_birth" in customer:
        customer["date_of_birth"] = read_date(customer["date_of_birth"], locale)
    with _lock:
        generated = _generate_shopper(
            home_country, seed, GivenMembers(given.billing, given.shipping, customer), SHOPPERS_DAY
        )
    shopper, problems = shopper_from_form(
        {
            "billing_address": generated.billing_address,
            "shipping_address": generated.shipping_address,
            "customer": generated.customer,
        },
        options,
        today,
        locale,
    )
    return shopper, list(_problems_of_given(problems, members, given))


def with_mandatory_members(shopper: Shopper, options: Mapping[str, object]) -> Shopper:
    """Return a named or generated shopper with the title and the number that a merchant requires by its options.

    Countries without titles have the English ones, as in the form. The national identification number has nine digits in a country
    whose test shoppers have none.
    """
    needs_title, needs_number = (
        options.get(f"{name}_mandatory") for name in ("title", "national_identification_number")
    )
    if not (needs_title or needs_number):
        return shopper
    billing, customer = dict(shopper.billing_address), dict(shopper.customer)
    home_country, gender = country(billing["country"]), customer.get("gender", "")
    if needs_title and not billing.get("title"):
        titles = home_country.titles or COUNTRIES["GB"].titles
        billing["title"] = customer["title"] = titles.get(gender, titles["female"])[0]
    if needs_number and not customer.get("national_identification_number"):
        born = _parse_date(customer.get("date_of_birth", ""))
        name = billing["given_name"], billing["family_name"]
        serial = f"{int.from_bytes(blake2b(billing['email'].encode(), digest_size=8).digest()) % 10**9:09}"
        number = national_id(home_country.code, born, gender, name, serial) if born else None
        customer["national_identification_number"] = number or serial
    return Shopper(shopper.name, billing, shopper.shipping_address, customer)


def _problems_of_given(
    problems: Iterable[Problem], members: Mapping[str, object], given: GivenMembers
) -> Iterator[Problem]:
    """Yield the problems of the given members, with the path that each has in `members`."""
    parts = {"billing_address": given.billing, "shipping_address": given.shipping, "customer": given.customer}
    for problem in problems:
        part, _, member = problem.path.partition(".")
        if member in parts[part]:
            yield replace(problem, path=problem.path if member in _members_of(members, part) else member)


def _generate_shopper(home_country: Country, seed: str, given: GivenMembers, today: date) -> Shopper:
    person_members, customer = generate_identity(
        home_country, _seeded_faker(home_country, f"{seed}/identity"), given, today
    )
    billing = _generate_address(home_country, f"{seed}/billing", person_members, given.billing)
    name = f"{billing['given_name']} {billing['family_name']}"
    return Shopper(name, billing, _generate_shipping_address(seed, billing, given.shipping), customer)


def _generate_shipping_address(
    seed: str, billing: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str] | None:
    if not given:
        return None
    person_members = {member: billing[member] for member in _PERSON_MEMBERS if member in billing}
    return _generate_address(
        country(given.get("country", billing["country"])), f"{seed}/shipping", person_members, given
    )


def _generate_address(
    home_country: Country, seed: str, person_members: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    members = {
        **person_members,
        **generate_place(home_country, _seeded_faker(home_country, seed), given),
        **given,
        "country": home_country.code,
    }
    return {member: members.pop(member) for member in ADDRESS_MEMBERS if member in members} | members


def _seeded_faker(home_country: Country, seed: str) -> Faker:
    fake = _faker(_FAKER_LOCALES.get(home_country.locale, home_country.locale))
    fake.seed_instance(int.from_bytes(blake2b(f"{home_country.code}/{seed}".encode(), digest_size=8).digest()))
    return fake


@cache
def _faker(locale: str) -> Faker:
    from faker import Faker

    return Faker(locale, providers=_PROVIDERS, use_weighting=False)
