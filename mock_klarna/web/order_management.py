"""The Order Management API (protocol 9.1): read the checked body, one command, render."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from mock_klarna.domain.captures import DUE_DATE_OPTIONS
from mock_klarna.domain.records import Order
from mock_klarna.emulator.orders import COMMANDS
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


def command(name: str) -> Callable[[Services, Call], Awaitable[Reply]]:
    """Return the handler of a command of `orders.COMMANDS`; a created capture or refund is answered with its id and address."""
    row = COMMANDS[name]

    async def handler(services: Services, call: Call) -> Reply:
        order_id, capture_id = _order_id(call), call.request.match_info.get("capture_id", "")
        management = services.emulator.order_management
        order, new_id = await management.run(name, call.merchant, order_id, call.body, capture_id)
        call.purchase_id = order.purchase_id
        if not row.creates:
            return Reply(204)
        here = f"{call.request.scheme}://{call.request.host}{ORDERS}/{order.order_id}"
        headers = {"Location": f"{here}/{row.creates}s/{new_id}", f"{row.creates.title()}-Id": new_id}
        return Reply(201, b"", headers)

    handler.__doc__ = row.summary
    return handler


async def get_managed_order(services: Services, call: Call) -> Reply:
    """Retrieve an order."""
    order, now = await services.emulator.order_management.read(call.merchant, _order_id(call))
    return _json(call, order, views.managed_order(order, now))


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


async def get_due_date_options(services: Services, call: Call) -> Reply:
    """Retrieve by how many days the due date of a capture can be moved, and for how much."""
    order, _ = await services.emulator.order_management.find_capture(
        call.merchant, _order_id(call), call.path("capture_id")
    )
    options = [{"number_of_days": days, "amount": 0} for days in DUE_DATE_OPTIONS]
    return _json(call, order, {"currency": orjson.loads(order.body)["purchase_currency"], "options": options})


async def get_refund(services: Services, call: Call) -> Reply:
    """Retrieve a refund."""
    order, refund = await services.emulator.order_management.find_refund(
        call.merchant, _order_id(call), call.path("refund_id")
    )
    return _json(call, order, views.refund(refund))
