"""References, addresses, shipping info, due dates and acknowledging (protocol 9.1), and who may do it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mock_klarna.client import Client
from tests.cases import in_turn
from tests.orders.conftest import NOBODYS, Managed, refusal

INFO = {"shipping_company": "DHL", "shipping_method": "Home", "tracking_number": "1"}
COMMANDS = [
    ("GET", "", None),
    ("POST", "/acknowledge", None),
    ("PATCH", "/authorization", {"order_amount": 1}),
    ("POST", "/captures", {"captured_amount": 1}),
    ("GET", "/captures", None),
    ("POST", "/refunds", {"refunded_amount": 1}),
    ("POST", "/cancel", None),
    ("POST", "/release-remaining-authorization", None),
    ("POST", "/extend-authorization-time", None),
    ("PATCH", "/merchant-references", {"merchant_reference1": "1"}),
    ("PATCH", "/customer-details", {"shipping_address": {"city": "A"}}),
    ("POST", "/shipping-info", {"shipping_info": [INFO]}),
]
every_command = in_turn(("method", "part", "body"), COMMANDS)


@every_command
async def test_an_order_id_that_is_none_is_said_to_be_none(order: Managed, method: str, part: str, body: Any) -> None:
    answer = await order.klarna.send(method, f"/ordermanagement/v1/orders/5e0c8f33{part}", body)
    assert refusal(answer) == (400, "INVALID_ORDER_ID", "Order ID must be a valid UUID.")


@every_command
async def test_an_order_that_does_not_exist_cannot_be_found(order: Managed, method: str, part: str, body: Any) -> None:
    answer = await order.klarna.send(method, f"/ordermanagement/v1/orders/{NOBODYS}{part}", body)
    status, code, message = refusal(answer)
    assert (status, code) == (404, "NO_SUCH_ORDER")
    assert message.startswith(f"Order {NOBODYS} cannot be found.")


@every_command
async def test_another_merchants_order_does_not_exist(order: Managed, method: str, part: str, body: Any) -> None:
    async with Client(order.klarna.url, "somebody-else") as other:
        answer = await other.send(method, order.path + part, body)
    assert refusal(answer)[:2] == (404, "NO_SUCH_ORDER")


@every_command
async def test_nobody_gets_a_401_in_the_shape_of_the_api(order: Managed, method: str, part: str, body: Any) -> None:
    answer = await order.klarna.send(method, order.path + part, body, {"Authorization": ""})
    assert refusal(answer)[:2] == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(("method", "part"), [("DELETE", ""), ("PUT", "/captures"), ("GET", "/cancel")])
async def test_a_wrong_verb_names_the_right_one(order: Managed, method: str, part: str) -> None:
    answer = await order.send(method, part)
    assert refusal(answer)[:2] == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"]


async def test_references_are_changed_cleared_and_left(order: Managed) -> None:
    await order.send("PATCH", "/merchant-references", {"merchant_reference1": "A", "merchant_reference2": "B"})
    await order.send("PATCH", "/merchant-references", {"merchant_reference2": ""})
    shown = await order.get()
    assert shown["merchant_reference1"] == "A"
    assert "merchant_reference2" not in shown


async def test_a_cancelled_order_keeps_its_references(order: Managed) -> None:
    await order.send("POST", "/cancel")
    answer = await order.send("PATCH", "/merchant-references", {"merchant_reference1": "A"})
    assert refusal(answer) == (403, "NOT_ALLOWED", "Order is cancelled. Merchant references cannot be updated.")


async def test_members_of_the_shipping_address_are_changed_one_by_one(order: Managed) -> None:
    before = (await order.get())["shipping_address"]
    await order.send("PATCH", "/customer-details", {"shipping_address": {"city": "Lund"}})
    shown = await order.get()
    assert shown["shipping_address"] == {**before, "city": "Lund"}
    assert shown["billing_address"] == before


async def test_a_billing_address_stays(order: Managed) -> None:
    answer = await order.send("PATCH", "/customer-details", {"billing_address": {"city": "Lund"}})
    assert refusal(answer)[2].startswith("Billing address cannot be updated for user account order.")


async def test_shipping_info_adds_up_on_order_and_capture(order: Managed) -> None:
    capture_id = (await order.capture(1000)).headers["Capture-Id"]
    for part in ("/shipping-info", f"/captures/{capture_id}/shipping-info"):
        for _ in range(2):
            assert (await order.send("POST", part, {"shipping_info": [INFO]})).status == 204
    shown = await order.get()
    assert shown["shipping_info"] == shown["captures"][0]["shipping_info"] == [INFO, INFO]


@pytest.mark.parametrize("method", ["Rocket", "box-reg"])
async def test_a_way_of_shipping_that_nobody_knows_is_a_bad_value(order: Managed, method: str) -> None:
    answer = await order.send("POST", "/shipping-info", {"shipping_info": [{"shipping_method": method}]})
    assert refusal(answer)[2] == "Bad value: shipping_info[0].shipping_method"


async def test_an_invoice_is_sent_again_and_its_due_date_moved(order: Managed) -> None:
    here = f"/captures/{(await order.capture(1000)).headers['Capture-Id']}"
    assert (await order.send("POST", f"{here}/trigger-send-out")).status == 204
    options = await order.get(f"{here}/extend-due-date-options")
    assert options["currency"] == "SEK"
    days = options["options"][0]["number_of_days"]
    assert (await order.send("PATCH", f"{here}/extend-due-date", {"number_of_days": days})).status == 204
    assert refusal(await order.send("PATCH", f"{here}/extend-due-date", {"number_of_days": 1}))[0] == 403
    changes = await order.klarna.journal(kind="event", name="capture_updated")
    assert [change["changed"] for change in changes] == ["send_out", "due_date"]


@pytest.mark.parametrize("part", ["", "/extend-due-date-options"])
async def test_a_capture_that_is_none_cannot_be_found(order: Managed, part: str) -> None:
    assert refusal(await order.send("GET", f"/captures/{NOBODYS}{part}"))[:2] == (404, "NO_SUCH_CAPTURE")


async def test_a_refund_that_is_none_cannot_be_found(order: Managed) -> None:
    assert refusal(await order.send("GET", f"/refunds/{NOBODYS}"))[:2] == (404, "NOT_FOUND")


async def test_an_order_without_captures_has_nothing_to_send_out(order: Managed) -> None:
    for part, body in (("trigger-send-out", None), ("shipping-info", {"shipping_info": [INFO]})):
        answer = await order.send("POST", f"/captures/{NOBODYS}/{part}", body)
        assert refusal(answer) == (403, "NOT_ALLOWED", "Order has no captures.")


@pytest.mark.parametrize("known_by", ["acknowledge", "capture"])
async def test_pushes_end_when_the_merchant_knows_the_order(order: Managed, known_by: str) -> None:
    await order.klarna.advance_clock("16m")
    for _ in range(2):
        answer = await (order.send("POST", "/acknowledge") if known_by == "acknowledge" else order.capture(1))
        assert answer.status in (201, 204)
    await order.klarna.advance_clock("2d")
    (push,) = [callback for callback in await order.klarna.callbacks() if callback["kind"] == "push"]
    assert (push["state"], len(push["attempts"])) == ("failed", 2)
    assert (await order.klarna.order(order.order_id))["acknowledged"]


@pytest.mark.parametrize(("verdict", "shown"), [("REJECTED", "REJECTED"), ("STOPPED", "REJECTED")])
async def test_a_review_that_ends_badly_shows(
    place: Callable[..., Awaitable[Managed]], verdict: str, shown: str
) -> None:
    order = await place("PENDING")
    await order.klarna.decide(order.order_id, verdict)
    assert (await order.get())["fraud_status"] == shown
    assert (await order.capture(1)).status == (201 if verdict == "REJECTED" else 403)


@pytest.mark.parametrize(("captured", "status"), [(0, "CANCELLED"), (1, "PART_CAPTURED")])
async def test_a_rejected_order_is_cancelled_four_hours_later_unless_captured(
    place: Callable[..., Awaitable[Managed]], captured: int, status: str
) -> None:
    order = await place({"fraud_status": "PENDING", "then": "REJECTED", "after": "1h"})
    await order.klarna.advance_clock("2h")
    if captured:
        await order.capture(captured)
    await order.klarna.advance_clock("3h")
    assert (await order.get())["status"] == status


async def test_an_order_that_was_refused_at_once_is_cancelled(place: Callable[..., Awaitable[Managed]]) -> None:
    order = await place("REJECTED")
    shown = await order.get()
    assert (shown["status"], shown["fraud_status"]) == ("CANCELLED", "REJECTED")


async def test_a_cancelled_order_is_not_decided_any_more(place: Callable[..., Awaitable[Managed]]) -> None:
    order = await place({"fraud_status": "PENDING", "then": "ACCEPTED", "after": "1h"})
    await order.send("POST", "/cancel")
    await order.klarna.advance_clock("1d")
    assert (await order.get())["fraud_status"] == "PENDING"
    decided = await order.klarna.send("POST", f"/_mock/orders/{order.order_id}/decision", {"fraud_status": "ACCEPTED"})
    assert decided.status == 409


async def test_clocks_that_are_moved_at_the_same_time_add_up(order: Managed) -> None:
    await asyncio.gather(*(order.klarna.advance_clock("1h") for _ in range(5)))
    assert (await order.klarna.clock())["ahead_seconds"] == pytest.approx(5 * 3600)
