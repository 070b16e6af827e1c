"""Journal entries become short texts that say who does what."""

from typing import Any

import pytest

from mock_klarna.domain import events
from mock_klarna.domain.journal_text import (
    EVENTS,
    EntryText,
    JournalLines,
    describe,
    journal_lines,
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


def test_the_text_of_an_event_has_its_members() -> None:
    for name, members in EXAMPLES.items():
        text = describe(entry("event", name, **members)).text
        assert "{" not in text, name
        assert "100" not in text, name  # amounts are formatted as money


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
        "shop → Klarna", "POST /a/a2be5f86…/orders → 200 in 0.25 ms: order a2be5f86…, 1,240.00 SEK, ACCEPTED"
    )


def test_a_denied_purchase_has_its_reason() -> None:
    denial = exchange("deny_authorization", 204, method="DELETE", request_body={"deny_code": "item_out_of_stock"})
    assert describe(denial).text.endswith("→ 204 in 0.25 ms: item_out_of_stock")


LONG = f"/instantshopping/v1/authorizations/{TOKEN}"


@pytest.mark.parametrize(
    ("path", "status", "shown"),
    [
        ("/instantshopping/v1/buttons", 200, "/instantshopping/v1/buttons"),
        (f"{LONG}/orders", 200, "…/orders"),
        (LONG, 200, "…/authorizations/a2be5f86…"),
        (f"{LONG}/orders", 404, "/instantshopping/v1/authorizations/a2be5f86…/orders"),
    ],
)
def test_a_long_path_is_short_unless_the_request_was_refused(path: str, status: int, shown: str) -> None:
    assert describe(exchange("x", status, path=path)).text.split()[1] == shown


@pytest.mark.parametrize(
    ("path", "actor"),
    [("/_mock/clock", "client → mock"), ("/instantshopping/sdk/x", "page → Klarna"), ("/x", "shop → Klarna")],
)
def test_a_request_has_its_sender(path: str, actor: str) -> None:
    assert describe(exchange("x", 200, path=path)).actor == actor


def test_a_refusal_has_a_line_for_each_problem() -> None:
    body = {"error_message": "bad_value:order_lines[0].total_tax_amount"}
    described = describe(exchange("create_order", 400, response_body=body, problems=[PROBLEM, PROBLEM]))
    assert described.is_error
    assert described.text.endswith("→ 400 in 0.25 ms")
    problem = "order_lines[0].total_tax_amount [line_tax]: sent 25, expected 20 (100 - 80 = 20)"
    assert described.details == (problem, problem)


def test_a_client_that_went_away_is_no_error() -> None:
    described = describe(exchange("x", 400, path="/x", problems=[{**PROBLEM, "rule": "incomplete"}]))
    text = "POST /x: the client closed the connection before its body was complete"
    assert described == EntryText("shop → Klarna", text)


def test_a_refusal_with_many_problems_has_the_first_ten() -> None:
    assert describe(exchange("x", 400, problems=[PROBLEM] * 13)).details[10:] == ("and 3 more in the journal",)


@pytest.mark.parametrize(
    ("members", "details"),
    [
        ({"response_body": {"error_message": "no such token"}}, ("no such token",)),
        ({"response_body": {"error_messages": ["no such order"]}}, ("no such order",)),
        ({"response_body": {"error_code": "x"}, "explanation": "why"}, ("why",)),
        ({"response_body": {"where": "seed", "detail": "not known", "hint": "look"}}, ("seed: not known", "look")),
        (
            {"response_body": {"detail": "x", "hint": "20"}, "problems": [PROBLEM]},
            ("order_lines[0].total_tax_amount [line_tax]: sent 25, expected 20 (100 - 80 = 20)",),
        ),
    ],
)
def test_a_refusal_without_problems_has_its_message_and_a_hint_that_says_more(
    members: Json, details: tuple[str, ...]
) -> None:
    assert describe(exchange("x", 400, **members)).details == details


@pytest.mark.parametrize(
    ("members", "actor", "text", "details"),
    [
        ({}, "shop", "answers place_order with 200 after 3.5 ms", ()),
        ({"number": 2}, "shop", "answers place_order (attempt 2) with 200 after 3.5 ms", ()),
        (
            {"status": 404, "hint": "serve it"},
            "shop",
            "answers place_order at http://shop with 404 after 3.5 ms",
            ("serve it",),
        ),
        (
            {"outcome": "refused", "status": None, "error": "no", "hint": "start it"},
            "Klarna → shop",
            "place_order at http://shop fails: refused",
            ("start it",),
        ),
        (
            {"outcome": "untrusted", "status": None, "error": "no", "hint": "trust it"},
            "Klarna → shop",
            "place_order at http://shop fails: untrusted",
            ("no", "trust it"),
        ),
        (
            {"outcome": "too_long", "error": "64 kB"},
            "Klarna → shop",
            "place_order at http://shop fails: too_long 200",
            ("64 kB",),
        ),
    ],
)
def test_a_callback_has_its_answer_or_why_it_failed(
    members: Json, actor: str, text: str, details: tuple[str, ...]
) -> None:
    described = describe(callback(**members))
    assert (described.actor, described.text, described.details) == (actor, text, details)
    assert described.is_error == ("outcome" in members or "status" in members)


