"""Rules of single members: the currency of a country, dates of birth, and lists of codes that exist."""

from datetime import date
from typing import Any

import pytest
from faker.providers.address import Provider as Addresses

from mock_klarna.domain.countries import ADDRESS_MEMBERS, COUNTRIES
from mock_klarna.validation import Validator
from tests.validation.samples import changed, sample

BUTTON = {"merchant_urls": {"place_order": "https://shop.example.com/klarna"}}
ORDER = sample("guide/se-order")


def refusals(validator: Validator, operation: str, body: Any) -> list[tuple[str, str, Any, str]]:
    return [
        (problem.path, problem.rule, problem.value, problem.expected) for problem in validator.check(operation, body)[1]
    ]


def test_the_currency_of_a_served_country_is_the_only_one_there(validator: Validator) -> None:
    """klarna.md §3.1."""
    for country in COUNTRIES:
        served = COUNTRIES[country]
        body = {**BUTTON, "purchase_country": country, "purchase_currency": served.currency, "locale": served.locale}
        assert validator.check("create_button", body) == (body, []), country
        other = "SEK" if served.currency != "SEK" else "EUR"
        assert refusals(validator, "create_button", {**body, "purchase_currency": other}) == [
            ("purchase_currency", "currency", other, f"{served.currency}, the currency of {country}")
        ], country


@pytest.mark.parametrize(
    ("operation", "wrap", "path"),
    [
        ("create_button", lambda members: {**BUTTON, **members}, ""),
        ("page", lambda members: members, ""),
        ("update_answer", lambda members: members, ""),
        ("create_token", lambda members: members, ""),
        ("create_purchase", lambda members: {"page": members}, "page."),
        ("place_order", lambda members: {**sample("guide/se-callback"), "order": {**ORDER, **members}}, "order."),
    ],
)
def test_the_currency_is_checked_wherever_it_stands_beside_a_country(
    validator: Validator, operation: str, wrap: Any, path: str
) -> None:
    body = wrap({"purchase_country": "SE", "purchase_currency": "USD"})
    found = [problem for problem in refusals(validator, operation, body) if problem[1] == "currency"]
    assert found == [(f"{path}purchase_currency", "currency", "USD", "SEK, the currency of SE")]


def test_a_country_that_klarna_does_not_serve_has_any_currency(validator: Validator) -> None:
    body = {**BUTTON, "purchase_country": "JP", "purchase_currency": "USD"}
    assert validator.check("create_button", body) == (body, [])


@pytest.mark.parametrize("currency", ["ABC", "ZZZ", "KRR", "XXX"])
def test_a_currency_that_does_not_exist_is_refused(validator: Validator, currency: str) -> None:
    ((path, rule, value, expected),) = refusals(validator, "create_button", {**BUTTON, "purchase_currency": currency})
    assert (path, rule, value) == ("purchase_currency", "enum", currency)
    assert expected.startswith("an ISO 4217 currency code such as SEK")


@pytest.mark.parametrize("currency", ["ABC", "EURO", 5])
def test_the_currency_of_the_purchase_country_is_expected(validator: Validator, currency: Any) -> None:
    rule = "enum" if isinstance(currency, str) else "type"
    body = {**BUTTON, "purchase_country": "de", "purchase_currency": currency}
    assert refusals(validator, "create_button", body) == [
        ("purchase_currency", rule, currency, "EUR, the currency of DE")
    ]
    (problem,) = refusals(validator, "create_purchase", {"page": {**body, "merchant_urls": {}}})
    assert problem == ("page.purchase_currency", rule, currency, "EUR, the currency of DE")


