"""Changes of an open session, by the page or by the merchant's answer to `update` (protocol 4.2, 6.4)."""

from typing import Any

import pytest

from mock_klarna.domain import session
from tests.domain.samples import EXPRESS, LINE, POST

BEGUN: dict[str, Any] = {
    "merchant_urls": {"place_order": "https://shop/place", "terms": "https://shop/terms"},
    "purchase_country": "SE",
    "order_lines": [LINE],
    "shipping_options": [EXPRESS, POST],
    "selected_shipping_option": POST,
}
CHEAPER = {**LINE, "unit_price": 100, "total_amount": 100, "total_tax_amount": 20}
SHIPPING = {"type": "shipping_fee", "reference": "post", "name": "Post"}


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, {}),
        ({"order_lines": [CHEAPER]}, {"order_lines": [CHEAPER]}),
        ({"merchant_data": "7"}, {"merchant_data": "7"}),
        ({"merchant_reference2": "r"}, {"merchant_reference2": "r"}),
        (
            {"merchant_urls": {"confirmation": "https://shop/thanks"}},
            {"merchant_urls": {**BEGUN["merchant_urls"], "confirmation": "https://shop/thanks"}},
        ),
        ({"shipping_countries": ["SE", "NO"]}, {"shipping_countries": ["SE", "NO"]}),
        ({"locale": "en-SE"}, {"locale": "en-SE"}),
    ],
)
def test_an_update_changes_what_it_names_and_nothing_else(changes: Any, changed: Any) -> None:
    assert session.updated(BEGUN, changes) == {**BEGUN, **changed}


@pytest.mark.parametrize("name", ["order_amount", "billing_address", "customer", "button_key", "update_context", "x"])
def test_what_is_not_the_merchants_to_change_stays(name: str) -> None:
    assert session.updated(BEGUN, {name: "changed"}) == BEGUN


@pytest.mark.parametrize(
    ("options", "selected"),
    [([POST, EXPRESS], "post"), ([EXPRESS], "express_priority"), ([], None)],
)
def test_new_shipping_options_keep_the_choice_where_it_still_exists(options: list[Any], selected: str | None) -> None:
    chosen = session.updated(BEGUN, {"shipping_options": options}).get("selected_shipping_option")
    assert (chosen and chosen["id"]) == selected


def test_a_chosen_option_whose_price_changes_is_charged_at_the_new_price() -> None:
    dearer = {**POST, "price": 900, "tax_amount": 0}
    whole = session.order(session.updated(BEGUN, {"shipping_options": [dearer]}))
    assert whole["order_amount"] == 119900


def test_a_shipping_line_that_the_merchant_echoes_is_not_charged_twice() -> None:
    changed = session.updated(BEGUN, {"order_lines": [LINE, SHIPPING]})
    assert changed["order_lines"] == [LINE]


def test_a_shipping_fee_of_the_merchants_own_stays() -> None:
    own = {**SHIPPING, "reference": "crane"}
    assert session.updated(BEGUN, {"order_lines": [LINE, own]})["order_lines"] == [LINE, own]


def test_the_update_callback_carries_the_order_at_top_level_with_the_merchants_lines() -> None:
    body = session.update_body({**BEGUN, "purchase_currency": "SEK"}, "session_updated", "b-1")
    assert (body["update_context"], body["button_key"]) == ("session_updated", "b-1")
    assert body["order_lines"] == [LINE]
    assert body["selected_shipping_option"]["id"] == "post"
    assert "authorization_token" not in body
