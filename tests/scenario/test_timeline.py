"""A timeline has times, a transcript has neither times nor ids nor ports."""

from typing import Any

from mock_klarna.scenario.timeline import timeline, transcript

Json = dict[str, Any]
TOKEN = "a2be5f86-e505-4c6b-8d2c-bebdda7f5956"


def entry(seq: int, second: float, kind: str, name: str, **members: Any) -> Json:
    at = f"2026-01-01T00:00:{second:06.3f}Z"
    return {"seq": seq, "at": at, "kind": kind, "name": name, "merchant": "m", "purchase_id": "p", **members}


ANSWER = {
    "url": "http://shop:80/x",
    "number": 1,
    "status": 200,
    "outcome": "answered",
    "error": None,
    "duration_ms": 150.0,
}
EXPIRED = entry(1, 0.0, "event", "authorization_expired", authorization_token=TOKEN)
FAILED = entry(2, 0.2, "event", "purchase_failed", reason="x")
CALLBACK = entry(3, 0.1, "callback", "place_order", **ANSWER)


def test_a_timeline_has_the_time_at_which_each_entry_ended() -> None:
    assert [line.split()[0] for line in timeline([EXPIRED, FAILED, CALLBACK])] == [
        "00:00:00.000",
        "00:00:00.200",
        "00:00:00.250",
    ]


def test_a_transcript_has_callbacks_last_and_no_times_ids_and_ports() -> None:
    assert transcript([EXPIRED, CALLBACK, FAILED]) == [
        "Klarna         expires token <id 1> [authorization_expired]",
        "Klarna         ends the purchase: x [purchase_failed]",
        "shop           answers place_order at http://shop/x with 200",
    ]


def test_callbacks_without_an_answer_are_at_the_end() -> None:
    callbacks = [{"state": "in_flight", "kind": "push", "url": "http://shop"}, {"state": "done"}]
    assert timeline([EXPIRED], callbacks)[1:] == [f"{'':24}shop           has not answered push at http://shop yet"]
