"""Journal entries become short texts that say who does what."""

from typing import Any

import pytest

from mock_klarna.domain import events
from mock_klarna.domain.journal_text import (
    EVENTS,
    EntryText,
    describe,
    in_order_of_time,
    money,
    shorten_ids,
    value_text,
)

Json = dict[str, Any]
TOKEN = "a2be5f86-e505-4c6b-8d2c-bebdda7f5956"
PROBLEM = {
    "path": "order_lines[0].total_tax_amount",
    "json_path": "$.order_lines[0].total_tax_amount",
    "rule": "line_tax",
    "value": 25,
    "expected": "20",
    "formula": "100 - 80 = 20",
}


def entry(kind: str, name: str, second: float = 0, **members: Any) -> Json:
    at = f"2026-01-02T03:04:{second:06.3f}Z"
    return {"seq": 1, "kind": kind, "name": name, "at": at, "merchant": "demo-shop", "purchase_id": "p", **members}


def exchange(name: str, status: int, **members: Any) -> Json:
    defaults = {"method": "POST", "path": f"/a/{TOKEN}/orders", "request_body": None, "response_body": None}
    return entry("exchange", name, status=status, **{**defaults, "problems": [], "duration_ms": 0.25, **members})


def callback(**members: Any) -> Json:
    defaults = {"url": "http://shop", "number": 1, "outcome": "answered", "status": 200, "error": None}
    return entry("callback", "place_order", **{**defaults, "duration_ms": 3.5, **members})


MEMBERS: Json = {"seconds": 1.0, "changed": ("locale",), "quantity": 1}


def event_classes() -> list[type[events.Event]]:
    """All event classes except those that are only a base of others."""
    found = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)]
    return [kind for kind in found if kind is not events.Event and not any(kind in other.__bases__ for other in found)]


def example(kind: type[events.Event]) -> events.Event:
    """An event of this class with a value for every member."""
    values: Json = {
        name: 100 if name.endswith("_amount") else MEMBERS.get(name, "x") for name in kind.__struct_fields__
    }
    return kind(**values)


EXAMPLES: dict[str, Json] = {
    events.event_name(each): dict(events.event_data(each)) for each in map(example, event_classes())
}


def test_every_event_has_a_text() -> None:
    assert EVENTS.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_text_of_an_event_has_its_members(name: str) -> None:
    text = describe(entry("event", name, **EXAMPLES[name])).text
    assert "{" not in text
    assert "100" not in text  # amounts are formatted as money


def test_an_unknown_event_is_described_by_its_name_and_members() -> None:
    assert describe(entry("event", "something_new", a=1, b=None)).text == "something_new: a 1, b nothing"


def test_the_text_of_a_denial_has_its_reason() -> None:
    assert describe(entry("event", "purchase_denied")).text == "ends the purchase, the shop denied it"
    text = describe(entry("event", "purchase_denied", deny_code="other", deny_message="Closed")).text
    assert text == "ends the purchase, the shop denied it: other, Closed"


def test_a_placed_order_has_its_id_amount_and_fraud_status() -> None:
    request = {"order_amount": 124000, "purchase_currency": "SEK"}
    response = {"order_id": TOKEN, "fraud_status": "ACCEPTED"}
    assert describe(exchange("create_order", 200, request_body=request, response_body=response)) == EntryText(
        "shop → Klarna", "POST /a/a2be5f86…/orders → 200: order a2be5f86…, 1,240.00 SEK, ACCEPTED"
    )


def test_a_denied_purchase_has_its_reason() -> None:
    denial = exchange("deny_authorization", 204, method="DELETE", request_body={"deny_code": "item_out_of_stock"})
    assert describe(denial).text.endswith("→ 204: item_out_of_stock")


