"""The file with every request of the HTTP API, made from the OpenAPI document, and how it is run.

`python -m tests.documentation.http_file` writes `docs/examples/requests.http`. Methods, paths and descriptions come from
the document. This module has the order of the requests, their bodies, and what later requests need of an answer.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mock_klarna.validation import Validator
from mock_klarna.web.openapi import document
from mock_klarna.web.operations import OPERATIONS
from tests.documentation.pages import ROOT

FILE = ROOT / "docs" / "examples" / "requests.http"
LEFT_OUT = {"events": "its answer does not end"}
"""Operations that are not in the file, with the reason. Those that only browsers call are not in it either."""

_URLS = {"place_order": "http://127.0.0.1:3000/klarna/place-order", "terms": "http://127.0.0.1:3000/terms"}
_SUBSCRIBE = {**_URLS, "create_customer_token": "http://127.0.0.1:3000/klarna/token"}
_BUY = {"button_key": "{{button_key}}", "cart": "se-battery-pack", "shopper": "se-approved", "wait": 0}
_ORDER = {"cart": "se-battery-pack", "shopper": "se-approved"}
_LINE = {"name": "Tea", "quantity": 1, "unit_price": 9000, "total_amount": 9000, "tax_rate": 0, "total_tax_amount": 0}
_SHIPMENT = {"shipping_info": [{"shipping_company": "DHL", "tracking_number": "63456415674545679874"}]}
_PHONE = {"shipping_address": {"phone": "+46 701 740 615"}}
_TOKEN_ORDER = {
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "locale": "sv-SE",
    "order_amount": 9000,
    "order_tax_amount": 0,
    "order_lines": [_LINE],
}
_BOUGHT = {
    "purchase_id": "body.purchase_id",
    "authorization_token": "body.authorization_token",
    "order": "JSON body.order",
}
_STORY: list[tuple[str, Any, Mapping[str, str]]] = [
    ("health", None, {}),
    ("openapi", None, {}),
    ("authority", None, {}),
    ("list_shoppers", None, {}),
    ("reset", {"seed": "1"}, {}),
    ("create_button", {"merchant_urls": _URLS}, {"button_key": "body.button_key"}),
    ("get_button", None, {}),
    ("update_button", {"merchant_urls": _URLS, "name": "Product page"}, {}),
    ("create_purchase", _BUY, _BOUGHT),
    ("list_purchases", None, {}),
    ("get_purchase", None, {}),
    ("page_calls", None, {}),
    ("export_html", None, {}),
    ("export_har", None, {}),
    ("get_authorization", None, {}),
    ("create_order", "{{order}}", {}),
    ("list_callbacks", None, {"callback_id": "body.callbacks[0].callback_id"}),
    ("get_callback", None, {}),
    ("resend_callback", {"change": {"order.order_amount": 1}}, {}),
    ("forge_callback", {"purchase_id": "{{purchase_id}}"}, {}),
    ("create_purchase", _BUY, _BOUGHT),
    ("deny_authorization", {"deny_code": "item_out_of_stock"}, {}),
    ("journal", None, {"seq": "body.entries[0].seq"}),
    ("journal_entry", None, {}),
    ("findings", None, {}),
    ("list_refusals", None, {}),
    ("list_merchants", None, {}),
    ("show_settings", None, {}),
    ("add_order", _ORDER, {"order_id": "body.order_id"}),
    ("list_orders", None, {}),
    ("get_order", None, {}),
    ("get_managed_order", None, {}),
    ("acknowledge_order", None, {}),
    ("update_merchant_references", {"merchant_reference1": "A-1"}, {}),
    ("update_customer_details", _PHONE, {}),
    ("add_shipping_info", _SHIPMENT, {}),
    ("extend_authorization_time", None, {}),
    ("capture_order", {"captured_amount": 100000}, {"capture_id": "header Capture-Id"}),
    ("list_captures", None, {}),
    ("get_capture", None, {}),
    ("add_capture_shipping_info", _SHIPMENT, {}),
    ("update_capture_customer_details", _PHONE, {}),
    ("trigger_send_out", None, {}),
    ("get_due_date_options", None, {}),
    ("extend_due_date", {"number_of_days": 14}, {}),
    ("refund_order", {"refunded_amount": 50000}, {"refund_id": "header Refund-Id"}),
    ("get_refund", None, {}),
    ("release_remaining_authorization", None, {}),
    ("close_order", None, {}),
    ("add_order", _ORDER, {"order_id": "body.order_id"}),
    ("update_order_authorization", {"order_amount": 9000, "order_lines": [_LINE]}, {}),
    ("cancel_order", None, {}),
    ("add_order", {**_ORDER, "outcome": "PENDING"}, {"order_id": "body.order_id"}),
    ("decide_fraud_review", {"fraud_status": "ACCEPTED"}, {}),
    ("create_button", {"merchant_urls": _SUBSCRIBE}, {"button_key": "body.button_key"}),
    ("create_purchase", _BUY, _BOUGHT),
    ("create_token", {"description": "Tea each month"}, {"customer_token": "body.token_id"}),
    ("get_token", None, {}),
    ("find_token", None, {}),
    ("order_from_token", _TOKEN_ORDER, {}),
    ("set_token_status", {"status": "SUSPENDED"}, {}),
    ("create_purchase", _BUY, _BOUGHT),
    ("create_token_of_payments", {"description": "Tea each month"}, {"customer_token": "body.token_id"}),
    ("update_token_status", {"status": "CANCELLED"}, {}),
    ("get_clock", None, {}),
    ("list_jobs", None, {}),
    ("set_clock", {"advance": "2h"}, {}),
    ("create_fault", {"on": "request", "operation": "get_managed_order", "times": 1, "status": 503}, {}),
    ("list_faults", None, {}),
    ("clear_faults", None, {}),
    ("get_snapshot", None, {"snapshot": "JSON body"}),
    ("put_snapshot", "{{snapshot}}", {}),
    ("save_snapshot", None, {}),
    ("list_snapshots", None, {}),
    ("get_saved_snapshot", None, {}),
    ("load_snapshot", None, {}),
    ("delete_snapshot", None, {}),
    ("list_scenarios", None, {}),
    ("run_scenario", {}, {}),
]


@dataclass(frozen=True)
class Operation:
    """An operation of the OpenAPI document."""

    method: str
    path: str
    summary: str


def operations() -> dict[str, Operation]:
    """Return the operations of the OpenAPI document by name, without those that only browsers call."""
    found = {}
    for path, item in document(OPERATIONS, Validator())["paths"].items():
        for method, details in item.items():
            if method in ("get", "post", "put", "patch", "delete") and not path.startswith("/instantshopping/sdk"):
                found[details["operationId"]] = Operation(method.upper(), path, details["summary"])
    return found


def text() -> str:
    """Return the content of the file."""
    known = operations()
    head = (
        "# Every request of mock-klarna, in an order in which each succeeds. For the HTTP clients of JetBrains' IDEs and for\n"
        "# httpYac. Made from the OpenAPI document by `python -m tests.documentation.http_file`. `mock-klarna serve --tls`\n"
        "# also answers the request for the certificate authority. No shop is needed.\n"
        "@url = http://127.0.0.1:8080\n@name = dead-merchant\n@snapshot_name = paid\n"
    )
    return head + "".join(_request(name, known[name], body, saved) for name, body, saved in _STORY)


def _request(name: str, operation: Operation, body: Any, saved: Mapping[str, str]) -> str:
    path = operation.path.replace("{", "{{").replace("}", "}}")
    lines = [
        "",
        f"### {name}: {operation.summary}",
        f"{operation.method} {{{{url}}}}{path}",
        "Authorization: Basic K123 secret",
    ]
    if body is not None:
        lines += ["Content-Type: application/json", "", body if isinstance(body, str) else json.dumps(body, indent=2)]
    if saved:
        lines += [
            "",
            "> {%",
            *(f"  client.global.set({json.dumps(key)}, {_value(of)});" for key, of in saved.items()),
            "%}",
        ]
    return "\n".join(lines) + "\n"


def _value(of: str) -> str:
    """Return the script that reads a part of the answer."""
    if of.startswith("header "):
        return f'response.headers.valueOf("{of.removeprefix("header ")}")'
    if of.startswith("JSON "):
        return f"JSON.stringify(response.{of.removeprefix('JSON ')})"
    return f"response.{of}"


@dataclass(frozen=True)
class Request:
    """A request of the file: its name, what to send with `{{variables}}`, and the variables that its answer sets."""

    name: str
    method: str
    url: str
    body: str
    saved: Mapping[str, str]


def parsed(content: str) -> Iterator[Request]:
    """Return the requests of the file."""
    saves = {_value(of): of for _, _, saved in _STORY for of in saved.values()}
    for part in content.split("\n### ")[1:]:
        request, _, script = part.partition("\n> {%")
        head, _, body = request.partition("\n\n")
        title, line, *_ = head.splitlines()
        method, url = line.split(" ", 1)
        set_here = re.findall(r'client\.global\.set\("(\w+)", (.+)\);', script)
        yield Request(
            title.partition(":")[0], method, url, body.strip(), {key: saves[value] for key, value in set_here}
        )


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
