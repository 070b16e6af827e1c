"""Requests with a `Klarna-Idempotency-Key` (klarna.md §9.4)."""

import asyncio
from typing import Any

import pytest

from mock_klarna.client import Client
from mock_klarna.domain.records import Decision
from mock_klarna.emulator import idempotency
from mock_klarna.emulator.context import Context
from mock_klarna.errors import StoreFailure
from mock_klarna.web.klarna_table import ORDER_MANAGEMENT
from tests.flows.managed_order import ManagedOrder

SHIPPING_INFO = {"shipping_info": [{"shipping_company": "DHL", "tracking_number": "1"}]}
CUSTOMER_DETAILS = {"shipping_address": {"given_name": "Jane"}}


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


async def test_a_command_whose_answer_was_lost_after_its_commit_is_not_executed_again(
    order: ManagedOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Context.commit

    async def lost(self: Context, merchant: str, decision: Decision, now: float) -> int:
        await commit(self, merchant, decision, now)
        raise StoreFailure("the database cannot be reached")

    with monkeypatch.context() as failing:
        failing.setattr(Context, "commit", lost)
        assert (await order.capture(1000, key="a")).status == 503
    again = await order.capture(1000, key="a")
    assert again.status == 201
    (capture,) = await order.get("/captures")
    assert (capture["capture_id"], capture["captured_amount"]) == (again.headers["Capture-Id"], 1000)


COMMANDS: dict[str, tuple[str, str, Any]] = {
    "acknowledge_order": ("POST", "/acknowledge", None),
    "update_order_authorization": ("PATCH", "/authorization", {"order_amount": 120_000}),
    "capture_order": ("POST", "/captures", {"captured_amount": 1000}),
    "add_capture_shipping_info": ("POST", "/captures/{capture_id}/shipping-info", SHIPPING_INFO),
    "update_capture_customer_details": ("PATCH", "/captures/{capture_id}/customer-details", CUSTOMER_DETAILS),
    "trigger_send_out": ("POST", "/captures/{capture_id}/trigger-send-out", None),
    "extend_due_date": ("PATCH", "/captures/{capture_id}/extend-due-date", {"number_of_days": 14}),
    "update_customer_details": ("PATCH", "/customer-details", CUSTOMER_DETAILS),
    "extend_authorization_time": ("POST", "/extend-authorization-time", None),
    "update_merchant_references": ("PATCH", "/merchant-references", {"merchant_reference1": "x"}),
    "refund_order": ("POST", "/refunds", {"refunded_amount": 400}),
    "release_remaining_authorization": ("POST", "/release-remaining-authorization", None),
    "add_shipping_info": ("POST", "/shipping-info", SHIPPING_INFO),
    "cancel_order": ("POST", "/cancel", None),
}
"""The commands of Order Management, which take a key."""


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_command_is_executed_once(order: ManagedOrder, name: str) -> None:
    method, part, body = COMMANDS[name]
    if name != "cancel_order":
        captured = await order.capture(1000)
        part = part.format(capture_id=captured.headers["Capture-Id"])
    first = await order.send(method, part, body, key="a")
    done = await order.get()
    again = await order.send(method, part, body, key="a")
    assert (first.status, again.status) == ((201, 201) if part in ("/captures", "/refunds") else (204, 204))
    assert await order.get() == done
    state = await order.klarna.snapshot()
    assert len(state["merchants"][order.klarna.merchant]["records"]["answer"]) == 1


def test_every_command_takes_a_key() -> None:
    assert {operation.name for operation in ORDER_MANAGEMENT if operation.is_idempotent} == COMMANDS.keys()


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
