"""Every endpoint, one row each. Routes, the OpenAPI document and the README's table are made from these rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mock_klarna.web import control, klarna, scenarios
from mock_klarna.web.authority import get_authority
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk

Handler = Callable[[Desk, Call], Awaitable[Reply]]
BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATION = "/instantshopping/v1/authorizations/{authorization_token}"
BROWSER_PATH = "/instantshopping/sdk"


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint: its name is also that of `schemas/requests/<name>.json` where it takes a body.

    `body` is "required", "optional" or "" (whatever is sent is not read); `answers` maps a status to the component that
    describes its body, "" for none; `errors` are the statuses that a caller should be ready for.
    """

    name: str
    method: str
    path: str
    handler: Handler
    body: str = ""
    answers: tuple[tuple[int, str], ...] = ((200, ""),)
    errors: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    most_body: int | None = None

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().splitlines()[0]

    @property
    def is_klarnas(self) -> bool:
        """Whether merchants knew this endpoint as Klarna's."""
        return not self.path.startswith(("/_mock", BROWSER_PATH))

    @property
    def is_browsers(self) -> bool:
        """Whether shoppers' browsers call this endpoint, from pages of any origin and without credentials."""
        return self.path.startswith(BROWSER_PATH)


KLARNA = (
    Operation(
        "create_button", "POST", BUTTONS, klarna.create_button, "required", ((201, "button"),), (400, 401, 413, 415)
    ),
    Operation(
        "get_button", "GET", BUTTONS + "/{button_key}", klarna.get_button, "", ((200, "button"),), (401, 403, 404)
    ),
    Operation(
        "update_button",
        "PUT",
        BUTTONS + "/{button_key}",
        klarna.update_button,
        "required",
        ((200, "button"),),
        (400, 401, 403, 404, 413, 415),
    ),
    Operation(
        "get_authorization", "GET", AUTHORIZATION, klarna.get_authorization, "", ((200, "order"),), (401, 403, 404)
    ),
    Operation(
        "deny_authorization",
        "DELETE",
        AUTHORIZATION,
        klarna.deny_authorization,
        "optional",
        ((204, ""),),
        (400, 401, 403, 404, 413, 415),
    ),
    Operation(
        "create_order",
        "POST",
        AUTHORIZATION + "/orders",
        klarna.create_order,
        "required",
        ((200, "created_order"),),
        (400, 401, 403, 404, 413, 415),
    ),
)
"""Klarna's own endpoints (protocol 2)."""

_WATCH = ("merchant", "kind", "name", "purchase_id", "after", "limit")
MOCK = (
    Operation("health", "GET", "/_mock/health", control.health),
    Operation("openapi", "GET", "/_mock/openapi.json", control.openapi),
    Operation("authority", "GET", "/_mock/ca.pem", get_authority, errors=(404,)),
    Operation(
        "create_purchase",
        "POST",
        "/_mock/purchases",
        control.create_purchase,
        "required",
        ((201, ""),),
        (400, 404, 409),
    ),
    Operation("list_purchases", "GET", "/_mock/purchases", control.list_purchases, parameters=("merchant", "limit")),
    Operation(
        "get_purchase",
        "GET",
        "/_mock/purchases/{purchase_id}",
        control.get_purchase,
        errors=(404,),
        parameters=("wait",),
    ),
    Operation("journal", "GET", "/_mock/journal", control.journal, errors=(400,), parameters=(*_WATCH, "wait")),
    Operation("journal_entry", "GET", "/_mock/journal/{seq}", control.journal_entry, errors=(404,)),
    Operation(
        "list_callbacks",
        "GET",
        "/_mock/callbacks",
        control.list_callbacks,
        parameters=("merchant", "purchase_id", "limit"),
    ),
    Operation("get_callback", "GET", "/_mock/callbacks/{callback_id}", control.get_callback, errors=(404,)),
    Operation(
        "resend_callback", "POST", "/_mock/callbacks/{callback_id}/resend", control.resend_callback, errors=(404,)
    ),
    Operation("get_order", "GET", "/_mock/orders/{order_id}", control.get_order, errors=(404,)),
    Operation(
        "decide_fraud_review",
        "POST",
        "/_mock/orders/{order_id}/decision",
        control.decide,
        "required",
        errors=(400, 404, 409),
    ),
    Operation("get_clock", "GET", "/_mock/clock", control.get_clock, parameters=("merchant",)),
    Operation(
        "set_clock", "POST", "/_mock/clock", control.set_clock, "required", errors=(400,), parameters=("merchant",)
    ),
    Operation(
        "create_fault", "POST", "/_mock/faults", control.create_fault, "required", ((201, ""),), (400,), ("merchant",)
    ),
    Operation("list_faults", "GET", "/_mock/faults", control.list_faults, parameters=("merchant",)),
    Operation(
        "clear_faults", "DELETE", "/_mock/faults", control.clear_faults, answers=((204, ""),), parameters=("merchant",)
    ),
    Operation("reset", "POST", "/_mock/reset", control.reset, "optional", ((204, ""),), (400,), ("merchant",)),
    Operation("get_snapshot", "GET", "/_mock/snapshot", control.get_snapshot, parameters=("merchant",)),
    Operation(
        "put_snapshot",
        "PUT",
        "/_mock/snapshot",
        control.put_snapshot,
        "required",
        ((204, ""),),
        (400,),
        most_body=1 << 28,
    ),
    Operation("list_shoppers", "GET", "/_mock/shoppers", control.list_shoppers, parameters=("country",)),
    Operation("list_scenarios", "GET", "/_mock/scenarios", scenarios.list_scenarios),
    Operation(
        "run_scenario", "POST", "/_mock/scenarios/{name}/run", scenarios.run_scenario, "optional", errors=(400, 404)
    ),
)
"""The sandbox's own endpoints."""

OPERATIONS = KLARNA + MOCK
"""All rows but those of `browser_operations`. `GET /_mock/events` streams the journal and is routed beside them."""
