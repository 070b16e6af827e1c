"""Captures, refunds, releases and changed amounts, one after the other as a merchant makes them (protocol 9.1, 9.3)."""

from collections.abc import Awaitable, Callable

import pytest

from mock_klarna.domain.order import klarna_reference
from tests.cases import in_turn
from tests.orders.conftest import Managed, refusal

AMOUNTS = ("status", "captured_amount", "refunded_amount", "remaining_authorized_amount")


async def amounts(order: Managed) -> tuple[object, ...]:
    shown = await order.get()
    return tuple(shown[name] for name in AMOUNTS)


async def test_a_fresh_order_is_authorized_in_full(order: Managed) -> None:
    shown = await order.get()
    assert await amounts(order) == ("AUTHORIZED", 0, 0, 124000)
    assert shown["original_order_amount"] == shown["order_amount"] == 124000
    assert (shown["captures"], shown["refunds"], shown["shipping_info"]) == ([], [], [])
    assert shown["klarna_reference"] == klarna_reference(order.order_id)
    assert "order_tax_amount" not in shown


@pytest.mark.parametrize("name", ["created_at", "expires_at"])
async def test_times_are_in_utc_with_milliseconds_and_a_literal_z(order: Managed, name: str) -> None:
    shown = await order.get()
    assert shown[name][19] == "."
    assert len(shown[name]) == 24
    assert shown[name].endswith("Z")


async def test_a_capture_has_an_absolute_location_and_an_id_of_its_own(order: Managed) -> None:
    answer = await order.capture(1000, description="First parcel", reference="P-1")
    assert (answer.status, answer.body) == (201, None)
    capture_id = answer.headers["Capture-Id"]
    assert answer.headers["Location"] == f"{order.klarna.url}{order.path}/captures/{capture_id}"
    assert {"Capture-Id", "Location"} <= set(answer.headers.keys())
    shown = await order.get(f"/captures/{capture_id}")
    assert (shown["captured_amount"], shown["description"], shown["reference"]) == (1000, "First parcel", "P-1")
    assert shown["klarna_reference"] == f"{klarna_reference(order.order_id)}-1"
    assert await order.get("/captures") == [shown]


async def test_captures_add_up_to_the_whole_and_no_further(order: Managed) -> None:
    for amount, status in ((100_000, 201), (24_001, 403), (24_000, 201), (1, 403)):
        assert (await order.capture(amount)).status == status
    assert await amounts(order) == ("CAPTURED", 124000, 0, 0)


async def test_refunds_use_up_the_oldest_captures_first(order: Managed) -> None:
    for amount in (1000, 2000):
        await order.capture(amount)
    answer = await order.refund(1500, description="Came back")
    shown = await order.get()
    assert [capture["refunded_amount"] for capture in shown["captures"]] == [1000, 500]
    assert shown["refunds"] == [await order.get(f"/refunds/{answer.headers['Refund-Id']}")]
    assert refusal(await order.refund(1501)) == (
        403,
        "REFUND_NOT_ALLOWED",
        "Refund not allowed. 1501 is not an amount from 1 to 1500.",
    )


@in_turn(("part", "member"), [("/captures", "captured_amount"), ("/refunds", "refunded_amount")])
@in_turn("amount", [-1, 200_000_001, 1.5, "1", True])
async def test_an_amount_that_is_none_is_a_bad_value(order: Managed, part: str, member: str, amount: object) -> None:
    answer = await order.send("POST", part, {member: amount})
    assert refusal(answer) == (400, "BAD_VALUE", f"Bad value: {member}")
    assert await amounts(order) == ("AUTHORIZED", 0, 0, 124000)


async def test_every_bad_value_has_its_message(order: Managed) -> None:
    answer = await order.send("POST", "/captures", {"order_lines": [{"name": "A"}]})
    lacking = ("order_lines[0].quantity", "order_lines[0].unit_price", "order_lines[0].total_amount")
    assert {f"Bad value: {path}" for path in (*lacking, "captured_amount")} == set(answer.body["error_messages"])


