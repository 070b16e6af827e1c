"""Captures, refunds, releases and changed amounts, one after the other (klarna.md §9.1, §9.3)."""

from collections.abc import Awaitable, Callable

import pytest

from mock_klarna.domain.order import klarna_reference
from tests.flows.managed_order import ManagedOrder, error_of

AMOUNT_MEMBERS = ("status", "captured_amount", "refunded_amount", "remaining_authorized_amount")


async def amounts(order: ManagedOrder) -> tuple[object, ...]:
    shown = await order.get()
    return tuple(shown[name] for name in AMOUNT_MEMBERS)


async def test_a_new_order_is_authorized_in_full(order: ManagedOrder) -> None:
    shown = await order.get()
    assert await amounts(order) == ("AUTHORIZED", 0, 0, 124000)
    assert shown["original_order_amount"] == shown["order_amount"] == 124000
    assert (shown["captures"], shown["refunds"], shown["shipping_info"]) == ([], [], [])
    assert shown["klarna_reference"] == klarna_reference(order.order_id)
    assert "order_tax_amount" not in shown


@pytest.mark.parametrize("name", ["created_at", "expires_at"])
async def test_times_are_in_utc_with_milliseconds_and_end_with_z(order: ManagedOrder, name: str) -> None:
    shown = await order.get()
    assert shown[name][19] == "."
    assert len(shown[name]) == 24
    assert shown[name].endswith("Z")


async def test_a_capture_is_answered_with_its_id_and_an_absolute_location(order: ManagedOrder) -> None:
    answer = await order.capture(1000, description="First parcel", reference="P-1")
    assert (answer.status, answer.body) == (201, None)
    capture_id = answer.headers["Capture-Id"]
    assert answer.headers["Location"] == f"{order.klarna.url}{order.path}/captures/{capture_id}"
    assert {"Capture-Id", "Location"} <= set(answer.headers.keys())
    shown = await order.get(f"/captures/{capture_id}")
    assert (shown["captured_amount"], shown["description"], shown["reference"]) == (1000, "First parcel", "P-1")
    assert shown["klarna_reference"] == f"{klarna_reference(order.order_id)}-1"
    assert await order.get("/captures") == [shown]


async def test_captures_cannot_exceed_the_authorized_amount(order: ManagedOrder) -> None:
    for amount, status in ((100_000, 201), (24_001, 403), (24_000, 201), (1, 403)):
        assert (await order.capture(amount)).status == status
    assert await amounts(order) == ("CAPTURED", 124000, 0, 0)


async def test_refunds_are_taken_from_the_oldest_captures_first(order: ManagedOrder) -> None:
    for amount in (1000, 2000):
        await order.capture(amount)
    answer = await order.refund(1500, description="Came back")
    shown = await order.get()
    assert [capture["refunded_amount"] for capture in shown["captures"]] == [1000, 500]
    assert shown["refunds"] == [await order.get(f"/refunds/{answer.headers['Refund-Id']}")]
    assert error_of(await order.refund(1501)) == (
        403,
        "REFUND_NOT_ALLOWED",
        "Refund not allowed. 1501 is not an amount from 1 to 1500.",
    )


@pytest.mark.parametrize(("part", "member"), [("/captures", "captured_amount"), ("/refunds", "refunded_amount")])
@pytest.mark.parametrize("amount", [-1, 200_000_001, 1.5, "1", True])
async def test_an_invalid_amount_is_a_bad_value(order: ManagedOrder, part: str, member: str, amount: object) -> None:
    answer = await order.send("POST", part, {member: amount})
    assert error_of(answer) == (400, "BAD_VALUE", f"Bad value: {member}")
    assert await amounts(order) == ("AUTHORIZED", 0, 0, 124000)


async def test_every_bad_value_has_a_message_of_its_own(order: ManagedOrder) -> None:
    answer = await order.send("POST", "/captures", {"order_lines": [{"name": "A"}]})
    lacking = ("order_lines[0].quantity", "order_lines[0].unit_price", "order_lines[0].total_amount")
    assert {f"Bad value: {path}" for path in (*lacking, "captured_amount")} == set(answer.body["error_messages"])


