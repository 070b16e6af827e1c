"""Every endpoint, one row each. Routes, the OpenAPI document and the README's table are made from these rows."""

from collections.abc import Awaitable, Callable

from mock_klarna.web import browser_api, control, customer_tokens, instant_shopping, order_management
from mock_klarna.web import control as clock
from mock_klarna.web import control as placed_orders
from mock_klarna.web import control as scenarios
from mock_klarna.web import control as shoppers
from mock_klarna.web.control import get_authority
from mock_klarna.web.journal import events
from mock_klarna.web.operation import BROWSER_PATH, Handler, Operation
from mock_klarna.web.request import EVENT_STREAM, PEM, Call, Reply, Services

ORDER = f"{order_management.ORDERS}/{{order_id}}"
CAPTURE = f"{ORDER}/captures/{{capture_id}}"
TOKEN = "/customer-token/v1/tokens/{customer_token}"  # noqa: S105
_AUTHORIZED = "/v1/authorizations/{authorization_token}/customer-token"
_NO_BODY = ((204, None),)
_REFUSALS = (400, 403, 404)


def _looks(name: str, path: str, handler: Handler, answer: str) -> Operation:
    return Operation(name, "GET", path, handler, "", ((200, answer),), (400, 404))


def _acts(name: str, path: str, handler: Handler) -> Operation:
    """Return the row of a command without a body; all of these are idempotent under a key."""
    return Operation(name, "POST", path, handler, "", _NO_BODY, _REFUSALS, is_idempotent=True)


def _changes(
    name: str,
    method: str,
    path: str,
    handler: Handler,
    answers: tuple[tuple[int, str | None], ...] = _NO_BODY,
    schema: str = "",
) -> Operation:
    return Operation(name, method, path, handler, "required", answers, _REFUSALS, schema=schema, is_idempotent=True)


def _makes(name: str, path: str, handler: Handler, header: str) -> Operation:
    """Return the row of a command that makes something, whose id is in a header."""
    headers = ("Location", header)
    made = ((201, None),)
    return Operation(name, "POST", path, handler, "required", made, _REFUSALS, is_idempotent=True, headers=headers)


ORDER_MANAGEMENT = (
    _looks("get_managed_order", ORDER, order_management.get_managed_order, "managed_order"),
    _acts("acknowledge_order", f"{ORDER}/acknowledge", order_management.command("acknowledge_order")),
    _changes(
        "update_order_authorization",
        "PATCH",
        f"{ORDER}/authorization",
        order_management.command("update_order_authorization"),
    ),
    _makes("capture_order", f"{ORDER}/captures", order_management.command("capture_order"), "Capture-Id"),
    _looks("list_captures", f"{ORDER}/captures", order_management.list_captures, "captures"),
    _looks("get_capture", CAPTURE, order_management.get_capture, "capture"),
    _changes(
        "add_capture_shipping_info",
        "POST",
        f"{CAPTURE}/shipping-info",
        order_management.command("add_capture_shipping_info"),
        schema="add_shipping_info",
    ),
    _acts("trigger_send_out", f"{CAPTURE}/trigger-send-out", order_management.command("trigger_send_out")),
    _looks(
        "get_due_date_options",
        f"{CAPTURE}/extend-due-date-options",
        order_management.get_due_date_options,
        "due_date_options",
    ),
    _changes("extend_due_date", "PATCH", f"{CAPTURE}/extend-due-date", order_management.command("extend_due_date")),
    _changes(
        "update_customer_details",
        "PATCH",
        f"{ORDER}/customer-details",
        order_management.command("update_customer_details"),
    ),
    _acts(
        "extend_authorization_time",
        f"{ORDER}/extend-authorization-time",
        order_management.command("extend_authorization_time"),
    ),
    _changes(
        "update_merchant_references",
        "PATCH",
        f"{ORDER}/merchant-references",
        order_management.command("update_merchant_references"),
    ),
    _makes("refund_order", f"{ORDER}/refunds", order_management.command("refund_order"), "Refund-Id"),
    _looks("get_refund", f"{ORDER}/refunds/{{refund_id}}", order_management.get_refund, "refund"),
    _acts(
        "release_remaining_authorization",
        f"{ORDER}/release-remaining-authorization",
        order_management.command("release_remaining_authorization"),
    ),
    _changes("add_shipping_info", "POST", f"{ORDER}/shipping-info", order_management.command("add_shipping_info")),
    _acts("cancel_order", f"{ORDER}/cancel", order_management.command("cancel_order")),
)
"""Order Management (protocol 9.1)."""