@pytest.mark.parametrize("what", ["capture", "refund"])
async def test_nothing_is_no_amount(order: Managed, what: str) -> None:
    await order.capture(1)
    assert (await getattr(order, what)(0)).status == 403


async def test_what_was_not_captured_can_be_released_once(order: Managed) -> None:
    tail = "Remaining authorization cannot be released."
    release = "/release-remaining-authorization"
    assert refusal(await order.send("POST", release)) == (403, "NOT_ALLOWED", f"Order has no captures. {tail}")
    await order.capture(1000)
    assert (await order.send("POST", release)).status == 204
    assert await amounts(order) == ("CAPTURED", 1000, 0, 0)
    assert refusal(await order.send("POST", release)) == (403, "NOT_ALLOWED", f"Order is fully captured. {tail}")


async def test_another_amount_replaces_the_lines(order: Managed) -> None:
    await order.capture(1000)
    changed = {"order_amount": 2000, "description": "Less"}
    assert (await order.send("PATCH", "/authorization", changed)).status == 204
    shown = await order.get()
    assert (shown["order_amount"], shown["original_order_amount"], shown["order_lines"]) == (2000, 124000, [])
    assert await amounts(order) == ("PART_CAPTURED", 1000, 0, 1000)
    assert refusal(await order.send("PATCH", "/authorization", {"order_amount": 999}))[:2] == (403, "NOT_ALLOWED")
    assert (await order.send("PATCH", "/authorization", {"order_amount": 1000})).status == 204
    assert await amounts(order) == ("CAPTURED", 1000, 0, 0)


async def test_a_cancelled_order_is_over(order: Managed) -> None:
    assert (await order.send("POST", "/cancel")).status == 204
    assert await amounts(order) == ("CANCELLED", 0, 0, 0)
    assert refusal(await order.capture(1))[:2] == (403, "CAPTURE_NOT_ALLOWED")
    assert refusal(await order.send("POST", "/cancel")) == (
        403,
        "CANCEL_NOT_ALLOWED",
        "Order is cancelled. Cancel not possible",
    )


async def test_an_order_with_captures_is_not_cancelled(order: Managed) -> None:
    await order.capture(1)
    said = (403, "CANCEL_NOT_ALLOWED", "Order has previous captures. Cancel not possible")
    assert refusal(await order.send("POST", "/cancel")) == said


@pytest.mark.parametrize(("captured", "status"), [(0, "EXPIRED"), (1000, "CLOSED")])
async def test_after_28_days_nothing_remains(order: Managed, captured: int, status: str) -> None:
    if captured:
        await order.capture(captured)
    await order.klarna.advance_clock("28d")
    assert await amounts(order) == (status, captured, 0, 0)
    assert (await order.capture(1)).status == 403
    assert (await order.refund(1)).status == (201 if captured else 403)


async def test_an_authorization_is_extended_by_28_days_and_at_most_180_in_all(order: Managed) -> None:
    for _ in range(9):
        await order.klarna.advance_clock("20d")
        answer = await order.send("POST", "/extend-authorization-time")
    assert refusal(answer) == (403, "NOT_ALLOWED", "Order is expired. Authorization time cannot be extended.")
    assert (await order.get())["status"] == "EXPIRED"


async def test_the_sandbox_can_close_an_order_and_refunds_go_on(order: Managed) -> None:
    await order.capture(1000)
    await order.klarna.send("POST", f"/_mock/orders/{order.order_id}/close")
    assert await amounts(order) == ("CLOSED", 1000, 0, 0)
    assert (await order.refund(1000)).status == 201


async def test_money_of_a_pending_order_is_not_touched(place: Callable[..., Awaitable[Managed]]) -> None:
    order = await place("PENDING")
    assert refusal(await order.capture(1))[:2] == (403, "CAPTURE_NOT_ALLOWED")
    assert refusal(await order.send("PATCH", "/authorization", {"order_amount": 1}))[:2] == (403, "NOT_ALLOWED")
    assert (await order.send("POST", "/cancel")).status == 204
