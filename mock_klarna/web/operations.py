"""The table of all endpoints, a row each: those of the sandbox, and with them those of Klarna's APIs and of the browser.

The routes, the OpenAPI document and the tables in the documentation follow from it.
"""

from functools import partial

from mock_klarna.web import control, customer_tokens, export, findings, journal, query, scenarios
from mock_klarna.web.browser_table import BROWSER
from mock_klarna.web.klarna_table import CUSTOMER_TOKENS, INSTANT_SHOPPING, ORDER_MANAGEMENT
from mock_klarna.web.operation import NO_BODY, UNKNOWN_PATH, WRONG_METHOD, Api, Operation
from mock_klarna.web.request import EVENT_STREAM, HTML, PEM, TEXT

_NO_CONTENT = ((204, NO_BODY),)
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
        parameters=(query.PURCHASE_STATE, query.BEFORE_PURCHASE, query.LIMIT),
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
        name="export_html",
        method="GET",
        path="/_mock/purchases/{purchase_id}/export.html",
        handler=export.as_html,
        media=HTML,
        errors=(404,),
    ),
    _sandbox(
        name="export_har",
        method="GET",
        path="/_mock/purchases/{purchase_id}/export.har",
        handler=export.as_har,
        answers=((200, "http_archive"),),
        errors=(404,),
    ),
    _sandbox(
        name="journal",
        method="GET",
        path="/_mock/journal",
        handler=journal.list_entries,
        answers=((200, "journal"),),
        parameters=(*_JOURNAL_FILTER, query.AFTER, query.ORDER, query.LIMIT, query.WAIT, query.DETAIL),
    ),
    _sandbox(
        name="events",
        method="GET",
        path="/_mock/events",
        handler=journal.stream_entries,
        parameters=(*_JOURNAL_FILTER, query.AFTER_OR_LAST_SEEN, query.INTERVAL, query.DETAIL, query.LAST_EVENT_ID),
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
        name="forge_callback",
        counters=("token", "callback"),
        method="POST",
        path="/_mock/callbacks",
        handler=control.forge_callback,
        body="required",
        answers=((201, "callback"),),
        errors=(404, 409),
        headers=("Location",),
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