@pytest.mark.parametrize(
    "body", [{"error_message": "bad_value:locale"}, {"error_messages": ["bad_value:locale"]}], ids=["one", "several"]
)
def test_an_error_answer_has_its_message_and_a_line_for_each_problem(body: Json) -> None:
    described = describe(exchange("create_order", 400, response_body=body, problems=[PROBLEM, PROBLEM]))
    assert described.is_error
    assert described.text.endswith("→ 400: bad_value:locale")
    problem = "order_lines[0].total_tax_amount [line_tax]: sent 25, expected 20 (100 - 80 = 20)"
    assert described.problems == (problem, problem)


@pytest.mark.parametrize(
    ("members", "actor", "text"),
    [
        ({}, "shop", "answers place_order with 200 after 3.5 ms"),
        ({"number": 2}, "shop", "answers place_order (attempt 2) with 200 after 3.5 ms"),
        (
            {"outcome": "refused", "status": None, "error": "no", "remedy": "start it"},
            "Klarna → shop",
            "place_order fails: refused, no; start it",
        ),
        ({"outcome": "too_long", "error": "64 kB"}, "Klarna → shop", "place_order fails: too_long 200, 64 kB"),
    ],
)
def test_a_callback_has_its_answer_or_why_it_failed(members: Json, actor: str, text: str) -> None:
    described = describe(callback(**members))
    assert (described.actor, described.text) == (actor, text)
    assert described.is_error == ("outcome" in members)


def test_a_callback_that_is_answered_with_an_error_status_is_an_error() -> None:
    assert describe(callback(status=500)).is_error


def test_detailed_texts_have_ids_urls_durations_and_event_names() -> None:
    assert describe(callback(), detailed=True).text == "answers place_order at http://shop with 200 after 3.5 ms"
    assert describe(exchange("x", 200), detailed=True).text == f"POST /a/{TOKEN}/orders → 200 in 0.2 ms"
    expired = entry("event", "authorization_expired", authorization_token=TOKEN)
    assert describe(expired, detailed=True).text == f"expires token {TOKEN} [authorization_expired]"


def test_texts_can_be_without_durations() -> None:
    assert describe(callback(), timed=False).text == "answers place_order with 200"
    assert describe(exchange("x", 200), detailed=True, timed=False).text == f"POST /a/{TOKEN}/orders → 200"
    assert describe(entry("event", "clock_moved", seconds=5.1), timed=False).text == "moves the clock"


def test_a_merchant_can_be_called_by_another_name() -> None:
    assert describe(callback(), shop="somebody").actor == "somebody"


def numbered(seq: int, second: float, kind: str, name: str) -> Json:
    return {**entry(kind, name, second), "seq": seq}


def test_a_callback_is_ordered_by_when_it_was_sent() -> None:
    sent = numbered(3, 0.029, "callback", "place_order")
    entries = [numbered(1, 0.0, "event", "purchase_authorized"), numbered(2, 0.050, "exchange", "create_order"), sent]
    assert [each["seq"] for each in in_order_of_time(entries)] == [1, 3, 2]


def test_callbacks_of_the_same_time_keep_their_order() -> None:
    entries = [numbered(seq, 0.0, "callback", "push") for seq in range(3)]
    assert in_order_of_time(entries) == entries


def test_a_callback_is_not_moved_before_a_change_of_the_clock() -> None:
    sent = numbered(3, 1.0, "callback", "place_order")
    entries = [numbered(1, 30.0, "event", "purchase_authorized"), numbered(2, 2.0, "event", "clock_moved"), sent]
    assert [each["seq"] for each in in_order_of_time(entries)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(124000, "SEK", "1,240.00 SEK"), (5, "USD", "0.05 USD"), (-250, "", "-2.50")]
)
def test_money_is_in_major_units(amount: int, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_ids_are_shortened_to_their_first_part() -> None:
    assert shorten_ids(f"/orders/{TOKEN}/captures") == "/orders/a2be5f86…/captures"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        ({"a": [1, None], "b": "x"}, "{a: [1, nothing], b: x}"),
        ("x" * 5000, "x" * 300 + "…"),
    ],
)
def test_a_value_is_one_short_line(value: Any, text: str) -> None:
    assert value_text(value) == text
