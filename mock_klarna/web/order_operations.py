"""The endpoints of Order Management and of customer tokens, one row each (protocol 9)."""

from mock_klarna.web import customer_tokens, order_management
from mock_klarna.web.operation import Handler, Operation

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
    _acts("acknowledge_order", f"{ORDER}/acknowledge", order_management.acknowledge_order),
    _changes(
        "update_order_authorization", "PATCH", f"{ORDER}/authorization", order_management.update_order_authorization
    ),
    _makes("capture_order", f"{ORDER}/captures", order_management.capture_order, "Capture-Id"),
    _looks("list_captures", f"{ORDER}/captures", order_management.list_captures, "captures"),
    _looks("get_capture", CAPTURE, order_management.get_capture, "capture"),
    _changes(
        "add_capture_shipping_info",
        "POST",
        f"{CAPTURE}/shipping-info",
        order_management.add_capture_shipping_info,
        schema="add_shipping_info",
    ),
    _acts("trigger_send_out", f"{CAPTURE}/trigger-send-out", order_management.trigger_send_out),
    _looks(
        "get_due_date_options",
        f"{CAPTURE}/extend-due-date-options",
        order_management.get_due_date_options,
        "due_date_options",
    ),
    _changes("extend_due_date", "PATCH", f"{CAPTURE}/extend-due-date", order_management.extend_due_date),
    _changes("update_customer_details", "PATCH", f"{ORDER}/customer-details", order_management.update_customer_details),
    _acts(
        "extend_authorization_time", f"{ORDER}/extend-authorization-time", order_management.extend_authorization_time
    ),
    _changes(
        "update_merchant_references",
        "PATCH",
        f"{ORDER}/merchant-references",
        order_management.update_merchant_references,
    ),
    _makes("refund_order", f"{ORDER}/refunds", order_management.refund_order, "Refund-Id"),
    _looks("get_refund", f"{ORDER}/refunds/{{refund_id}}", order_management.get_refund, "refund"),
    _acts(
        "release_remaining_authorization",
        f"{ORDER}/release-remaining-authorization",
        order_management.release_remaining_authorization,
    ),
    _changes("add_shipping_info", "POST", f"{ORDER}/shipping-info", order_management.add_shipping_info),
    _acts("cancel_order", f"{ORDER}/cancel", order_management.cancel_order),
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
