"""Reading and checking the data of a shopper, of the form and of requests, by the country of each address (klarna.md §3.10)."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from mock_klarna.domain.countries import ADDRESS_MEMBERS, COUNTRIES, CUSTOMER_MEMBERS, Country, ascii_number, canonical
from mock_klarna.domain.time import EARLIEST_BIRTH, is_birth, is_day
from mock_klarna.errors import Problem
from mock_klarna.shoppers.named import Shopper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_BETWEEN = r"(?:\s*[-./]\s*|\s+)"
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{1,2}})|(\d{{4}})(\d\d)(\d\d)")
_YEAR_LAST = re.compile(rf"(\d{{1,2}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{4}})|(\d\d)(\d\d)(\d{{4}})")
_REQUIRED = {
    "given_name": "a first name",
    "family_name": "a last name",
    "street_address": "a street and number",
    "city": "a city",
}
_MANDATORY = {
    "billing_address": {"phone": "a phone number", "title": "a title"},
    "customer": {"date_of_birth": "a date of birth", "national_identification_number": "a number"},
}
"""What an option named `*_mandatory` requires of the addresses and the customer."""
_PERSON = ("given_name", "family_name")
_PLACE = (*_PERSON, "street_address", "street_address2", "postal_code", "city", "region", "country")
_FIELDS = frozenset({*_PLACE, "email", "phone", "title", "date_of_birth", "national_identification_number"})
"""The members that the form of the dialog has fields for."""


def shopper_from_form(
    given: Mapping[str, Any],
    options: Mapping[str, Any],
    today: date,
    locale: str = "",
    page: Mapping[str, Any] | None = None,
) -> tuple[Shopper, list[Problem]]:
    """Return the shopper that a form describes, and the problems of its fields. Phones and dates are read as people type them.

    given: `billing_address`, optionally `shipping_address` and `customer`. The paths of problems start with these names.
    options: the page's options, some of which make fields mandatory (klarna.md §3.3).
    locale: that of the page, which decides whether days or months come first in dates.
    page: what the page gave of the shopper, with the names of `given`. Members that the form has no field for are kept, unless
    the form has another name or address.
    """
    billing, customer = _trimmed(given.get("billing_address")), _trimmed(given.get("customer"))
    shipping = _trimmed(given.get("shipping_address")) if given.get("shipping_address") else None
    typed = billing.get("phone")
    read_phone(billing)
    if shipping and typed and shipping.get("phone") == typed:
        shipping["phone"] = billing["phone"]  # one number for both addresses is read by the billing country
    else:
        read_phone(shipping or {})
    if "date_of_birth" in customer:
        customer["date_of_birth"] = read_date(customer["date_of_birth"], locale)
    found = [
        *_address_problems("billing_address", billing, options),
        *_email_problems(billing),
        *(_address_problems("shipping_address", shipping, options) if shipping is not None else ()),
        *mandatory_problems(billing, customer, options),
        *_birth_problems(customer, today),
    ]
    _set_title(billing, customer)
    _keep_members_without_field(page or {}, billing, shipping, customer)
    return Shopper("", billing, shipping, customer), found


def _trimmed(members: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the texts without surrounding spaces; values of other types are left out."""
    trimmed = {name: value.strip() for name, value in (members or {}).items() if isinstance(value, str)}
    if "country" in trimmed:
        trimmed["country"] = canonical(trimmed["country"])
    return {name: value for name, value in trimmed.items() if value}


def _address_problems(path: str, address: Mapping[str, str], options: Mapping[str, Any]) -> Iterator[Problem]:
    for name, expected in _REQUIRED.items():
        if name not in address:
            yield Problem(f"{path}.{name}", "required", None, expected)
    home = COUNTRIES.get(address.get("country", ""))
    if home is None:
        yield Problem(f"{path}.country", "enum", address.get("country"), "one of " + ", ".join(COUNTRIES))
        return
    if home.region_needed and "region" not in address:
        yield Problem(f"{path}.region", "required", None, f"a state or province, which is required in {home.code}")
    if not home.accepts_postal_code(address.get("postal_code", "")):
        yield Problem(f"{path}.postal_code", "postal_code", address.get("postal_code"), f"a postal code of {home.code}")
    yield from _phone_problems(path, address, home)


