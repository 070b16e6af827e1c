"""The demo prints a line for each journal entry."""

from typing import Any

from mock_klarna.demo.walkthrough import EntryFormatter

Json = dict[str, Any]
PROBLEM = {"path": "locale", "rule": "required", "value": None, "expected": "a language", "formula": ""}


def entry(kind: str, name: str, second: float = 0, **members: Any) -> Json:
    at = f"2026-01-02T03:04:{second:06.3f}Z"
    return {"kind": kind, "name": name, "at": at, "merchant": "demo-shop", "purchase_id": "p", **members}


def callback(**members: Any) -> Json:
    defaults = {"url": "http://shop", "number": 1, "outcome": "answered", "status": 200, "error": None}
    return entry("callback", "place_order", **{**defaults, "duration_ms": 3.5, **members})


def lines_of(*entries: Json, colours: bool = False) -> list[str]:
    formatter = EntryFormatter("demo-shop", colours=colours)
    return [line for each in entries for line in formatter.lines(each)]


def test_times_count_from_the_first_entry_and_are_those_of_the_end_of_callbacks() -> None:
    lines = lines_of(
        entry("event", "session_initiated", 1.5),
        entry("event", "session_initiated", 1.75),
        callback(at="2026-01-02T03:04:02.000Z", duration_ms=4.0),
    )
    assert [line.split(" ms")[0].strip() for line in lines] == ["0", "250", "504"]


def test_a_line_has_time_actor_and_text_in_columns() -> None:
    assert lines_of(callback()) == ["      0 ms  shop           answers place_order with 200 after 3.5 ms"]


def test_problems_are_below_their_request() -> None:
    request: Json = {"method": "POST", "path": "/x", "request_body": None, "response_body": None, "problems": [PROBLEM]}
    _, problem = lines_of(entry("exchange", "create_order", status=400, **request))
    assert problem == f"{'':27}locale [required]: sent nothing, expected a language"


def test_events_that_repeat_a_request_are_left_out() -> None:
    assert lines_of(entry("event", "purchase_placed"), entry("event", "button_created")) == []


def test_another_merchant_is_called_by_its_name() -> None:
    (line,) = lines_of({**callback(), "merchant": "somebody"})
    assert "somebody       answers" in line


def test_colours_are_for_terminals_only() -> None:
    failed = callback(status=500)
    assert "\x1b[31m" in "".join(lines_of(failed, colours=True))
    assert "\x1b" not in "".join(lines_of(failed))
