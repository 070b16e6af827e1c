"""Who a Faker person is: name, contact and what Klarna calls the customer."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import TYPE_CHECKING

from mock_klarna.shopper.national_ids import national_id

if TYPE_CHECKING:
    from faker import Faker

    from mock_klarna.shopper.countries import Country
    from mock_klarna.shopper.given import Given

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
    told = wishes.customer.get("gender", "").casefold()
    if told in ("female", "male"):
        return told
    titles = (wishes.customer.get("title", ""), wishes.billing.get("title", ""))
    return next(filter(None, map(home.gender_of, titles)), coin)


def _title(home: Country, wishes: Given, gender: str) -> dict[str, str]:
    told = wishes.billing.get("title") or wishes.customer.get("title")
    title = told or next(iter(home.titles.get(gender, ())), None)
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
