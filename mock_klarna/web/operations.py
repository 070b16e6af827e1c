"""Every endpoint, one row each. Routes, the OpenAPI document and the README's table are made from these rows."""

from mock_klarna.web import clock, control, customer_tokens, klarna, placed_orders, scenarios, shoppers
from mock_klarna.web.authority import get_authority
from mock_klarna.web.bodies import Outline
from mock_klarna.web.call import EVENT_STREAM, PEM
from mock_klarna.web.operation import Operation
from mock_klarna.web.order_operations import CUSTOMER_TOKENS, ORDER_MANAGEMENT
from mock_klarna.web.stream import events

__all__ = ["INSTANT_SHOPPING", "KLARNA", "MOCK", "OPERATIONS", "Operation"]

BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATION = "/instantshopping/v1/authorizations/{authorization_token}"

INSTANT_SHOPPING = (
    Operation(
        "create_button",
        "POST",
        BUTTONS,
        klarna.create_button,
        "required",
        ((201, "button"),),
        headers=("Location",),
    ),
    Operation("get_button", "GET", BUTTONS + "/{button_key}", klarna.get_button, "", ((200, "button"),), (403, 404)),
    Operation(
        "update_button",
        "PUT",
        BUTTONS + "/{button_key}",
        klarna.update_button,
        "required",
        ((200, "button"),),
        (403, 404),
        guard=klarna.own_button,
    ),
    Operation("get_authorization", "GET", AUTHORIZATION, klarna.get_authorization, "", ((200, "order"),), (403, 404)),
    Operation(
        "deny_authorization",
        "DELETE",
        AUTHORIZATION,
        klarna.deny_authorization,
        "optional",
        ((204, ""),),
        (403, 404),
        guard=klarna.own_authorization,
    ),
    Operation(
        "create_order",
        "POST",
        AUTHORIZATION + "/orders",
        klarna.create_order,
        "required",
        ((200, "created_order"),),
        (403, 404),
        guard=klarna.own_order,
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
        "required",
        ((204, ""),),
        (400, 403),
        most_body=1 << 28,
        outline=Outline(control.snapshot_outline, levels=5),
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
