"""A decision depends on its arguments alone and leaves them as they were."""

import copy
from collections.abc import Callable
from typing import Any

from mock_klarna.domain import order as reviewing
from mock_klarna.domain import purchase as placing
from mock_klarna.domain import purchase as purchasing
from mock_klarna.domain import session
from tests.cases import in_turn
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
    "place": (placing.place, (purchase(), {"push": "https://shop/{order.id}"}, body(), b"{}", "o-1", NOW, LENIENT)),
    "place pending": (placing.place, (pending(then="REJECTED"), {}, body(), b"{}", "o-1", NOW, LENIENT)),
    "deny": (placing.deny, (purchase(), {"deny_code": "other"}, NOW, LENIENT)),
    "time out": (placing.time_out, (purchase(), LENIENT)),
    "expire": (placing.expire, (purchase(),)),
    "authorize": (purchasing.authorize, (purchase("started"), "t-1", body(), b"{}", NOW, LENIENT)),
    "decline": (purchasing.decline, (purchase("started"), "denied")),
    "review": (reviewing.decide, (order(), purchase("placed"), "ACCEPTED", NOW)),
    "open": (session.opened, (SESSION, CHANGES, "https://shop/product")),
    "choose an item": (session.with_item, (SESSION, {"clr": "blue"}, 3)),
    "choose shipping": (session.with_shipping, (SESSION, "post")),
    "identify": (session.identified, (SESSION, {"city": "Lund"}, None, {"gender": "female"})),
    "tick": (session.answered, (SESSION, {"news": True})),
    "update": (session.updated, (SESSION, CHANGES)),
    "add up": (session.order, (SESSION,)),
    "ask": (session.update_body, (SESSION, "session_updated", "b-1")),
}


@in_turn(("decide", "arguments"), CALLS.values())
def test_the_same_arguments_give_the_same_decision_and_stay_as_they_were(
    decide: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    before = copy.deepcopy(arguments)
    first = decide(*arguments)
    assert decide(*copy.deepcopy(arguments)) == first
    assert arguments == before
