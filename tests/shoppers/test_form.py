"""How the fields of the form are read."""

from datetime import date

import pytest

from mock_klarna.domain.time import is_birth
from mock_klarna.shoppers.form import read_date, shopper_from_form


def test_a_date_is_read_in_the_order_of_the_locale() -> None:
    for text, locale, iso in (
        ("1985-10-20", "sv-SE", "1985-10-20"),
        ("19851020", "sv-SE", "1985-10-20"),
        ("01011980", "de-DE", "1980-01-01"),
        ("1.1.1980", "de-DE", "1980-01-01"),
        (" 20. 10. 1985 ", "de-DE", "1985-10-20"),
        ("19121985", "de-DE", "1985-12-19"),
        ("10/20/1985", "en-US", "1985-10-20"),
        ("10201985", "en-US", "1985-10-20"),
        ("01/02/1980", "en-GB", "1980-02-01"),
        ("1 / 2 / 1980", "fr-FR", "1980-02-01"),
        ("01\u201302\u20131980", "nl-NL", "1980-02-01"),  # dashes, which some keyboards make of hyphens
        ("\u0660\u0661/\u0660\u0662/\u0661\u0669\u0668\u0660", "en-GB", "1980-02-01"),
    ):
        assert read_date(text, locale) == iso, (text, locale)


@pytest.mark.parametrize("text", ["20/10/1985", "1985-02-29", "yesterday", "1985", "1.1.80", "1./1.1980"])
def test_a_text_that_is_no_date_stays_as_it_is(text: str) -> None:
    assert read_date(text, "en-US") == text


@pytest.mark.parametrize(("born", "is_accepted"), [("1899-12-31", False), ("1900-01-01", True), ("2026-01-02", False)])
def test_the_form_accepts_the_births_that_an_order_may_have(born: str, is_accepted: bool) -> None:
    given = {"billing_address": {"country": "SE"}, "customer": {"date_of_birth": born}}
    _, problems = shopper_from_form(given, {}, date(2026, 1, 1))
    assert ("customer.date_of_birth" not in {problem.path for problem in problems}) is is_accepted
    assert is_birth(born, date(2026, 1, 1)) is is_accepted


def test_a_phone_number_of_both_addresses_is_read_by_the_country_of_the_billing_address() -> None:
    def read(shipping: str, country: str) -> tuple[str, list[str]]:
        given = {
            "billing_address": {"country": "SE", "phone": " 070 174 06 15"},
            "shipping_address": {"country": country, "phone": shipping},
        }
        shopper, problems = shopper_from_form(given, {}, date(2026, 1, 1))
        assert shopper.shipping_address is not None
        return shopper.shipping_address["phone"], [each.path for each in problems if each.rule == "phone"]

    assert read("070 174 06 15", "NO") == ("+46701740615", [])
    assert read("070 174 06 15", "DE") == ("+46701740615", [])
    assert read("030 306900", "DE") == ("+4930306900", [])
    assert read("070 174 06 16", "NO") == ("070 174 06 16", ["shipping_address.phone"])


def test_members_without_a_field_are_kept_unless_the_form_has_another_name_or_address() -> None:
    alice = {"given_name": "Alice", "family_name": "Test", "city": "Lund", "country": "DE"}
    page = {
        "billing_address": {**alice, "city": "Lund ", "care_of": "Bo", "region": ""},
        "customer": {"gender": "diverse", "type": "person", "date_of_birth": "1980-01-01"},
    }

    def kept(**typed: str) -> tuple[str | None, dict[str, str]]:
        shopper, _ = shopper_from_form({"billing_address": alice | typed}, {}, date(2026, 1, 1), "", page)
        return shopper.billing_address.get("care_of"), dict(shopper.customer)

    person = {"gender": "diverse", "type": "person"}
    assert kept() == ("Bo", person)
    assert kept(city="Ulm") == (None, person)
    assert kept(given_name="Eve") == (None, {})
    assert kept(care_of="Eve")[0] == "Eve"
    assert kept(title="frau") == ("Bo", {"title": "Frau", "gender": "female", "type": "person"})
