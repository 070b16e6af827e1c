"""The checks of a button, and its look."""

from typing import Any

import pytest

from mock_klarna.domain import button
from tests.domain.samples import LINE

COMPLETE: dict[str, Any] = {
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "locale": "sv-SE",
    "merchant_urls": {"terms": "https://shop/terms", "place_order": "https://shop/place"},
    "order_lines": [LINE],
}
DEMANDED = [
    "purchase_country",
    "purchase_currency",
    "locale",
    "merchant_urls.terms",
    "merchant_urls.place_order",
    "order_lines",
]


def without(path: str) -> dict[str, Any]:
    head, _, member = path.partition(".")
    if not member:
        return {name: value for name, value in COMPLETE.items() if name != head}
    return {**COMPLETE, head: {name: value for name, value in COMPLETE[head].items() if name != member}}


def test_a_complete_session_can_start() -> None:
    assert button.problems(COMPLETE) == []


@pytest.mark.parametrize("path", DEMANDED)
def test_a_missing_member_is_named_with_its_sources(path: str) -> None:
    (problem,) = button.problems(without(path))
    assert (problem.path, problem.rule) == (path, "required")
    assert problem.expected


def test_everything_that_is_missing_is_named_in_order() -> None:
    assert [problem.path for problem in button.problems({})] == DEMANDED


def test_a_subscription_needs_no_place_order_url() -> None:
    urls = {"terms": "https://shop/terms", "create_customer_token": "https://shop/token"}
    assert button.problems({**COMPLETE, "merchant_urls": urls}) == []


def test_a_country_that_is_not_served_gets_no_button() -> None:
    assert button.not_served(COMPLETE, ["SE", "NO"]) is None
    assert "SE" in (button.not_served(COMPLETE, ["NO"]) or "")


@pytest.mark.parametrize(
    ("options", "billing", "shipping", "paths"),
    [
        ({}, "SE", "SE", []),
        ({}, "NO", "SE", []),
        ({}, "SE", "NO", ["shipping_address.country"]),
        ({"shipping_countries": ["NO"]}, "SE", "NO", []),
        ({"shipping_countries": ["NO"]}, "SE", "SE", ["shipping_address.country"]),
        ({"billing_countries": ["SE"]}, "NO", "SE", ["billing_address.country"]),
        ({"billing_countries": ["SE"]}, "NO", "DK", ["billing_address.country", "shipping_address.country"]),
        ({"billing_countries": [], "shipping_countries": []}, "NO", "SE", []),
    ],
)
def test_addresses_have_to_lie_where_the_merchant_bills_and_ships(
    options: dict[str, list[str]], billing: str, shipping: str, paths: list[str]
) -> None:
    session = {**COMPLETE, **options}
    found = button.address_problems(session, {"country": billing}, {"country": shipping})
    assert [problem.path for problem in found] == paths
    assert all(problem.expected.startswith("one of ") for problem in found)
