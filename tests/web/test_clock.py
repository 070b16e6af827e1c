"""`/_mock/clock` and `/_mock/jobs`: the clocks of merchants, and what waits for them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync

Json = dict[str, Any]
Page = Callable[[str], Any]
OTHER = "?merchant=other"
SHOWN = ("clock", "jobs", "purchases", "orders", "callbacks", "journal", "faults", "snapshot", "health", "merchants")


async def test_each_merchant_has_its_own_clock(klarna: MockKlarnaAsync) -> None:
    await klarna.advance_clock("2h")
    await klarna.advance_clock(60)
    assert (await klarna.clock())["ahead_seconds"] == pytest.approx(7260, abs=1)
    assert (await klarna.send("GET", "/_mock/clock" + OTHER)).body["ahead_seconds"] == 0
    await klarna.set_clock("2040-02-29T12:00:00Z")
    assert (await klarna.clock())["now"].startswith("2040-02-29T12:00:0")


async def test_a_clock_can_be_set_back(klarna: MockKlarnaAsync) -> None:
    await klarna.set_clock("2001-01-01T00:00:00+00:00")
    assert datetime.fromisoformat((await klarna.clock())["now"]) < datetime(2001, 1, 2, tzinfo=UTC)


INVALID = [
    ({}, "", "exactly one of advance, set and to"),
    ({"advance": "soon"}, "advance", "a duration such as 90s"),
    ({"advance": -1}, "advance", "at least 0"),
    ({"set": "2026-02-30T00:00:00Z"}, "set", "a day that exists: 2026-02 has 28 days"),
    ({"set": "1980-02-30T00:00:00.5+00:00"}, "set", "a day that exists: 1980-02 has 29 days"),
    ({"set": "2999-04-31T00:00:00Z"}, "set", "a day that exists: 2999-04 has 30 days"),
    ({"set": "9999-12-31T23:59:59Z"}, "set", "to 2999-12-31T23:59:59.000Z; this would be 9999-12-31T23:59:59.000Z"),
    ({"set": "3000-01-01T00:00:00Z"}, "set", "to 2999-12-31T23:59:59.000Z"),
    ({"set": "1969-12-31T23:59:59Z"}, "set", "from 1970-01-01T00:00:00.000Z"),
    ({"set": "0000-02-30T00:00:00Z"}, "set", "a year from 1970"),
    ({"advance": "99999d99999d99999d99999d"}, "advance", "to 2999-12-31T23:59:59.000Z"),
    ({"set": "2026-01-01T00:00:00Z", "advance": 1}, "", "exactly one of advance, set and to"),
    ({"to": "later"}, "to", "next"),
    ({"to": "next", "advance": 1}, "", "exactly one of advance, set and to"),
    ({"advence": 1}, "advence", "did you mean advance?"),
]


async def test_an_invalid_clock_request_is_refused_with_a_hint(klarna: MockKlarnaAsync) -> None:
    for body, path, hint in INVALID:
        answer = await klarna.send("POST", "/_mock/clock", body)
        assert answer.status == 400, body
        assert any(p["path"] == path and hint in p["expected"] for p in answer.body["errors"]), body


@pytest.mark.parametrize("edge", ["1970-01-01T00:00:00Z", "2999-12-31T23:59:59Z"])
async def test_the_server_works_at_the_limits_of_the_clock(
    klarna: MockKlarnaAsync, button: Json, page: Page, edge: str
) -> None:
    await klarna.set_clock(edge)
    bought = await klarna.purchase(page=page("se-battery-pack"), outcome="PENDING", wait=0)
    await klarna.create_order(bought["authorization_token"], bought["order"])
    answers = [await klarna.send("GET", f"/_mock/{shown}") for shown in SHOWN]
    assert [answer.status for answer in answers] == [200] * len(SHOWN)
    assert (await klarna.clock())["now"] >= edge.replace("Z", ".000Z")


async def test_due_jobs_are_done_before_the_clock_request_is_answered(
    klarna: MockKlarnaAsync, purchase: Json, token: str, order: Json
) -> None:
    order["merchant_urls"]["push"] = "http://127.0.0.1:1/push"
    await klarna.create_order(purchase["authorization_token"], order)
    await klarna.advance_clock("48h")
    (push,) = [callback for callback in await klarna.callbacks() if callback["kind"] == "push"]
    moments = [attempt["at"] for attempt in push["attempts"]]
    assert len(moments) > 2
    assert moments == sorted(moments)


async def test_without_a_merchant_all_clocks_move(klarna: MockKlarnaAsync, button: Json) -> None:
    await klarna.send("POST", "/_mock/clock", {"advance": 30}, {"Authorization": ""})
    assert (await klarna.clock())["ahead_seconds"] == pytest.approx(30, abs=1)


async def test_no_clock_moves_if_one_would_pass_the_limit(klarna: MockKlarnaAsync) -> None:
    await klarna.advance_clock(5)
    await klarna.send("POST", "/_mock/clock" + OTHER, {"set": "2999-12-31T23:59:59Z"})
    everybody = await klarna.send("POST", "/_mock/clock", {"advance": "1h"}, {"Authorization": ""})
    assert (everybody.status, everybody.body["errors"][0]["path"]) == (400, "advance")
    assert (await klarna.clock())["ahead_seconds"] == pytest.approx(5)


async def test_jobs_are_listed_in_the_order_in_which_they_are_due(klarna: MockKlarnaAsync, purchase: Json) -> None:
    order = await klarna.order(
        page=purchase["order"], outcome={"fraud_status": "PENDING", "then": "ACCEPTED", "after": "2h"}
    )
    time_out, review = await klarna.jobs()
    assert (time_out["kind"], time_out["purchase_id"]) == ("time_out", purchase["purchase_id"])
    assert (review["kind"], review["order_id"], review["purchase_id"]) == (
        "end_review", order["order_id"], order["purchase_id"]
    )  # fmt: skip
    assert 0 < time_out["due_in_seconds"] < review["due_in_seconds"] <= 7200
    assert (review["callback"], review["attempt"]) == (False, None)
    assert time_out["due_at"] < review["due_at"]
    page = (await klarna.send("GET", "/_mock/jobs?limit=1")).body
    assert (page["jobs"][0]["kind"], page["total"]) == ("time_out", 2)


async def test_a_callback_that_will_be_repeated_is_listed_with_its_attempt(
    klarna: MockKlarnaAsync, purchase: Json, order: Json
) -> None:
    order["merchant_urls"]["push"] = "http://127.0.0.1:1/push"
    await klarna.create_order(purchase["authorization_token"], order)
    (push,) = await klarna.jobs()
    assert (push["kind"], push["callback"], push["attempt"]) == ("push", True, 1)
    await klarna.advance_clock("6m")
    (push,) = await klarna.jobs()
    assert push["attempt"] == 2
    assert 0 < push["due_in_seconds"] <= 540


async def test_the_clock_moves_to_the_next_job_and_no_further(
    klarna: MockKlarnaAsync, purchase: Json, order: Json
) -> None:
    order["merchant_urls"]["push"] = "http://127.0.0.1:1/push"
    await klarna.create_order(purchase["authorization_token"], order)
    for attempts in (1, 2, 3):
        (push,) = await klarna.jobs()
        moved = await klarna.advance_to_next_job()
        assert push["due_at"] <= moved["now"]
        (callback,) = [one for one in await klarna.callbacks() if one["kind"] == "push"]
        assert len(callback["attempts"]) == attempts


async def test_without_a_merchant_the_job_that_is_due_first_happens(klarna: MockKlarnaAsync, page: Page) -> None:
    ends = {"fraud_status": "PENDING", "then": "ACCEPTED"}
    later = await klarna.order(page=page("se-battery-pack"), outcome={**ends, "after": "2h"})
    sooner = await klarna.as_merchant("other").order(page=page("se-battery-pack"), outcome={**ends, "after": "1h"})
    moved = await klarna.send("POST", "/_mock/clock", {"to": "next"}, {"Authorization": ""})
    assert moved.status == 200
    assert (await klarna.as_merchant("other").find_order(sooner["order_id"]))["fraud_status"] == "ACCEPTED"
    assert (await klarna.find_order(later["order_id"]))["fraud_status"] == "PENDING"
    assert 0 < (await klarna.clock())["ahead_seconds"] < 3601


async def test_without_a_job_the_clock_cannot_move_to_the_next(klarna: MockKlarnaAsync, button: Json) -> None:
    answer = await klarna.send("POST", "/_mock/clock", {"to": "next"})
    assert (answer.status, answer.body["where"]) == (409, "to")
    assert await klarna.jobs() == []
