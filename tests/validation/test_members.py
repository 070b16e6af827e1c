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


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_currency_of_a_served_country_is_the_only_one_there(validator: Validator, country: str) -> None:
    """klarna.md §3.1."""
    served = COUNTRIES[country]
    body = {**BUTTON, "purchase_country": country, "purchase_currency": served.currency, "locale": served.locale}
    assert validator.check("create_button", body) == (body, [])
    other = "SEK" if served.currency != "SEK" else "EUR"
    assert refusals(validator, "create_button", {**body, "purchase_currency": other}) == [
        ("purchase_currency", "currency", other, f"{served.currency}, the currency of {country}")
    ]


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


@pytest.mark.parametrize("locale", ["qq-QQ", "qq-SE", "sv-QQ", "sv-XX"])
def test_a_locale_of_no_language_or_country_is_refused(validator: Validator, locale: str) -> None:
    assert refusals(validator, "create_button", {**BUTTON, "locale": locale}) == [
        ("locale", "pattern", locale, "a language and a country such as sv-SE")
    ]


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
        ("create_purchase", {"shopper": {"date_of_birth": "1980-02-30"}}, "shopper.date_of_birth"),
        (
            "create_purchase",
            {"shopper": {"customer": {"date_of_birth": "1980-02-30"}}},
            "shopper.customer.date_of_birth",
        ),
    ],
)
def test_a_birth_is_checked_wherever_there_is_a_customer(operation: str, body: Any, path: str) -> None:
    validator = Validator(today=lambda: date(2026, 1, 1))
    assert refusals(validator, operation, body) == [
        (path, "date", "1980-02-30", "a day that exists, from 1900-01-01 to 2026-01-01")
    ]
