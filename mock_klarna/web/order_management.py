"""The Order Management API (protocol 9.1): read the checked body, one command, render."""

import re
from typing import Any

import orjson

from mock_klarna.domain.captures import DUE_DATE_OPTIONS
from mock_klarna.domain.records import Order
from mock_klarna.errors import InvalidOrderId
from mock_klarna.web import views
from mock_klarna.web.request import Call, Reply, Services

ORDERS = "/ordermanagement/v1/orders"
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _order_id(call: Call) -> str:
    order_id = call.path("order_id")
    if not _UUID.fullmatch(order_id):
        raise InvalidOrderId("Order ID must be a valid UUID.")
    return order_id.lower()


def _json(call: Call, order: Order, data: Any) -> Reply:
    call.purchase_id = order.purchase_id
    return Reply(200, orjson.dumps(data))


def _done(call: Call, order: Order) -> Reply:
    call.purchase_id = order.purchase_id
    return Reply(204)


def _created(call: Call, order: Order, header: str, part: str, created_id: str) -> Reply:
    """Answer that something was made: its id in a header of its own, and where it is, absolute (protocol 13)."""
    call.purchase_id = order.purchase_id
    here = f"{call.request.scheme}://{call.request.host}{ORDERS}/{order.order_id}"
    return Reply(201, b"", {"Location": f"{here}/{part}/{created_id}", header: created_id})


async def get_managed_order(services: Services, call: Call) -> Reply:
    """Retrieve an order."""
    order, now = await services.emulator.order_management.read(call.merchant, _order_id(call))
    return _json(call, order, views.managed_order(order, now))


async def acknowledge_order(services: Services, call: Call) -> Reply:
    """Acknowledge an order, which ends the pushes."""
    return _done(call, await services.emulator.order_management.acknowledge(call.merchant, _order_id(call)))


async def update_order_authorization(services: Services, call: Call) -> Reply:
    """Set another amount and other lines of an order."""
    management = services.emulator.order_management
    return _done(call, await management.update_authorization(call.merchant, _order_id(call), call.body))


async def capture_order(services: Services, call: Call) -> Reply:
    """Create a capture."""
    order, capture_id = await services.emulator.order_management.capture(call.merchant, _order_id(call), call.body)
    return _created(call, order, "Capture-Id", "captures", capture_id)


async def list_captures(services: Services, call: Call) -> Reply:
    """Retrieve all captures of an order."""
    order, _ = await services.emulator.order_management.read(call.merchant, _order_id(call))
    return _json(call, order, views.captures(order))


async def get_capture(services: Services, call: Call) -> Reply:
    """Retrieve a capture."""
    capture_id = call.path("capture_id")
    order, _ = await services.emulator.order_management.find_capture(call.merchant, _order_id(call), capture_id)
    shown = next(capture for capture in views.captures(order) if capture["capture_id"] == capture_id)
    return _json(call, order, shown)


async def add_capture_shipping_info(services: Services, call: Call) -> Reply:
    """Add shipping info to a capture."""
    order_id, capture_id = _order_id(call), call.path("capture_id")
    management = services.emulator.order_management
    return _done(call, await management.add_capture_shipping_info(call.merchant, order_id, capture_id, call.body))


async def trigger_send_out(services: Services, call: Call) -> Reply:
    """Send the invoice of a capture to the shopper again."""
    order_id, capture_id = _order_id(call), call.path("capture_id")
    return _done(call, await services.emulator.order_management.send_out(call.merchant, order_id, capture_id))


async def get_due_date_options(services: Services, call: Call) -> Reply:
    """Retrieve by how many days the due date of a capture can be moved, and for how much."""
    order, _ = await services.emulator.order_management.find_capture(
        call.merchant, _order_id(call), call.path("capture_id")
    )
    options = [{"number_of_days": days, "amount": 0} for days in DUE_DATE_OPTIONS]
    return _json(call, order, {"currency": orjson.loads(order.body)["purchase_currency"], "options": options})


async def extend_due_date(services: Services, call: Call) -> Reply:
    """Move the due date of a capture."""
    order_id, capture_id, days = _order_id(call), call.path("capture_id"), call.body["number_of_days"]
    return _done(
        call, await services.emulator.order_management.extend_due_date(call.merchant, order_id, capture_id, days)
    )


async def update_customer_details(services: Services, call: Call) -> Reply:
    """Change the shipping address of an order."""
    return _done(
        call, await services.emulator.order_management.change_customer(call.merchant, _order_id(call), call.body)
    )


async def extend_authorization_time(services: Services, call: Call) -> Reply:
    """Let the authorization of an order live longer."""
    return _done(call, await services.emulator.order_management.extend(call.merchant, _order_id(call)))


async def update_merchant_references(services: Services, call: Call) -> Reply:
    """Change the merchant references of an order."""
    return _done(
        call, await services.emulator.order_management.change_references(call.merchant, _order_id(call), call.body)
    )


async def refund_order(services: Services, call: Call) -> Reply:
    """Create a refund."""
    order, refund_id = await services.emulator.order_management.refund(call.merchant, _order_id(call), call.body)
    return _created(call, order, "Refund-Id", "refunds", refund_id)


async def get_refund(services: Services, call: Call) -> Reply:
    """Retrieve a refund."""
    order, refund = await services.emulator.order_management.find_refund(
        call.merchant, _order_id(call), call.path("refund_id")
    )
    return _json(call, order, views.refund(refund))


async def release_remaining_authorization(services: Services, call: Call) -> Reply:
    """Give up what remains authorized of an order."""
    return _done(call, await services.emulator.order_management.release(call.merchant, _order_id(call)))


async def add_shipping_info(services: Services, call: Call) -> Reply:
    """Add shipping info to an order."""
    return _done(
        call, await services.emulator.order_management.add_shipping_info(call.merchant, _order_id(call), call.body)
    )


async def cancel_order(services: Services, call: Call) -> Reply:
    """Cancel an order that nothing was captured of."""
    return _done(call, await services.emulator.order_management.cancel(call.merchant, _order_id(call)))
