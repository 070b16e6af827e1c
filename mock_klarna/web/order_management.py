"""The Order Management API (klarna.md §9.1): each handler executes one command of the emulator and renders the result."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from mock_klarna.domain.captures import DUE_DATE_OPTIONS
from mock_klarna.domain.records import Order
from mock_klarna.emulator.orders import COMMANDS
from mock_klarna.errors import InvalidOrderId
from mock_klarna.web import views
from mock_klarna.web.access import scheme
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response

ORDERS = "/ordermanagement/v1/orders"
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _order_id(request: ApiRequest) -> str:
    order_id = request.path("order_id")
    if not _UUID.fullmatch(order_id):
        raise InvalidOrderId("Order ID must be a valid UUID.")
    return order_id.lower()


def _json(request: ApiRequest, order: Order, data: Any) -> ApiResponse:
    request.purchase_id = order.purchase_id
    return json_response(data)


def command(name: str) -> Callable[[Services, ApiRequest], Awaitable[ApiResponse]]:
    """Return the handler of a command of `orders.COMMANDS`; a created capture or refund is answered with its id and address."""
    row = COMMANDS[name]

    async def handler(services: Services, request: ApiRequest) -> ApiResponse:
        order_id, capture_id = _order_id(request), request.http.match_info.get("capture_id", "")

        def rendered(order: Order) -> ApiResponse:
            if not row.creates:
                return ApiResponse(204)
            here = f"{scheme(request.http)}://{request.http.host}{ORDERS}/{order.order_id}"
            fulfilment, is_capture = order.fulfilment, row.creates == "capture"
            new_id = fulfilment.captures[-1].capture_id if is_capture else fulfilment.refunds[-1].refund_id
            headers = {"Location": f"{here}/{row.creates}s/{new_id}", f"{row.creates.title()}-Id": new_id}
            return ApiResponse(201, b"", headers)

        order = await services.emulator.order_management.run(
            name, request.merchant, order_id, request.body, capture_id, request.answer_decision(rendered)
        )
        request.purchase_id = order.purchase_id
        return rendered(order)

    handler.__doc__ = row.summary
    return handler


async def get_managed_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve an order."""
    order, now = await services.emulator.order_management.read(request.merchant, _order_id(request))
    return _json(request, order, views.managed_order(order, now))


async def list_captures(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve all captures of an order."""
    order, _ = await services.emulator.order_management.read(request.merchant, _order_id(request))
    return _json(request, order, views.captures(order))


async def get_capture(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve a capture."""
    capture_id = request.path("capture_id")
    order, _ = await services.emulator.order_management.find_capture(request.merchant, _order_id(request), capture_id)
    shown = next(capture for capture in views.captures(order) if capture["capture_id"] == capture_id)
    return _json(request, order, shown)


async def get_due_date_options(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve by how many days the due date of a capture can be moved, and for how much."""
    order, _ = await services.emulator.order_management.find_capture(
        request.merchant, _order_id(request), request.path("capture_id")
    )
    options = [{"number_of_days": days, "amount": 0} for days in DUE_DATE_OPTIONS]
    return _json(request, order, {"currency": orjson.loads(order.body)["purchase_currency"], "options": options})


async def get_refund(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve a refund."""
    order, refund = await services.emulator.order_management.find_refund(
        request.merchant, _order_id(request), request.path("refund_id")
    )
    return _json(request, order, views.refund(refund))