def test_an_event_has_its_hint() -> None:
    described = describe(entry("event", "purchase_timed_out", seconds=60.0, hint="place or deny it"))
    assert described == EntryText(
        "shopper",
        "gives up after 1 min, timed out: the shop never placed or denied it",
        ("place or deny it",),
        is_error=True,
    )


def test_verbose_texts_have_ids_urls_and_event_names() -> None:
    assert describe(callback(), verbose=True).text == "answers place_order at http://shop with 200 after 3.5 ms"
    assert describe(exchange("x", 200), verbose=True).text == f"POST /a/{TOKEN}/orders → 200 in 0.25 ms"
    expired = entry("event", "authorization_expired", authorization_token=TOKEN)
    assert describe(expired, verbose=True).text == f"expires token {TOKEN} [authorization_expired]"


def test_texts_can_be_without_durations() -> None:
    assert describe(callback(), timed=False).text == "answers place_order with 200"
    assert describe(exchange("x", 200), verbose=True, timed=False).text == f"POST /a/{TOKEN}/orders → 200"
    assert describe(entry("event", "clock_moved", seconds=5.1), timed=False).text == "moves the clock"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.40 ms"),
        (0, "less than 1 ms"),
        (0.0355, "36 ms"),
        (5.1, "5.1 s"),
        (60, "1 min"),
        (5400, "1 h 30 min"),
        (-7200, "-2 h"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    moved = describe(entry("event", "clock_moved", seconds=seconds))
    assert moved.text == f"moves the clock, now {text} ahead of real time"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a\nshop b", "a\\x0ashop b"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("a\x00\x7f\x9b", "a\\x00\\x7f\\x9b"),
        ("a\u202eb\u2028c", "a\\x202eb\\x2028c"),
        ("räksmörgås", "räksmörgås"),
    ],
)
def test_control_characters_of_a_request_cannot_forge_a_line(sent: str, shown: str) -> None:
    (line,) = JournalLines().lines(exchange("x", 200, path=f"/{sent}"))
    assert f"POST /{shown} → 200" in line
    (_, detail) = JournalLines().lines(exchange("x", 404, explanation=sent))
    assert detail.strip() == shown


def test_a_merchant_can_be_called_by_another_name() -> None:
    assert describe(callback(), shop="somebody").actor == "somebody"


def lines_of(*entries: Json, **options: Any) -> list[str]:
    journal = JournalLines(**options)
    return [line for each in entries for line in journal.lines(each)]


def test_a_line_has_time_purchase_actor_and_text_in_columns() -> None:
    assert lines_of({**callback(), "purchase_id": TOKEN}, entry("event", "session_initiated", 1.5)) == [
        "03:04:00.003  a2be5f86  shop           answers place_order with 200 after 3.5 ms",
        "03:04:01.500  p         shopper        clicks the button, a session starts",
    ]


def test_the_explanation_is_below_its_line_and_wrapped_for_a_terminal() -> None:
    refused = exchange("x", 404, explanation="word " * 30)
    assert lines_of(refused)[1:] == [" " * 26 + "word " * 30]
    _, *wrapped = lines_of(refused, width=80)
    assert len(wrapped) == 3
    assert max(map(len, wrapped)) <= 80


def test_a_line_with_the_date_comes_where_the_date_changes() -> None:
    tomorrow = {**callback(), "at": "2026-01-03T00:00:00.000Z"}
    assert lines_of(callback(), tomorrow, tomorrow)[1] == "2026-01-03 (UTC)"
    assert len(lines_of(callback(), tomorrow, tomorrow)) == 4


def test_events_that_say_the_same_as_a_request_are_for_verbose_lines_only() -> None:
    repeating = entry("event", "purchase_denied"), entry("event", "button_created", button_key="x")
    assert lines_of(*repeating) == []
    assert len(lines_of(*repeating, verbose=True)) == len(journal_lines(repeating)) == 2


def test_merchants_have_their_names_once_there_are_several() -> None:
    first, second = callback(), {**callback(), "merchant": "m" * 40}
    actors = [line[24:].split(" answers")[0].strip() for line in lines_of(first, second, first)]
    assert actors == ["shop", "m" * 23 + "…", "demo-shop"]


def test_colours_are_for_terminals_only() -> None:
    failed = callback(status=500)
    assert "\x1b[31m" in "".join(lines_of(failed, colours=True))
    assert "\x1b" not in "".join(lines_of(failed))


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


@pytest.mark.parametrize(
    ("injected", "details"),
    [
        (None, ()),
        ({"fault_id": "f-1", "drop": True}, ("on purpose: drop",)),
        ({"fault_id": "f-1", "status": 503, "delay": 0.5}, ("on purpose: status 503, delay 0.5",)),
        ({"resent": True}, ("on purpose: resent",)),
    ],
    ids=str,
)
def test_what_was_injected_is_below_its_line(injected: Any, details: tuple[str, ...]) -> None:
    assert describe(exchange("get_button", 200, injected=injected)).details == details