@pytest.mark.parametrize("command", ["capture", "refund"])
async def test_an_amount_of_zero_is_not_allowed(order: ManagedOrder, command: str) -> None:
    await order.capture(1)
    assert (await getattr(order, command)(0)).status == 403


async def test_the_remaining_authorization_can_be_released_once(order: ManagedOrder) -> None:
    reason = "Remaining authorization cannot be released."
    release = "/release-remaining-authorization"
    assert error_of(await order.send("POST", release)) == (403, "NOT_ALLOWED", f"Order has no captures. {reason}")
    await order.capture(1000)
    assert (await order.send("POST", release)).status == 204
    assert await amounts(order) == ("CAPTURED", 1000, 0, 0)
    assert error_of(await order.send("POST", release)) == (403, "NOT_ALLOWED", f"Order is fully captured. {reason}")


async def test_a_changed_amount_replaces_the_order_lines(order: ManagedOrder) -> None:
    await order.capture(1000)
    change = {"order_amount": 2000, "description": "Less"}
    assert (await order.send("PATCH", "/authorization", change)).status == 204
    shown = await order.get()
    assert (shown["order_amount"], shown["original_order_amount"], shown["order_lines"]) == (2000, 124000, [])
    assert await amounts(order) == ("PART_CAPTURED", 1000, 0, 1000)
    assert error_of(await order.send("PATCH", "/authorization", {"order_amount": 999}))[:2] == (403, "NOT_ALLOWED")
    assert (await order.send("PATCH", "/authorization", {"order_amount": 1000})).status == 204
    assert await amounts(order) == ("CAPTURED", 1000, 0, 0)


async def test_a_cancelled_order_can_be_neither_captured_nor_cancelled(order: ManagedOrder) -> None:
    assert (await order.send("POST", "/cancel")).status == 204
    assert await amounts(order) == ("CANCELLED", 0, 0, 0)
    assert error_of(await order.capture(1))[:2] == (403, "CAPTURE_NOT_ALLOWED")
    assert error_of(await order.send("POST", "/cancel")) == (
        403,
        "CANCEL_NOT_ALLOWED",
        "Order is cancelled. Cancel not possible",
    )


async def test_an_order_with_captures_cannot_be_cancelled(order: ManagedOrder) -> None:
    await order.capture(1)
    expected = (403, "CANCEL_NOT_ALLOWED", "Order has previous captures. Cancel not possible")
    assert error_of(await order.send("POST", "/cancel")) == expected


@pytest.mark.parametrize(("captured", "status"), [(0, "EXPIRED"), (1000, "CLOSED")])
async def test_after_28_days_only_refunds_are_possible(order: ManagedOrder, captured: int, status: str) -> None:
    if captured:
        await order.capture(captured)
    await order.klarna.advance_clock("28d")
    assert await amounts(order) == (status, captured, 0, 0)
    assert (await order.capture(1)).status == 403
    assert (await order.refund(1)).status == (201 if captured else 403)


async def test_an_authorization_can_be_extended_by_28_days_up_to_180_days(order: ManagedOrder) -> None:
    for _ in range(9):
        await order.klarna.advance_clock("20d")
        answer = await order.send("POST", "/extend-authorization-time")
    assert error_of(answer) == (403, "NOT_ALLOWED", "Order is expired. Authorization time cannot be extended.")
    assert (await order.get())["status"] == "EXPIRED"


async def test_a_closed_order_can_still_be_refunded(order: ManagedOrder) -> None:
    await order.capture(1000)
    await order.klarna.send("POST", f"/_mock/orders/{order.order_id}/close")
    assert await amounts(order) == ("CLOSED", 1000, 0, 0)
    assert (await order.refund(1000)).status == 201


async def test_a_pending_order_can_be_cancelled_but_neither_captured_nor_changed(
    place_order: Callable[..., Awaitable[ManagedOrder]],
) -> None:
    order = await place_order("PENDING")
    assert error_of(await order.capture(1))[:2] == (403, "CAPTURE_NOT_ALLOWED")
    assert error_of(await order.send("PATCH", "/authorization", {"order_amount": 1}))[:2] == (403, "NOT_ALLOWED")
    assert (await order.send("POST", "/cancel")).status == 204
