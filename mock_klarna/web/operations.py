"""The table of all endpoints, a row each. The routes, the OpenAPI document and the tables in the documentation follow from it."""

from functools import partial

from mock_klarna.web import (
    browser_api,
    control,
    customer_tokens,
    findings,
    instant_shopping,
    journal,
    order_management,
    query,
    scenarios,
)
from mock_klarna.web.operation import ANY_OBJECT, NO_BODY, UNKNOWN_PATH, WRONG_METHOD, Api, Operation
from mock_klarna.web.request import EVENT_STREAM, PEM, TEXT

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

_SHOWN_SESSION = ((200, "session"),)
_SESSIONS = "/instantshopping/sdk/sessions"
_SESSION = f"{_SESSIONS}/{{session_id}}"
_browser_read = partial(Operation, api=Api.BROWSER, method="GET")
_browser_step = partial(
    Operation, api=Api.BROWSER, method="POST", body="required", answers=_SHOWN_SESSION, errors=(400, 404, 409, 413, 415)
)

BROWSER = (
    _browser_step(
        name="sdk_load",
        path="/instantshopping/sdk/load",
        handler=browser_api.load,
        answers=((200, "loaded_button"),),
        errors=(400, 413, 415),
    ),
    _browser_step(
        name="sdk_problem",
        path="/instantshopping/sdk/problems",
        handler=browser_api.report_problem,
        answers=((200, ANY_OBJECT),),
        errors=(400, 413, 415),
    ),
    _browser_step(
        name="sdk_sessions",
        path=_SESSIONS,
        handler=browser_api.create_session,
        answers=((200, "session"), (201, "session")),
    ),
    _browser_read(
        name="sdk_session", path=_SESSION, handler=browser_api.get_session, answers=_SHOWN_SESSION, errors=(404,)
    ),
    _browser_read(
        name="sdk_shoppers",
        path="/instantshopping/sdk/shoppers",
        handler=control.list_shoppers,
        answers=((200, "test_shoppers"),),
        parameters=(query.COUNTRY,),
        errors=(404,),
    ),
    _browser_step(name="sdk_identify", path=f"{_SESSION}/identify", handler=browser_api.identify),
    _browser_step(
        name="sdk_draft", path=f"{_SESSION}/draft", handler=browser_api.keep_draft, errors=(400, 404, 413, 415)
    ),
    _browser_step(name="sdk_specify", path=f"{_SESSION}/specify", handler=browser_api.specify),
    _browser_step(name="sdk_shipping", path=f"{_SESSION}/shipping", handler=browser_api.choose_shipping),
    _browser_step(name="sdk_checkboxes", path=f"{_SESSION}/checkboxes", handler=browser_api.answer_checkboxes),
    _browser_step(name="sdk_update", path=f"{_SESSION}/update", handler=browser_api.update),
    _browser_step(name="sdk_pay", path=f"{_SESSION}/pay", handler=browser_api.pay),
    _browser_read(
        name="sdk_wait",
        path=f"{_SESSION}/wait",
        handler=browser_api.wait,
        answers=_SHOWN_SESSION,
        parameters=(query.SECONDS,),
        errors=(400, 404),
    ),
    _browser_read(
        name="sdk_timeline",
        path=f"{_SESSION}/timeline",
        handler=browser_api.timeline,
        answers=((200, "journal"),),
        parameters=(query.AFTER,),
        errors=(400, 404),
    ),
)
"""What lib.js and the dialog call; the id of a session is the permission to use it."""

_JOURNALED = [row.name for row in INSTANT_SHOPPING + ORDER_MANAGEMENT + CUSTOMER_TOKENS + BROWSER]
_NAME = query.entry_name([*_JOURNALED, UNKNOWN_PATH, WRONG_METHOD])
_JOURNAL_FILTER = (query.KIND, _NAME, query.STATUS, query.CORRELATION_ID, query.PURCHASE_ID)
_sandbox = partial(Operation, api=Api.SANDBOX)

