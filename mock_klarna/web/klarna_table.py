"""The rows of Klarna's own APIs in the table of endpoints: Instant Shopping, Order Management and customer tokens."""

from functools import partial

from mock_klarna.web import customer_tokens, instant_shopping, order_management
from mock_klarna.web.operation import NO_BODY, Api, Operation

_NO_CONTENT = ((204, NO_BODY),)

_BUTTONS = "/instantshopping/v1/buttons"
_BUTTON = f"{_BUTTONS}/{{button_key}}"
_AUTHORIZATION = "/instantshopping/v1/authorizations/{authorization_token}"
_instant_shopping = partial(Operation, api=Api.INSTANT_SHOPPING)

INSTANT_SHOPPING = (
    _instant_shopping(
        name="create_button",
        counters=("button",),
        method="POST",
        path=_BUTTONS,
        handler=instant_shopping.create_button,
        body="required",
        answers=((201, "button"),),
        headers=("Location",),
    ),
    _instant_shopping(
        name="get_button",
        method="GET",
        path=_BUTTON,
        handler=instant_shopping.get_button,
        answers=((200, "button"),),
        errors=(403, 404),
    ),
    _instant_shopping(
        name="update_button",
        method="PUT",
        path=_BUTTON,
        handler=instant_shopping.update_button,
        body="required",
        precondition=instant_shopping.own_button,
        answers=((200, "button"),),
        errors=(403, 404),
    ),
    _instant_shopping(
        name="get_authorization",
        method="GET",
        path=_AUTHORIZATION,
        handler=instant_shopping.get_authorization,
        answers=((200, "order"),),
        errors=(403, 404),
    ),
    _instant_shopping(
        name="deny_authorization",
        method="DELETE",
        path=_AUTHORIZATION,
        handler=instant_shopping.deny_authorization,
        body="optional",
        precondition=instant_shopping.open_authorization,
        answers=_NO_CONTENT,
        errors=(403, 404),
    ),
    _instant_shopping(
        name="create_order",
        counters=("order",),
        method="POST",
        path=f"{_AUTHORIZATION}/orders",
        handler=instant_shopping.create_order,
        body="required",
        precondition=instant_shopping.orderable_authorization,
        answers=((200, "created_order"),),
        errors=(403, 404),
    ),
    _instant_shopping(
        name="create_token",
        method="POST",
        path=f"{_AUTHORIZATION}/customer-token",
        handler=customer_tokens.create_token,
        body="required",
        answers=((200, "created_token"),),
        errors=(400, 403, 404),
    ),
)
"""Instant Shopping (klarna.md §2), with the customer token of an authorization (klarna.md §4.3)."""

_ORDER = f"{order_management.ORDERS}/{{order_id}}"
_CAPTURE = f"{_ORDER}/captures/{{capture_id}}"
_managed_read = partial(Operation, api=Api.ORDER_MANAGEMENT, method="GET", errors=(400, 404))
_managed_change = partial(
    Operation, api=Api.ORDER_MANAGEMENT, answers=_NO_CONTENT, errors=(400, 403, 404), is_idempotent=True
)

