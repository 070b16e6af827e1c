"""Requests with a `Klarna-Idempotency-Key` (klarna.md §9.4)."""

import asyncio

import pytest

from mock_klarna.client import Client
from mock_klarna.emulator import idempotency
from tests.flows.managed_order import ManagedOrder


async def test_a_repeated_request_gets_the_first_answer_with_its_headers(order: ManagedOrder) -> None:
    first = await order.capture(1000, key="a")
    again = await order.capture(99, key="a", description="another body")
    assert (again.status, again.body) == (first.status, first.body)
    for name in ("Capture-Id", "Location"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["Klarna-Correlation-Id"] != first.headers["Klarna-Correlation-Id"]
    assert (await order.get())["captured_amount"] == 1000


async def test_simultaneous_requests_with_one_key_are_executed_once(order: ManagedOrder) -> None:
    answers = await asyncio.gather(*(order.capture(10, key="a") for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.headers["Capture-Id"] for answer in answers}) == 1
    assert (await order.get())["captured_amount"] == 10


async def test_a_key_is_valid_for_one_path(order: ManagedOrder) -> None:
    for _ in range(2):
        assert (await order.capture(1000, key="a")).status == 201
        assert (await order.refund(400, key="a")).status == 201
    shown = await order.get()
    assert (shown["captured_amount"], shown["refunded_amount"]) == (1000, 400)


async def test_a_key_is_valid_for_every_spelling_of_a_path(order: ManagedOrder) -> None:
    headers = {"Klarna-Idempotency-Key": "a"}
    for order_id in (order.order_id, order.order_id.upper(), order.order_id.title()):
        for slash in ("", "/"):
            path = f"/ordermanagement/v1/orders/{order_id}/captures{slash}"
            assert (await order.klarna.send("POST", path, {"captured_amount": 1000}, headers)).status == 201
    assert (await order.get())["captured_amount"] == 1000


async def test_a_key_is_valid_for_one_merchant(order: ManagedOrder) -> None:
    await order.capture(1000, key="a")
    async with Client(order.klarna.url, "somebody-else") as other:
        headers = {"Klarna-Idempotency-Key": "a"}
        answer = await other.send("POST", f"{order.path}/captures", {"captured_amount": 1}, headers=headers)
    assert answer.status == 404


async def test_errors_are_not_stored(order: ManagedOrder) -> None:
    assert (await order.capture(124_001, key="a")).status == 403
    assert (await order.capture(1, key="a")).status == 201


@pytest.mark.parametrize(("later", "captured"), [("23h", 1000), ("25h", 2000)])
async def test_answers_are_stored_for_a_day(order: ManagedOrder, later: str, captured: int) -> None:
    await order.capture(1000, key="a")
    await order.klarna.advance_clock(later)
    await order.capture(1000, key="a")
    assert (await order.get())["captured_amount"] == captured


async def test_snapshots_contain_the_stored_answers(order: ManagedOrder) -> None:
    await order.capture(1000, key="a")
    await order.klarna.load_snapshot(await order.klarna.snapshot())
    await order.capture(1000, key="a")
    assert (await order.get())["captured_amount"] == 1000


async def test_the_oldest_answers_are_deleted_first(order: ManagedOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "MAX_ANSWERS", 2)
    for key in ("a", "b", "c"):
        await order.capture(1, key=key)
    state = await order.klarna.snapshot()
    assert len(state["merchants"][order.klarna.merchant]["records"]["answer"]) == 2
    for key, captured in (("c", 3), ("a", 4)):
        await order.capture(1, key=key)
        assert (await order.get())["captured_amount"] == captured