@pytest.mark.parametrize(
    ("locale", "advice"),
    [
        ("qq-QQ", "; qq is no language of ISO 639-1 and QQ is no country of ISO 3166"),
        ("qq-SE", "; qq is no language of ISO 639-1"),
        ("sv-QQ", "; QQ is no country of ISO 3166"),
        ("sv-XX", "; XX is no country of ISO 3166"),
        ("sv-SE-x", "; did you mean sv-SE?"),
        ("en_UK.UTF-8", "; did you mean en-GB?"),
        ("svenska", ""),
        ("sv", ""),
    ],
)
def test_a_locale_is_refused_with_the_half_that_does_not_exist(validator: Validator, locale: str, advice: str) -> None:
    assert refusals(validator, "create_button", {**BUTTON, "locale": locale}) == [
        ("locale", "pattern", locale, f"a language and a country such as sv-SE{advice}")
    ]


@pytest.mark.parametrize(
    ("operation", "body", "path"),
    [
        ("set_clock", {"set": "2026-01-01T00:00:00Z and much more text"}, "set"),
        ("create_token", {"customer": {"date_of_birth": "1980-02-29 at noon"}}, "customer.date_of_birth"),
        ("create_token", {"billing_address": {"postal_code": True}}, "billing_address.postal_code"),
    ],
)
def test_a_text_of_the_wrong_form_has_one_problem(validator: Validator, operation: str, body: Any, path: str) -> None:
    assert [problem.path for problem in validator.check(operation, body)[1]] == [path]


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("customer", {"vat_id": True}, "a string of at most 255 characters"),
        ("customer", {"last_four_ssn": -5}, "a string of at most 255 characters"),
        ("billing_address", {"postal_code": 1.5}, "a postal code without blanks around it, of at most 10 characters"),
        ("billing_address", {"phone": []}, "a string of at most 100 characters"),
    ],
)
def test_numbers_that_are_accepted_as_ids_are_among_what_is_expected(member: str, value: Any, expected: str) -> None:
    for strict, more in ((True, ""), (False, ", or a whole number from 0")):
        (problem,) = Validator(strict=strict).check("create_token", {member: value})[1]
        assert problem.expected == expected + more


@pytest.mark.parametrize("member", ["purchase_country", "billing_countries", "shipping_countries"])
def test_a_country_that_does_not_exist_is_refused_in_a_key(validator: Validator, member: str) -> None:
    body = {**BUTTON, member: "XX" if member == "purchase_country" else ["SE", "XX"]}
    ((path, rule, value, expected),) = refusals(validator, "create_button", body)
    assert (path, rule, value) == (member if member == "purchase_country" else f"{member}[1]", "enum", "XX")
    assert expected.startswith("an ISO 3166 alpha-2 country code such as SE")


def test_the_members_of_an_address_are_those_of_its_schema(validator: Validator) -> None:
    assert tuple(validator.catalogue.documents["components/address.json"]["properties"]) == ADDRESS_MEMBERS


def test_the_codes_are_those_of_the_standards(validator: Validator) -> None:
    documents = validator.catalogue.documents
    countries = documents["components/country.json"]["enum"]
    assert len(countries) == 249
    assert set(countries) >= {*Addresses.alpha_2_country_codes, *COUNTRIES}
    assert set(documents["components/currency.json"]["enum"]) >= {served.currency for served in COUNTRIES.values()}
    languages, _, of_locales = documents["components/locale.json"]["pattern"].strip("^$").partition("-")
    assert of_locales == f"({'|'.join(countries)})"
    assert len(languages.split("|")) == 183


@pytest.mark.parametrize(
    ("operation", "body", "path"),
    [
        ("create_order", changed(ORDER, "customer.date_of_birth", "1980-02-30"), "customer.date_of_birth"),
        ("page", {"customer": {"date_of_birth": "1980-02-30"}}, "customer.date_of_birth"),
        ("create_token", {"customer": {"date_of_birth": "1980-02-30"}}, "customer.date_of_birth"),
    ],
)
def test_a_birth_is_checked_wherever_there_is_a_customer(operation: str, body: Any, path: str) -> None:
    validator = Validator(today=lambda: date(2026, 1, 1))
    assert refusals(validator, operation, body) == [
        (path, "date", "1980-02-30", "a day that exists, from 1900-01-01 to 2026-01-01")
    ]