ORDER_MANAGEMENT = (
    _managed_read(
        name="get_managed_order",
        path=_ORDER,
        handler=order_management.get_managed_order,
        answers=((200, "managed_order"),),
    ),
    _managed_change(
        name="acknowledge_order",
        method="POST",
        path=f"{_ORDER}/acknowledge",
        handler=order_management.command("acknowledge_order"),
    ),
    _managed_change(
        name="update_order_authorization",
        method="PATCH",
        path=f"{_ORDER}/authorization",
        handler=order_management.command("update_order_authorization"),
        body="required",
    ),
    _managed_change(
        name="capture_order",
        counters=("capture",),
        method="POST",
        path=f"{_ORDER}/captures",
        handler=order_management.command("capture_order"),
        body="required",
        answers=((201, NO_BODY),),
        headers=("Location", "Capture-Id"),
    ),
    _managed_read(
        name="list_captures",
        path=f"{_ORDER}/captures",
        handler=order_management.list_captures,
        answers=((200, "captures"),),
    ),
    _managed_read(
        name="get_capture",
        path=_CAPTURE,
        handler=order_management.get_capture,
        answers=((200, "capture"),),
    ),
    _managed_change(
        name="add_capture_shipping_info",
        method="POST",
        path=f"{_CAPTURE}/shipping-info",
        handler=order_management.command("add_capture_shipping_info"),
        body="required",
        schema="add_shipping_info",
    ),
    _managed_change(
        name="update_capture_customer_details",
        method="PATCH",
        path=f"{_CAPTURE}/customer-details",
        handler=order_management.command("update_capture_customer_details"),
        body="required",
        schema="update_customer_details",
    ),
    _managed_change(
        name="trigger_send_out",
        method="POST",
        path=f"{_CAPTURE}/trigger-send-out",
        handler=order_management.command("trigger_send_out"),
    ),
    _managed_read(
        name="get_due_date_options",
        path=f"{_CAPTURE}/extend-due-date-options",
        handler=order_management.get_due_date_options,
        answers=((200, "due_date_options"),),
    ),
    _managed_change(
        name="extend_due_date",
        method="PATCH",
        path=f"{_CAPTURE}/extend-due-date",
        handler=order_management.command("extend_due_date"),
        body="required",
    ),
    _managed_change(
        name="update_customer_details",
        method="PATCH",
        path=f"{_ORDER}/customer-details",
        handler=order_management.command("update_customer_details"),
        body="required",
    ),
    _managed_change(
        name="extend_authorization_time",
        method="POST",
        path=f"{_ORDER}/extend-authorization-time",
        handler=order_management.command("extend_authorization_time"),
    ),
    _managed_change(
        name="update_merchant_references",
        method="PATCH",
        path=f"{_ORDER}/merchant-references",
        handler=order_management.command("update_merchant_references"),
        body="required",
    ),
    _managed_change(
        name="refund_order",
        counters=("refund",),
        method="POST",
        path=f"{_ORDER}/refunds",
        handler=order_management.command("refund_order"),
        body="required",
        answers=((201, NO_BODY),),
        headers=("Location", "Refund-Id"),
    ),
    _managed_read(
        name="get_refund",
        path=f"{_ORDER}/refunds/{{refund_id}}",
        handler=order_management.get_refund,
        answers=((200, "refund"),),
    ),
    _managed_change(
        name="release_remaining_authorization",
        method="POST",
        path=f"{_ORDER}/release-remaining-authorization",
        handler=order_management.command("release_remaining_authorization"),
    ),
    _managed_change(
        name="add_shipping_info",
        method="POST",
        path=f"{_ORDER}/shipping-info",
        handler=order_management.command("add_shipping_info"),
        body="required",
    ),
    _managed_change(
        name="cancel_order",
        method="POST",
        path=f"{_ORDER}/cancel",
        handler=order_management.command("cancel_order"),
    ),
)
"""Order Management (klarna.md §9.1)."""

_TOKEN = "/customer-token/v1/tokens/{customer_token}"  # noqa: S105
_customer_tokens = partial(Operation, api=Api.CUSTOMER_TOKENS, errors=(400, 403, 404))

CUSTOMER_TOKENS = (
    _customer_tokens(
        name="create_token_of_payments",
        method="POST",
        path="/payments/v1/authorizations/{authorization_token}/customer-token",
        handler=customer_tokens.create_token_of_payments,
        body="required",
        schema="create_token",
        answers=((200, "created_token"),),
    ),
    _customer_tokens(
        name="get_token",
        method="GET",
        path=_TOKEN,
        handler=customer_tokens.get_token,
        answers=((200, "token"),),
        errors=(403, 404),
    ),
    _customer_tokens(
        name="order_from_token",
        method="POST",
        path=f"{_TOKEN}/order",
        handler=customer_tokens.order_from_token,
        body="required",
        answers=((200, "token_order"),),
        is_idempotent=True,
    ),
    _customer_tokens(
        name="update_token_status",
        method="PATCH",
        path=f"{_TOKEN}/status",
        handler=customer_tokens.update_token_status,
        body="required",
        answers=((202, NO_BODY),),
        is_idempotent=True,
    ),
)
"""Customer tokens (klarna.md §4.3 and §9.5)."""