def _phone_problems(path: str, address: Mapping[str, str], home: Country) -> Iterator[Problem]:
    phone = address.get("phone")
    if phone and not home.phone(phone):
        expected = f"a phone number such as {home.mobiles[0].replace('#', '0').replace('%', '1')}"
        yield Problem(f"{path}.phone", "phone", phone, expected)


def read_phone(address: dict[str, str]) -> None:
    """Write the phone number of an address in international form; one that cannot be read stays as it is."""
    home, phone = COUNTRIES.get(address.get("country", "")), address.get("phone")
    if home and phone:
        address["phone"] = home.phone(phone) or phone


def read_date(text: str, locale: str) -> str:
    """Return a date as people type it in ISO 8601: `1.1.1980`, `01011980` or `1980-01-01`; a text that is none is returned.

    The month comes before the day in the locales of the US.
    """
    text = text.strip()
    plain = ascii_number(text)
    candidates = []
    if year_first := _YEAR_FIRST.fullmatch(plain):
        candidates.append([part for part in year_first.groups() if part])
    if year_last := _YEAR_LAST.fullmatch(plain):
        one, two, year = (part for part in year_last.groups() if part)
        candidates.append([year, one, two] if locale.upper().endswith("-US") else [year, two, one])
    for year, month, day in candidates:
        iso = f"{year}-{month:0>2}-{day:0>2}"
        if iso >= "1800" and is_day(iso):
            return iso
    return text


def _email_problems(billing: Mapping[str, str]) -> Iterator[Problem]:
    if not _EMAIL.fullmatch(billing.get("email", "")):
        yield Problem("billing_address.email", "email", billing.get("email"), "an e-mail address")


def mandatory_problems(
    billing: Mapping[str, str], customer: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield the members that the merchant requires of a shopper by its options (klarna.md §3.3) and that are missing."""
    for path, members in (("billing_address", billing), ("customer", customer)):
        for name, expected in _MANDATORY[path].items():
            if options.get(f"{name}_mandatory") and not members.get(name):
                yield Problem(f"{path}.{name}", "required", None, f"{expected}, which the merchant requires")


def _birth_problems(customer: Mapping[str, str], today: date) -> Iterator[Problem]:
    born = customer.get("date_of_birth")
    if born and not is_birth(born, today):
        yield Problem(
            "customer.date_of_birth", "date", born, f"a day such as 1985-10-20, from {EARLIEST_BIRTH} to today"
        )


def _set_title(billing: dict[str, str], customer: dict[str, str]) -> None:
    """Write a title as in its country (forms send lower case, klarna.md §6.6) and set the gender (klarna.md §4.1)."""
    home, title = COUNTRIES.get(billing.get("country", "")), billing.get("title")
    if home is None or title is None:
        return
    known = {text.casefold(): text for texts in home.titles.values() for text in texts}
    billing["title"] = known.get(title.casefold(), title)
    own = customer.get("title", title)
    customer["title"] = known.get(own.casefold(), own)
    if gender := home.gender_of(title):
        customer.setdefault("gender", gender)


def _keep_members_without_field(
    page: Mapping[str, Any], billing: dict[str, str], shipping: dict[str, str] | None, customer: dict[str, str]
) -> None:
    if _is_same(page.get("billing_address"), billing, _PERSON):
        _add(customer, page.get("customer"), CUSTOMER_MEMBERS)
    for name, address in (("billing_address", billing), ("shipping_address", shipping)):
        if address and _is_same(page.get(name), address, _PLACE):
            _add(address, page.get(name), ADDRESS_MEMBERS)


def _is_same(of_page: Mapping[str, Any] | None, typed: Mapping[str, str], names: tuple[str, ...]) -> bool:
    """Return whether the members that the page gave were not changed."""
    return all(typed.get(name) == value for name, value in _trimmed(of_page).items() if name in names)


def _add(members: dict[str, str], of_page: Mapping[str, Any] | None, names: tuple[str, ...]) -> None:
    for name, value in _trimmed(of_page).items():
        if name in names and name not in _FIELDS:
            members.setdefault(name, value)