CUSTOMER_TOKENS = (
    Operation(
        "create_token",
        "POST",
        f"/instantshopping{_AUTHORIZED}",
        customer_tokens.create_token,
        "required",
        ((200, "created_token"),),
        _REFUSALS,
    ),
    Operation(
        "create_token_of_payments",
        "POST",
        f"/payments{_AUTHORIZED}",
        customer_tokens.create_token_of_payments,
        "required",
        ((200, "created_token"),),
        _REFUSALS,
        schema="create_token",
    ),
    Operation("get_token", "GET", TOKEN, customer_tokens.get_token, "", ((200, "token"),), (403, 404)),
    _changes("order_from_token", "POST", f"{TOKEN}/order", customer_tokens.order_from_token, ((200, "token_order"),)),
    _changes("update_token_status", "PATCH", f"{TOKEN}/status", customer_tokens.update_token_status, ((202, None),)),
)
"""Customer tokens (protocol 4.3 and 9.5)."""


__all__ = ["INSTANT_SHOPPING", "KLARNA", "MOCK", "OPERATIONS", "Operation"]

BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATION = "/instantshopping/v1/authorizations/{authorization_token}"

INSTANT_SHOPPING = (
    Operation(
        "create_button",
        "POST",
        BUTTONS,
        instant_shopping.create_button,
        "required",
        ((201, "button"),),
        headers=("Location",),
    ),
    Operation(
        "get_button", "GET", BUTTONS + "/{button_key}", instant_shopping.get_button, "", ((200, "button"),), (403, 404)
    ),
    Operation(
        "update_button",
        "PUT",
        BUTTONS + "/{button_key}",
        instant_shopping.update_button,
        "required",
        ((200, "button"),),
        (403, 404),
        guard=instant_shopping.own_button,
    ),
    Operation(
        "get_authorization", "GET", AUTHORIZATION, instant_shopping.get_authorization, "", ((200, "order"),), (403, 404)
    ),
    Operation(
        "deny_authorization",
        "DELETE",
        AUTHORIZATION,
        instant_shopping.deny_authorization,
        "optional",
        ((204, ""),),
        (403, 404),
        guard=instant_shopping.own_authorization,
    ),
    Operation(
        "create_order",
        "POST",
        AUTHORIZATION + "/orders",
        instant_shopping.create_order,
        "required",
        ((200, "created_order"),),
        (403, 404),
        guard=instant_shopping.own_order,
    ),
)
"""Instant Shopping (protocol 2)."""

KLARNA = INSTANT_SHOPPING + ORDER_MANAGEMENT + CUSTOMER_TOKENS
"""Klarna's own endpoints."""