SANDBOX = (
    _sandbox(name="health", method="GET", path="/_mock/health", handler=control.health, answers=((200, "health"),)),
    _sandbox(name="openapi", method="GET", path="/_mock/openapi.json", handler=control.openapi),
    _sandbox(
        name="authority", method="GET", path="/_mock/ca.pem", handler=control.get_authority, errors=(404,), media=PEM
    ),
    _sandbox(
        name="create_purchase",
        counters=("purchase", "shopper", "token"),
        method="POST",
        path="/_mock/purchases",
        handler=control.create_purchase,
        body="required",
        answers=((201, "purchase"),),
        errors=(404, 409),
        headers=("Location",),
    ),
    _sandbox(
        name="list_purchases",
        method="GET",
        path="/_mock/purchases",
        handler=control.list_purchases,
        answers=((200, "purchases"),),
        parameters=(query.PURCHASE_STATE, query.LIMIT),
    ),
    _sandbox(
        name="get_purchase",
        method="GET",
        path="/_mock/purchases/{purchase_id}",
        handler=control.get_purchase,
        answers=((200, "purchase"),),
        parameters=(query.WAIT,),
        other_media=(TEXT,),
        errors=(404,),
    ),
    _sandbox(
        name="journal",
        method="GET",
        path="/_mock/journal",
        handler=journal.list_entries,
        answers=((200, "journal"),),
        parameters=(*_JOURNAL_FILTER, query.AFTER, query.ORDER, query.LIMIT, query.WAIT),
    ),
    _sandbox(
        name="events",
        method="GET",
        path="/_mock/events",
        handler=journal.stream_entries,
        parameters=(*_JOURNAL_FILTER, query.AFTER_OR_LAST_SEEN, query.LAST_EVENT_ID),
        media=EVENT_STREAM,
    ),
    _sandbox(
        name="findings", method="GET", path="/_mock/findings", handler=findings.find, answers=((200, "findings"),)
    ),
    _sandbox(
        name="journal_entry",
        method="GET",
        path="/_mock/journal/{seq}",
        handler=journal.get_entry,
        answers=((200, "journal_entry"),),
        errors=(404,),
    ),
    _sandbox(
        name="list_callbacks",
        method="GET",
        path="/_mock/callbacks",
        handler=control.list_callbacks,
        answers=((200, "callbacks"),),
        parameters=(query.PURCHASE_ID, query.CALLBACK_KIND, query.CALLBACK_STATE, query.LIMIT),
    ),
    _sandbox(
        name="get_callback",
        method="GET",
        path="/_mock/callbacks/{callback_id}",
        handler=control.get_callback,
        answers=((200, "callback"),),
        errors=(404,),
    ),
    _sandbox(
        name="resend_callback",
        method="POST",
        path="/_mock/callbacks/{callback_id}/resend",
        handler=control.resend_callback,
        answers=((200, "callback"),),
        errors=(404,),
    ),
    _sandbox(
        name="add_order",
        counters=("purchase", "shopper", "token", "order"),
        method="POST",
        path="/_mock/orders",
        handler=control.add_order,
        body="required",
        schema="create_purchase",
        answers=((201, "placed_order"),),
        errors=(404, 409),
        headers=("Location",),
    ),
    _sandbox(
        name="list_orders",
        method="GET",
        path="/_mock/orders",
        handler=control.list_orders,
        answers=((200, "placed_orders"),),
        parameters=(query.LIMIT,),
        errors=(400,),
    ),
    _sandbox(
        name="get_order",
        method="GET",
        path="/_mock/orders/{order_id}",
        handler=control.get_order,
        answers=((200, "placed_order"),),
        errors=(404,),
    ),
    _sandbox(
        name="close_order",
        method="POST",
        path="/_mock/orders/{order_id}/close",
        handler=control.close_order,
        answers=((200, "placed_order"),),
        errors=(404,),
    ),
    _sandbox(
        name="find_token",
        method="GET",
        path="/_mock/customer-tokens/{customer_token}",
        handler=customer_tokens.find_token,
        answers=((200, "stored_token"),),
        errors=(404,),
    ),
    _sandbox(
        name="set_token_status",
        method="POST",
        path="/_mock/customer-tokens/{customer_token}/status",
        handler=customer_tokens.set_token_status,
        answers=((200, "stored_token"),),
        body="required",
        errors=(400, 403, 404),
    ),
    _sandbox(
        name="decide_fraud_review",
        method="POST",
        path="/_mock/orders/{order_id}/decision",
        handler=control.decide_fraud_review,
        answers=((200, "placed_order"),),
        body="required",
        errors=(400, 404, 409),
    ),
    _sandbox(name="get_clock", method="GET", path="/_mock/clock", handler=control.get_clock, answers=((200, "clock"),)),
    _sandbox(
        name="set_clock",
        method="POST",
        path="/_mock/clock",
        handler=control.set_clock,
        body="required",
        answers=((200, "clock"),),
        errors=(400,),
    ),
    _sandbox(
        name="create_fault",
        method="POST",
        path="/_mock/faults",
        handler=control.create_fault,
        body="required",
        answers=((201, "fault"),),
        errors=(400,),
    ),
    _sandbox(
        name="list_faults", method="GET", path="/_mock/faults", handler=control.list_faults, answers=((200, "faults"),)
    ),
    _sandbox(
        name="clear_faults",
        method="DELETE",
        path="/_mock/faults",
        handler=control.clear_faults,
        answers=_NO_CONTENT,
    ),
    _sandbox(
        name="reset",
        method="POST",
        path="/_mock/reset",
        handler=control.reset,
        body="optional",
        answers=_NO_CONTENT,
        errors=(400,),
    ),
    _sandbox(
        name="get_snapshot",
        method="GET",
        path="/_mock/snapshot",
        handler=control.get_snapshot,
        answers=((200, "requests/put_snapshot"),),
    ),
    _sandbox(
        name="put_snapshot",
        method="PUT",
        path="/_mock/snapshot",
        handler=control.put_snapshot,
        body="stream",
        max_body=1 << 30,
        answers=_NO_CONTENT,
        errors=(400, 403),
    ),
    _sandbox(
        name="list_shoppers",
        method="GET",
        path="/_mock/shoppers",
        handler=control.list_shoppers,
        answers=((200, "test_shoppers"),),
        parameters=(query.COUNTRY,),
        errors=(404,),
    ),
    _sandbox(
        name="list_scenarios",
        method="GET",
        path="/_mock/scenarios",
        handler=scenarios.list_scenarios,
        answers=((200, "scenarios"),),
    ),
    _sandbox(
        name="run_scenario",
        method="POST",
        path="/_mock/scenarios/{name}/run",
        handler=scenarios.run_scenario,
        answers=((200, "scenario_report"),),
        body="optional",
        errors=(400, 404),
    ),
)
"""The sandbox's own endpoints: everything a test needs beside Klarna's APIs."""

OPERATIONS = INSTANT_SHOPPING + ORDER_MANAGEMENT + CUSTOMER_TOKENS + SANDBOX + BROWSER
