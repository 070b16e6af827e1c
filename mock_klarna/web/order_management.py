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


def _done(request: ApiRequest, order: Order) -> ApiResponse:
    request.purchase_id = order.purchase_id
    return ApiResponse(204)

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

def _created(request: ApiRequest, order: Order, header: str, part: str, created_id: str) -> ApiResponse:
    """Answer a command that created something: its id in a header, and its absolute address (klarna.md §13)."""
    request.purchase_id = order.purchase_id
    here = f"{request.http.scheme}://{request.http.host}{ORDERS}/{order.order_id}"
    return ApiResponse(201, b"", {"Location": f"{here}/{part}/{created_id}", header: created_id})


async def get_managed_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve an order."""
    order, now = await services.emulator.order_management.read(request.merchant, _order_id(request))
    return _json(request, order, views.managed_order(order, now))


async def acknowledge_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Acknowledge an order, which ends the pushes."""
    return _done(request, await services.emulator.order_management.acknowledge(request.merchant, _order_id(request)))


async def update_order_authorization(services: Services, request: ApiRequest) -> ApiResponse:
    """Set another amount and other lines of an order."""
    management = services.emulator.order_management
    return _done(request, await management.update_authorization(request.merchant, _order_id(request), request.body))


async def capture_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Create a capture."""
    order, capture_id = await services.emulator.order_management.capture(
        request.merchant, _order_id(request), request.body
    )
    return _created(request, order, "Capture-Id", "captures", capture_id)


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


async def add_capture_shipping_info(services: Services, request: ApiRequest) -> ApiResponse:
    """Add shipping info to a capture."""
    order_id, capture_id = _order_id(request), request.path("capture_id")
    management = services.emulator.order_management
    return _done(
        request, await management.add_capture_shipping_info(request.merchant, order_id, capture_id, request.body)
    )


async def trigger_send_out(services: Services, request: ApiRequest) -> ApiResponse:
    """Send the invoice of a capture to the shopper again."""
    order_id, capture_id = _order_id(request), request.path("capture_id")
    return _done(request, await services.emulator.order_management.send_out(request.merchant, order_id, capture_id))


async def get_due_date_options(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve by how many days the due date of a capture can be moved, and for how much."""
    order, _ = await services.emulator.order_management.find_capture(
        request.merchant, _order_id(request), request.path("capture_id")
    )
    options = [{"number_of_days": days, "amount": 0} for days in DUE_DATE_OPTIONS]
    return _json(request, order, {"currency": orjson.loads(order.body)["purchase_currency"], "options": options})


async def extend_due_date(services: Services, request: ApiRequest) -> ApiResponse:
    """Move the due date of a capture."""
    order_id, capture_id, days = _order_id(request), request.path("capture_id"), request.body["number_of_days"]
    return _done(
        request, await services.emulator.order_management.extend_due_date(request.merchant, order_id, capture_id, days)
    )


async def update_customer_details(services: Services, request: ApiRequest) -> ApiResponse:
    """Change the shipping address of an order."""
    return _done(
        request,
        await services.emulator.order_management.change_customer(request.merchant, _order_id(request), request.body),
    )


async def extend_authorization_time(services: Services, request: ApiRequest) -> ApiResponse:
    """Let the authorization of an order live longer."""
    return _done(request, await services.emulator.order_management.extend(request.merchant, _order_id(request)))


async def update_merchant_references(services: Services, request: ApiRequest) -> ApiResponse:
    """Change the merchant references of an order."""
    return _done(
        request,
        await services.emulator.order_management.change_references(request.merchant, _order_id(request), request.body),
    )


async def refund_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Create a refund."""
    order, refund_id = await services.emulator.order_management.refund(
        request.merchant, _order_id(request), request.body
    )
    return _created(request, order, "Refund-Id", "refunds", refund_id)


async def get_refund(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve a refund."""
    order, refund = await services.emulator.order_management.find_refund(
        request.merchant, _order_id(request), request.path("refund_id")
    )
    return _json(request, order, views.refund(refund))


async def release_remaining_authorization(services: Services, request: ApiRequest) -> ApiResponse:
    """Give up what remains authorized of an order."""
    return _done(request, await services.emulator.order_management.release(request.merchant, _order_id(request)))


async def add_shipping_info(services: Services, request: ApiRequest) -> ApiResponse:
    """Add shipping info to an order."""
    return _done(
        request,
        await services.emulator.order_management.add_shipping_info(request.merchant, _order_id(request), request.body),
    )


async def cancel_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Cancel an order that nothing was captured of."""
    return _done(request, await services.emulator.order_management.cancel(request.merchant, _order_id(request)))
