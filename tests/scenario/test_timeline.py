"""The order in which a timeline tells what happened."""

from typing import Any

from mock_klarna.scenario.timeline import in_time, timeline


def entry(seq: int, second: float, kind: str, name: str) -> dict[str, Any]:
    return {"seq": seq, "at": f"2026-01-01T00:00:{second:06.3f}Z", "kind": kind, "name": name}


def test_a_callback_stands_where_it_was_sent_though_it_is_recorded_when_it_was_answered() -> None:
    called = entry(3, 0.029, "callback", "place_order")
    entries = [entry(1, 0.0, "event", "purchase_authorized"), entry(2, 0.050, "exchange", "create_order"), called]
    assert [told["seq"] for told in in_time(entries)] == [1, 3, 2]


def test_callbacks_that_were_sent_at_the_same_time_stay_in_their_order() -> None:
    entries = [entry(seq, 0.0, "callback", "push") for seq in range(3)]
    assert in_time(entries) == entries


def test_nothing_goes_over_a_move_of_the_clock_which_may_turn_times_around() -> None:
    called = entry(3, 1.0, "callback", "place_order")
    entries = [entry(1, 30.0, "event", "purchase_authorized"), entry(2, 2.0, "event", "clock_moved"), called]
    assert [told["seq"] for told in in_time(entries)] == [1, 2, 3]


def test_the_seconds_of_a_timeline_rise() -> None:
    authorized = {**entry(1, 0.0, "event", "purchase_authorized"), "merchant": "m", "purchase_id": "p"}
    ended = {**entry(2, 0.2, "event", "purchase_placed"), "merchant": "m", "purchase_id": "p"}
    answered = {
        "url": "http://shop",
        "number": 1,
        "status": 200,
        "outcome": "answered",
        "error": None,
        "duration_ms": 99.0,
    }
    called = {**entry(3, 0.1, "callback", "place_order"), "merchant": "m", "purchase_id": "p", **answered}
    assert [line.split()[0] for line in timeline([authorized, ended, called])] == ["+0.000s", "+0.100s", "+0.200s"]
