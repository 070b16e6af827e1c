"""Merchant references, addresses, shipping info, due dates and acknowledgement of an order (klarna.md §9.1), and access to it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Client
from mock_klarna.settings import Settings
from tests.flows.managed_order import UNKNOWN_ID, ManagedOrder, error_of

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
    ("PATCH", f"/captures/{UNKNOWN_ID}/customer-details", {"shipping_address": {"city": "A"}}),
    ("POST", "/shipping-info", {"shipping_info": [INFO]}),
]


async def test_an_order_id_that_is_not_a_uuid_is_refused(order: ManagedOrder) -> None:
    for method, part, body in COMMANDS:
        answer = await order.klarna.send(method, f"/ordermanagement/v1/orders/5e0c8f33{part}", body)
        expected = (400, "INVALID_ORDER_ID", "Order ID must be a valid UUID.")
        assert error_of(answer) == expected, (method, part)


async def test_an_unknown_order_id_is_not_found(order: ManagedOrder) -> None:
    for method, part, body in COMMANDS:
        answer = await order.klarna.send(method, f"/ordermanagement/v1/orders/{UNKNOWN_ID}{part}", body)
        status, code, message = error_of(answer)
        assert (status, code) == (404, "NO_SUCH_ORDER"), (method, part)
        assert message.startswith(f"Order {UNKNOWN_ID} cannot be found."), (method, part)


async def test_the_order_of_another_merchant_is_not_found(order: ManagedOrder) -> None:
    before = await order.get()
    async with Client(order.klarna.url, "somebody-else") as other:
        for method, part, body in COMMANDS:
            answer = await other.send(method, order.path + part, body)
            assert error_of(answer)[:2] == (404, "NO_SUCH_ORDER"), (method, part)
    assert await order.get() == before


async def test_a_request_without_credentials_gets_401(order: ManagedOrder) -> None:
    before = await order.get()
    for method, part, body in COMMANDS:
        answer = await order.klarna.send(method, order.path + part, body, {"Authorization": ""})
        assert error_of(answer)[:2] == (401, "UNAUTHORIZED"), (method, part)
    assert await order.get() == before


@pytest.mark.parametrize(("method", "part"), [("DELETE", ""), ("PUT", "/captures"), ("GET", "/cancel")])
async def test_a_wrong_method_gets_405_with_the_allowed_methods(order: ManagedOrder, method: str, part: str) -> None:
    answer = await order.send(method, part)
    assert error_of(answer)[:2] == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"]


async def test_merchant_references_can_be_changed_and_cleared_one_by_one(order: ManagedOrder) -> None:
    await order.send("PATCH", "/merchant-references", {"merchant_reference1": "A", "merchant_reference2": "B"})
    await order.send("PATCH", "/merchant-references", {"merchant_reference2": ""})
    shown = await order.get()
    assert shown["merchant_reference1"] == "A"
    assert shown["merchant_reference2"] is None


async def test_the_references_of_a_cancelled_order_cannot_be_changed(order: ManagedOrder) -> None:
    await order.send("POST", "/cancel")
    answer = await order.send("PATCH", "/merchant-references", {"merchant_reference1": "A"})
    assert error_of(answer) == (403, "NOT_ALLOWED", "Order is cancelled. Merchant references cannot be updated.")


async def test_single_members_of_the_shipping_address_can_be_changed(order: ManagedOrder) -> None:
    before = (await order.get())["shipping_address"]
    await order.send("PATCH", "/customer-details", {"shipping_address": {"city": "Elsewhere"}})
    shown = await order.get()
    assert shown["shipping_address"] == {**before, "city": "Elsewhere"}
    assert shown["billing_address"] == before


async def test_the_billing_address_cannot_be_changed(order: ManagedOrder) -> None:
    answer = await order.send("PATCH", "/customer-details", {"billing_address": {"city": "Elsewhere"}})
    assert error_of(answer)[2].startswith("Billing address cannot be updated for user account order.")


async def changes(order: ManagedOrder) -> list[str]:
    entries = await order.klarna.journal(kind="event")
    return [entry["changed"] for entry in entries if entry["name"] in ("order_details_updated", "capture_updated")]


@pytest.mark.parametrize("more", [{}, {"street_address2": ""}, {"attention": None}])
async def test_the_billing_address_may_be_sent_as_it_is(order: ManagedOrder, more: dict[str, Any]) -> None:
    """klarna.md §9.1: clients of 2019 to 2022 sent both addresses."""
    before = await order.get()
    body = {name: before[name] | more for name in ("billing_address", "shipping_address")}
    assert (await order.send("PATCH", "/customer-details", body)).status == 204
    assert await order.get() == before
    assert await changes(order) == []


async def test_the_shipping_address_changes_beside_a_billing_address_that_does_not(order: ManagedOrder) -> None:
    before = await order.get()
    body = {"billing_address": before["billing_address"], "shipping_address": {"city": "Elsewhere"}}
    assert (await order.send("PATCH", "/customer-details", body)).status == 204
    assert (await order.get())["shipping_address"]["city"] == "Elsewhere"
    assert await changes(order) == ["shipping_address"]


async def test_members_that_no_address_has_are_ignored(order: ManagedOrder) -> None:
    before = await order.get()
    capture = f"/captures/{(await order.capture(1000)).headers['Capture-Id']}"
    body = {"shipping_address": {"house_extension": "B"}, "billing_address": {"house_extension": "B"}}
    for path in ("/customer-details", f"{capture}/customer-details"):
        assert (await order.send("PATCH", path, body)).status == 204
        shown = await order.get()
        assert shown["shipping_address"] == shown["captures"][0]["shipping_address"] == before["shipping_address"]
        assert shown["billing_address"] == before["billing_address"]
    assert await changes(order) == []


async def test_a_cancelled_order_takes_no_customer_details_even_unchanged(order: ManagedOrder) -> None:
    body = {"shipping_address": (await order.get())["shipping_address"]}
    await order.send("POST", "/cancel")
    assert error_of(await order.send("PATCH", "/customer-details", body))[:2] == (403, "NOT_ALLOWED")


async def test_the_customer_details_of_a_capture_can_be_changed(order: ManagedOrder) -> None:
    before = await order.get()
    path = f"/captures/{(await order.capture(1000)).headers['Capture-Id']}/customer-details"
    body = {"billing_address": before["billing_address"], "shipping_address": {"city": "Elsewhere"}}
    assert (await order.send("PATCH", path, body)).status == 204
    assert (await order.send("PATCH", path, body)).status == 204
    shown = await order.get()
    assert shown["captures"][0]["shipping_address"] == {**before["shipping_address"], "city": "Elsewhere"}
    assert shown["shipping_address"] == before["shipping_address"]
    assert await changes(order) == ["shipping_address"]
    assert error_of(await order.send("PATCH", path, {"billing_address": {"city": "Elsewhere"}}))[0] == 403


async def test_the_customer_details_of_a_capture_that_does_not_exist_cannot_be_changed(order: ManagedOrder) -> None:
    path, body = f"/captures/{UNKNOWN_ID}/customer-details", {"shipping_address": {"city": "Elsewhere"}}
    assert error_of(await order.send("PATCH", path, body))[:2] == (403, "NOT_ALLOWED")
    await order.capture(1000)
    assert error_of(await order.send("PATCH", path, body))[:2] == (404, "NO_SUCH_CAPTURE")


class TestBillingAddressChanges:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, billing_address_change="accept")

    async def test_another_billing_address_replaces_members_of_the_stored_one(self, order: ManagedOrder) -> None:
        before = await order.get()
        capture_id = (await order.capture(1000)).headers["Capture-Id"]
        body = {"billing_address": {"city": "Elsewhere"}}
        assert (await order.send("PATCH", "/customer-details", body)).status == 204
        path = f"/captures/{capture_id}/customer-details"
        assert (await order.send("PATCH", path, {"billing_address": {"city": "Nowhere"}})).status == 204
        shown = await order.get()
        assert shown["billing_address"] == {**before["billing_address"], "city": "Elsewhere"}
        assert shown["shipping_address"] == before["shipping_address"]
        assert shown["captures"][0]["billing_address"]["city"] == "Nowhere"
        assert await changes(order) == ["billing_address", "billing_address"]


async def test_what_clients_read_unchecked_is_always_there(order: ManagedOrder) -> None:
    """klarna.md §9.2: null where there is no value."""
    line = {"name": "Part", "quantity": 1, "unit_price": 1000, "total_amount": 1000}
    await order.capture(1000, order_lines=[line])
    await order.refund(500, order_lines=[line | {"type": "return_fee", "reference": "R"}])
    shown = await order.get()
    assert (shown["merchant_reference1"], shown["merchant_reference2"]) == (None, None)
    (capture,), (refund,) = shown["captures"], shown["refunds"]
    assert (capture["reference"], refund["reference"]) == (None, None)
    assert capture["order_lines"] == [{"type": "physical", "reference": None, **line}]
    assert [(entry["type"], entry["reference"]) for entry in refund["order_lines"]] == [("return_fee", "R")]
    goods, shipping = shown["order_lines"]
    assert {"type", "reference"} <= goods.keys()
    assert (shipping["type"], "product_attributes" in shipping) == ("shipping_fee", False)


@pytest.mark.parametrize("ends", ["ACCEPTED", "REJECTED", "STOPPED"])
async def test_an_order_repeated_after_its_review_gets_its_first_answer_again(
    klarna: MockKlarnaAsync, place_order: Callable[..., Awaitable[ManagedOrder]], ends: str
) -> None:
    """klarna.md §2: the same body gets the same answer."""
    order = await place_order("PENDING")
    await klarna.decide(order.order_id, ends)
    purchase = (await klarna.purchases())[0]
    again = await klarna.create_order(purchase["authorization_token"], purchase["order"])
    assert again == {"order_id": order.order_id, "fraud_status": "PENDING"}


async def test_shipping_info_is_appended_to_order_and_capture(order: ManagedOrder) -> None:
    capture_id = (await order.capture(1000)).headers["Capture-Id"]
    for part in ("/shipping-info", f"/captures/{capture_id}/shipping-info"):
        for _ in range(2):
            assert (await order.send("POST", part, {"shipping_info": [INFO]})).status == 204
    shown = await order.get()
    assert shown["shipping_info"] == shown["captures"][0]["shipping_info"] == [INFO, INFO]


@pytest.mark.parametrize("method", ["Rocket", "box-reg"])
async def test_an_unknown_shipping_method_is_a_bad_value(order: ManagedOrder, method: str) -> None:
    answer = await order.send("POST", "/shipping-info", {"shipping_info": [{"shipping_method": method}]})
    assert error_of(answer)[2] == "Bad value: shipping_info[0].shipping_method"


async def test_an_invoice_can_be_sent_again_and_its_due_date_extended_once(order: ManagedOrder) -> None:
    capture = f"/captures/{(await order.capture(1000)).headers['Capture-Id']}"
    assert (await order.send("POST", f"{capture}/trigger-send-out")).status == 204
    options = await order.get(f"{capture}/extend-due-date-options")
    assert options["currency"] == "SEK"
    days = options["options"][0]["number_of_days"]
    assert (await order.send("PATCH", f"{capture}/extend-due-date", {"number_of_days": days})).status == 204
    assert error_of(await order.send("PATCH", f"{capture}/extend-due-date", {"number_of_days": 1}))[0] == 403
    changes = await order.klarna.journal(kind="event", name="capture_updated")
    assert [change["changed"] for change in changes] == ["send_out", "due_date"]


@pytest.mark.parametrize("part", ["", "/extend-due-date-options"])
async def test_an_unknown_capture_is_not_found(order: ManagedOrder, part: str) -> None:
    assert error_of(await order.send("GET", f"/captures/{UNKNOWN_ID}{part}"))[:2] == (404, "NO_SUCH_CAPTURE")


async def test_an_unknown_refund_is_not_found(order: ManagedOrder) -> None:
    assert error_of(await order.send("GET", f"/refunds/{UNKNOWN_ID}"))[:2] == (404, "NOT_FOUND")


async def test_capture_commands_of_an_order_without_captures_are_not_allowed(order: ManagedOrder) -> None:
    for part, body in (("trigger-send-out", None), ("shipping-info", {"shipping_info": [INFO]})):
        answer = await order.send("POST", f"/captures/{UNKNOWN_ID}/{part}", body)
        assert error_of(answer) == (403, "NOT_ALLOWED", "Order has no captures.")


@pytest.mark.parametrize("command", ["acknowledge", "capture"])
async def test_pushes_end_with_an_acknowledgement_or_a_capture(order: ManagedOrder, command: str) -> None:
    await order.klarna.advance_clock("16m")
    for _ in range(2):
        answer = await (order.send("POST", "/acknowledge") if command == "acknowledge" else order.capture(1))
        assert answer.status in (201, 204)
    await order.klarna.advance_clock("2d")
    (push,) = [callback for callback in await order.klarna.callbacks() if callback["kind"] == "push"]
    assert (push["state"], len(push["attempts"])) == ("failed", 2)
    assert (await order.klarna.find_order(order.order_id))["acknowledged"]


@pytest.mark.parametrize(("decision", "capture_status"), [("REJECTED", 201), ("STOPPED", 403)])
async def test_a_rejected_or_stopped_order_is_shown_as_rejected(
    place_order: Callable[..., Awaitable[ManagedOrder]], decision: str, capture_status: int
) -> None:
    order = await place_order("PENDING")
    await order.klarna.decide(order.order_id, decision)
    assert (await order.get())["fraud_status"] == "REJECTED"
    assert (await order.capture(1)).status == capture_status


@pytest.mark.parametrize(("captured", "status"), [(0, "CANCELLED"), (1, "PART_CAPTURED")])
async def test_an_order_that_is_rejected_after_review_is_cancelled_four_hours_later_unless_captured(
    place_order: Callable[..., Awaitable[ManagedOrder]], captured: int, status: str
) -> None:
    order = await place_order({"fraud_status": "PENDING", "then": "REJECTED", "after": "1h"})
    await order.klarna.advance_clock("2h")
    if captured:
        await order.capture(captured)
    await order.klarna.advance_clock("3h")
    assert (await order.get())["status"] == status


async def test_an_order_that_is_rejected_at_once_is_cancelled(
    place_order: Callable[..., Awaitable[ManagedOrder]],
) -> None:
    order = await place_order("REJECTED")
    shown = await order.get()
    assert (shown["status"], shown["fraud_status"]) == ("CANCELLED", "REJECTED")


async def test_a_cancelled_order_cannot_be_decided(place_order: Callable[..., Awaitable[ManagedOrder]]) -> None:
    order = await place_order({"fraud_status": "PENDING", "then": "ACCEPTED", "after": "1h"})
    await order.send("POST", "/cancel")
    await order.klarna.advance_clock("1d")
    assert (await order.get())["fraud_status"] == "PENDING"
    decided = await order.klarna.send("POST", f"/_mock/orders/{order.order_id}/decision", {"fraud_status": "ACCEPTED"})
    assert decided.status == 409


async def test_simultaneous_clock_advances_add_up(order: ManagedOrder) -> None:
    await asyncio.gather(*(order.klarna.advance_clock("1h") for _ in range(5)))
    assert (await order.klarna.clock())["ahead_seconds"] == pytest.approx(5 * 3600)
