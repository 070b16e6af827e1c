"""How a session becomes an order: what is checked, and what is explained."""

from datetime import date
from typing import Any

import pytest

from mock_klarna.domain import session
from mock_klarna.emulator import checkout_steps
from mock_klarna.errors import InvalidInput, UnknownName
from mock_klarna.shoppers import Shopper, named_shopper
from mock_klarna.validation import Validator
from tests.domain.samples import EXPRESS, LINE

KEY: dict[str, Any] = {
    "merchant_urls": {name: f"https://shop.example/{name}" for name in ("place_order", "terms", "confirmation")}
}
PAGE: dict[str, Any] = {
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "locale": "sv-SE",
    "order_lines": [LINE],
    "shipping_options": [EXPRESS],
}


@pytest.fixture(params=[False, True], ids=["lenient", "strict"])
def validator(request: pytest.FixtureRequest) -> Validator:
    """Return a validator whose explainer was never used."""
    return Validator(strict=request.param)


def opened(**members: Any) -> dict[str, Any]:
    return session.opened(KEY, {**PAGE, **members}, None)


def identified(shopper: Shopper, **members: Any) -> dict[str, Any]:
    billing, customer = dict(shopper.billing_address), dict(shopper.customer)
    customer.pop("national_identification_number", None)
    return session.identified(opened(**members), billing, None, customer)


@pytest.mark.parametrize("is_identified", [False, True])
def test_a_valid_session_becomes_an_order_and_nothing_is_explained(
    validator: Validator, is_identified: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explain(*_: object, **__: object) -> None:
        raise AssertionError("a valid session needs no explanation")

    monkeypatch.setattr(Validator, "check", explain)
    current = identified(named_shopper("se-approved")) if is_identified else opened()
    order = checkout_steps.order_of(validator, current)
    assert (order["order_amount"], "billing_address" in order) == (124000, is_identified)
    assert checkout_steps.problems(validator, current) == []


@pytest.mark.parametrize(
    ("members", "paths"),
    [
        ({"order_lines": [{**LINE, "total_tax_amount": 1}]}, ["order_lines[0].total_tax_amount"]),
        ({"order_lines": [{**LINE, "quantity": 0.5}]}, ["order_lines[0].quantity"]),
        ({"shipping_options": [{**EXPRESS, "tax_amount": 1}]}, ["selected_shipping_option.tax_amount"]),
        ({"billing_address": {"given_name": "A" * 200}}, ["billing_address.given_name"]),
        ({"merchant_reference1": "x" * 300}, ["merchant_reference1"]),
    ],
)
def test_every_problem_of_a_session_without_a_shopper_is_reported_except_the_missing_address(
    validator: Validator, members: dict[str, Any], paths: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        checkout_steps.order_of(validator, opened(**members))
    assert [problem.path for problem in refused.value.problems] == paths
    assert [problem.path for problem in checkout_steps.problems(validator, opened(**members))] == paths


def test_an_identified_shopper_needs_a_billing_address(validator: Validator) -> None:
    with pytest.raises(InvalidInput) as refused:
        checkout_steps.order_of(validator, {**opened(), "identified": True})
    assert [(problem.path, problem.rule) for problem in refused.value.problems] == [("billing_address", "required")]


def test_members_that_neither_key_nor_page_have_are_reported_first(validator: Validator) -> None:
    with pytest.raises(InvalidInput) as refused:
        checkout_steps.order_of(validator, opened(locale="", order_lines=[]))
    assert [problem.path for problem in refused.value.problems] == ["locale", "order_lines"]


@pytest.mark.parametrize(
    ("boxes", "has_boxes"),
    [
        (b'{"options":{"additional_checkboxes":[{"id":"news"}]}}', True),
        (b'{"options":{"additional_checkboxes":[]}}', False),
        (b'{"options":{}}', False),
        (b'{"name":"additional_checkboxes"}', False),
    ],
)
def test_a_session_has_checkboxes_if_its_options_list_any(boxes: bytes, has_boxes: bool) -> None:
    assert checkout_steps.has_checkboxes(boxes) is has_boxes


@pytest.mark.parametrize("shopper", ["nobody-approved", {"billing_address": {"country": "XX"}}])
def test_an_unknown_shopper_or_country_is_not_found(shopper: str | dict[str, Any]) -> None:
    with pytest.raises(UnknownName, match="see `mock-klarna shoppers`"):
        checkout_steps.shopper_for(shopper, opened(), "seed", date(2026, 1, 1))