_WATCH = ("kind", "name", "status", "correlation_id", "purchase_id", "after")
MOCK = (
    Operation("health", "GET", "/_mock/health", control.health),
    Operation("openapi", "GET", "/_mock/openapi.json", control.openapi),
    Operation("authority", "GET", "/_mock/ca.pem", get_authority, errors=(404,), media=PEM),
    Operation(
        "create_purchase",
        "POST",
        "/_mock/purchases",
        control.create_purchase,
        "required",
        ((201, ""),),
        (404, 409),
        headers=("Location",),
    ),
    Operation(
        "list_purchases", "GET", "/_mock/purchases", control.list_purchases, parameters=("purchase_state", "limit")
    ),
    Operation(
        "get_purchase",
        "GET",
        "/_mock/purchases/{purchase_id}",
        control.get_purchase,
        errors=(404,),
        parameters=("wait",),
    ),
    Operation("journal", "GET", "/_mock/journal", control.list_journal, parameters=(*_WATCH, "limit", "wait")),
    Operation("events", "GET", "/_mock/events", events, parameters=(*_WATCH, "Last-Event-ID"), media=EVENT_STREAM),
    Operation("journal_entry", "GET", "/_mock/journal/{seq}", control.journal_entry, errors=(404,)),
    Operation(
        "list_callbacks",
        "GET",
        "/_mock/callbacks",
        control.list_callbacks,
        parameters=("purchase_id", "callback_kind", "callback_state", "limit"),
    ),
    Operation("get_callback", "GET", "/_mock/callbacks/{callback_id}", control.get_callback, errors=(404,)),
    Operation(
        "resend_callback", "POST", "/_mock/callbacks/{callback_id}/resend", control.resend_callback, errors=(404,)
    ),
    Operation(
        "list_orders",
        "GET",
        "/_mock/orders",
        placed_orders.list_orders,
        errors=(400,),
        parameters=("limit",),
    ),
    Operation("get_order", "GET", "/_mock/orders/{order_id}", placed_orders.get_order, errors=(404,)),
    Operation("close_order", "POST", "/_mock/orders/{order_id}/close", placed_orders.close_order, errors=(404,)),
    Operation(
        "find_token", "GET", "/_mock/customer-tokens/{customer_token}", customer_tokens.find_token, errors=(404,)
    ),
    Operation(
        "set_token_status",
        "POST",
        "/_mock/customer-tokens/{customer_token}/status",
        customer_tokens.set_token_status,
        "required",
        errors=(400, 403, 404),
    ),
    Operation(
        "decide_fraud_review",
        "POST",
        "/_mock/orders/{order_id}/decision",
        placed_orders.decide,
        "required",
        errors=(400, 404, 409),
    ),
    Operation("get_clock", "GET", "/_mock/clock", clock.get_clock),
    Operation("set_clock", "POST", "/_mock/clock", clock.set_clock, "required", errors=(400,)),
    Operation("create_fault", "POST", "/_mock/faults", control.create_fault, "required", ((201, ""),), (400,)),
    Operation("list_faults", "GET", "/_mock/faults", control.list_faults),
    Operation("clear_faults", "DELETE", "/_mock/faults", control.clear_faults, answers=((204, ""),)),
    Operation("reset", "POST", "/_mock/reset", control.reset, "optional", ((204, ""),), (400,)),
    Operation("get_snapshot", "GET", "/_mock/snapshot", control.get_snapshot),
    Operation(
        "put_snapshot",
        "PUT",
        "/_mock/snapshot",
        control.put_snapshot,
        "raw",
        ((204, ""),),
        (400, 403),
        most_body=1 << 28,
    ),
    Operation(
        "list_shoppers", "GET", "/_mock/shoppers", shoppers.list_shoppers, errors=(404,), parameters=("country",)
    ),
    Operation("list_scenarios", "GET", "/_mock/scenarios", scenarios.list_scenarios),
    Operation(
        "run_scenario", "POST", "/_mock/scenarios/{name}/run", scenarios.run_scenario, "optional", errors=(400, 404)
    ),
)
"""The sandbox's own endpoints."""

OPERATIONS = KLARNA + MOCK
"""All rows but those of `browser_operations`."""


SESSIONS = f"{BROWSER_PATH}/sessions"
SESSION = SESSIONS + "/{session_id}"
_BROWSER_ERRORS = (400, 404, 409, 413, 415)


def _step(name: str, handler: Callable[[Services, Call], Awaitable[Reply]]) -> Operation:
    """Return the row of something that a shopper does in a session."""
    return Operation(f"sdk_{name}", "POST", f"{SESSION}/{name}", handler, "required", errors=_BROWSER_ERRORS)


BROWSER = (
    Operation("sdk_load", "POST", f"{BROWSER_PATH}/load", browser_api.load, "required", errors=(400, 413, 415)),
    Operation(
        "sdk_sessions",
        "POST",
        SESSIONS,
        browser_api.create_session,
        "required",
        ((200, ""), (201, "")),
        _BROWSER_ERRORS,
    ),
    Operation("sdk_session", "GET", SESSION, browser_api.get_session, errors=(404,)),
    _step("identify", browser_api.identify),
    _step("specify", browser_api.specify),
    _step("shipping", browser_api.choose_shipping),
    _step("checkboxes", browser_api.answer_checkboxes),
    _step("update", browser_api.update),
    _step("pay", browser_api.pay),
    Operation("sdk_wait", "GET", f"{SESSION}/wait", browser_api.wait, errors=(400, 404), parameters=("seconds",)),
    Operation(
        "sdk_timeline", "GET", f"{SESSION}/timeline", browser_api.timeline, errors=(400, 404), parameters=("after",)
    ),
)
"""What lib.js and the dialog call; the id of a session entitles to it."""
