from typing import Any

import pytest

from mock_klarna.demo.walkthrough import EVENTS, Narrator, money
from mock_klarna.domain import events
from tests.cases import in_turn

Json = dict[str, Any]
TOKEN = "a2be5f86-e505-4c6b-8d2c-bebdda7f5956"


def entry(kind: str, name: str, second: float = 0, **members: Any) -> Json:
    at = f"2026-01-02T03:04:{second:06.3f}Z"
    return {"kind": kind, "name": name, "at": at, "merchant": "demo-shop", "purchase_id": "p", **members}


def exchange(name: str, status: int, **members: Any) -> Json:
    defaults = {"method": "POST", "path": f"/a/{TOKEN}/orders", "request_body": None, "response_body": None}
    return entry("exchange", name, status=status, **{**defaults, "problems": [], **members})


def callback(**members: Any) -> Json:
    usual = {"number": 1, "outcome": "answered", "status": 200, "error": None, "duration_ms": 3.5}
    return entry("callback", "place_order", **{**usual, **members})


def told(*entries: Json, colours: bool = False) -> list[str]:
    narrator = Narrator("demo-shop", colours=colours)
    return [line for each in entries for line in narrator.lines(each)]


MEMBERS: Json = {"seconds": 1.0, "changed": ("locale",), "order_amount": 100, "quantity": 1}


def example(kind: type[events.Event]) -> events.Event:
    members: Json = {name: MEMBERS.get(name, "x") for name in kind.__struct_fields__}
    return kind(**members)


EXAMPLES = [example(kind) for kind in events.Event.__subclasses__()]


@in_turn("event", EXAMPLES)
def test_every_event_can_be_told(event: events.Event) -> None:
    members: Json = dict(events.event_data(event))
    assert all("{" not in line for line in told(entry("event", events.event_name(event), **members)))


def test_every_event_that_has_words_exists() -> None:
    assert set(EVENTS) <= {events.event_name(event) for event in EXAMPLES}


def test_an_unknown_event_is_told_by_its_name() -> None:
    assert told(entry("event", "something_new")) == ["      0 ms  Klarna         something new"]


def test_time_counts_from_the_first_entry_and_a_callback_counts_by_its_end() -> None:
    lines = told(
        entry("event", "session_initiated", 1.5),
        entry("event", "session_initiated", 1.75),
        callback(at="2026-01-02T03:04:02.000Z"),
    )
    assert [line.split(" ms")[0].strip() for line in lines] == ["0", "250", "504"]


def test_a_placed_order_shows_its_key_figures() -> None:
    asked = {"order_amount": 124000, "purchase_currency": "SEK"}
    (line,) = told(
        exchange("create_order", 200, request_body=asked, response_body={"order_id": TOKEN, "fraud_status": "ACCEPTED"})
    )
    assert line == "      0 ms  shop → Klarna  POST /a/a2be5f86…/orders → 200: order a2be5f86…, 1,240.00 SEK, ACCEPTED"


def test_a_refusal_shows_every_problem_with_what_would_be_right() -> None:
    problems = [{"path": "locale", "expected": "a language"}, {"path": "", "expected": "an object"}]
    lines = told(exchange("create_order", 400, response_body={"error_message": "bad_value:locale"}, problems=problems))
    assert [line.strip() for line in lines[1:]] == ["locale: expected a language", "body: expected an object"]
    assert lines[0].endswith("→ 400: bad_value:locale")


def test_a_denial_shows_its_reason() -> None:
    (line,) = told(
        exchange("deny_authorization", 204, method="DELETE", request_body={"deny_code": "item_out_of_stock"})
    )
    assert line.endswith("→ 204: item_out_of_stock")


def test_what_the_exchange_said_is_not_said_twice() -> None:
    assert told(entry("event", "purchase_placed"), entry("event", "button_created")) == []


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "answers place_order with 200 after 3.5 ms"),
        ({"number": 2}, "answers place_order (try 2) with 200 after 3.5 ms"),
        ({"outcome": "refused", "status": None, "error": "no"}, "does not answer place_order: refused, no"),
    ],
)
def test_a_callback_tells_what_the_shop_answered(members: Json, words: str) -> None:
    (line,) = told(callback(**members))
    assert line.endswith(f"shop           {words}")


def test_another_merchant_is_called_by_its_name() -> None:
    (line,) = told({**callback(), "merchant": "somebody"})
    assert "somebody       answers" in line


def test_colours_are_for_terminals() -> None:
    failed = callback(status=500)
    assert "\x1b[31m" in "".join(told(failed, colours=True))
    assert "\x1b" not in "".join(told(failed))


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(124000, "SEK", "1,240.00 SEK"), (5, "USD", "0.05 USD"), (-250, "", "-2.50")]
)
def test_money_is_for_people(amount: int, currency: str, text: str) -> None:
    assert money(amount, currency) == text
