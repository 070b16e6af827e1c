"""A decision depends on its arguments alone and does not change them."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna.domain import order as orders
from mock_klarna.domain import purchase as purchases
from mock_klarna.domain import session
from mock_klarna.domain.records import Outcome
from tests.domain.samples import EXPRESS, LENIENT, LINE, NOW, POST, body, item, order, pending, purchase

SESSION: dict[str, Any] = {
    "order_lines": [LINE],
    "items": [item("red"), item("blue")],
    "merchant_urls": {"terms": "https://shop/terms"},
    "options": {"additional_checkboxes": [{"id": "news"}]},
    "shipping_options": [EXPRESS, POST],
    "selected_shipping_option": EXPRESS,
}
CHANGES = {"order_lines": [LINE, {**LINE, "type": "shipping_fee"}], "merchant_urls": {"confirmation": "https://shop/x"}}
CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "place": (purchases.place, (purchase(), {"push": "https://shop/{order.id}"}, body(), b"{}", "o-1", NOW, LENIENT)),
    "place pending": (purchases.place, (pending(then="REJECTED"), {}, body(), b"{}", "o-1", NOW, LENIENT)),
    "deny": (purchases.deny, (purchase(), {"deny_code": "other"}, NOW, LENIENT)),
    "time out": (purchases.time_out, (purchase(), LENIENT)),
    "expire": (purchases.expire, (purchase(), LENIENT)),
    "authorize": (purchases.authorize, (purchase("started"), Outcome(), "t-1", body(), b"{}", NOW, LENIENT)),
    "decline": (purchases.decline, (purchase("started"), "denied", "sv-SE", LENIENT)),
    "review": (orders.end_review, (order(), purchase("placed"), "ACCEPTED", NOW)),
    "open": (session.opened, (SESSION, CHANGES, "https://shop/product")),
    "choose an item": (session.with_item, (SESSION, session.Variation({"clr": "blue"}), 3)),
    "choose shipping": (session.with_shipping, (SESSION, "post")),
    "identify": (session.identified, (SESSION, {"city": "Lund"}, None, {"gender": "female"})),
    "tick": (session.answered, (SESSION, {"news": True})),
    "update": (session.updated, (SESSION, CHANGES)),
    "add up": (session.order, (SESSION,)),
    "ask": (session.update_body, (SESSION, "session_updated", "b-1")),
}


@pytest.mark.parametrize(("decide", "arguments"), CALLS.values())
def test_the_same_arguments_give_the_same_decision_and_are_not_changed(
    decide: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    before = copy.deepcopy(arguments)
    first = decide(*arguments)
    assert decide(*copy.deepcopy(arguments)) == first
    assert arguments == before
