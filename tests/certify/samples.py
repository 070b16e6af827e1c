"""Journals of small shops, for each rule one that obeys it and one that breaks it."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.certify import Gaps, Traffic

Json = dict[str, Any]
_START = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN, BUTTON_KEY, ORDER_ID, PURCHASE_ID = "token-1", "button-1", "order-1", "purchase-1"
OTHER_TOKEN, CHEATED = "token-2", "purchase-2"
AUTHORIZATION = f"/instantshopping/v1/authorizations/{TOKEN}"
ORDER = f"/ordermanagement/v1/orders/{ORDER_ID}"
URLS = {
    name: f"https://shop.example.com/klarna/{name}/6f1ec1a9d2b84c7e93d1"
    for name in ("place_order", "push", "notification", "update", "terms", "confirmation")
}
AUTHORIZED: Json = {
    **json.loads((Path(resources.fixtures()) / "carts" / "se-battery-pack.json").read_bytes()),
    "order_amount": 124000,
    "order_tax_amount": 24800,
    "billing_address": {"given_name": "Sara", "postal_code": "111 48", "country": "SE"},
}
AUTHORIZED["order_lines"] = [
    *AUTHORIZED["order_lines"],
    {
        "type": "shipping_fee",
        "reference": "express",
        "name": "Express",
        "quantity": 1,
        "unit_price": 5000,
        "tax_rate": 2500,
        "total_amount": 5000,
        "total_tax_amount": 1000,
    },
]


class Journal:
    """A journal that grows by an entry a second; each method adds entries and returns the journal."""

    def __init__(self) -> None:
        self.entries: list[Json] = []
        self.seconds = 0.0
        self.merchant_urls: Json = AUTHORIZED["merchant_urls"]

    def traffic(self, dropped: int = 0) -> Traffic:
        """Return what the rules look at."""
        return Traffic("shop", self.entries, Gaps(dropped=dropped))

    def later(self, seconds: float) -> "Journal":
        """Let time pass."""
        self.seconds += seconds
        return self

    def _add(self, kind: str, name: str, **members: object) -> "Journal":
        self.seconds += 1
        at = (_START + timedelta(seconds=self.seconds)).isoformat()
        common = {"seq": len(self.entries) + 1, "at": at, "merchant": "shop", "kind": kind, "name": name}
        self.entries.append({**common, "purchase_id": PURCHASE_ID, **members})
        return self

    def sent(
        self,
        name: str,
        path: str,
        body: object = None,
        status: int = 200,
        answer: object = None,
        headers: Mapping[str, str] = {"User-Agent": "Shop/1.0"},
        **members: object,
    ) -> "Journal":
        """Add a request of the merchant."""
        return self._add(
            "exchange",
            name,
            **{
                "method": "POST",
                "path": path,
                "status": status,
                "request_headers": [list(pair) for pair in headers.items()],
                "request_body": body,
                "response_body": answer,
                "explanation": None,
                "problems": [],
                "duration_ms": 1.0,
                "injected": None,
                **members,
            },
        )

    def called(
        self,
        name: str,
        body: object,
        status: int | None = 200,
        url: str = "",
        injected: object = None,
        **members: object,
    ) -> "Journal":
        """Add an attempt to send a callback; `injected` is what the sandbox did on purpose."""
        sent = {"request_body": body, "status": status, "number": 1, "duration_ms": 1.0, "injected": injected}
        return self._add("callback", name, **{"url": url or URLS[name], **sent, **members})

    def happened(self, name: str, **members: object) -> "Journal":
        """Add an event."""
        return self._add("event", name, **members)

    def button(self, **options: object) -> "Journal":
        """Create a button key."""
        body: Json = {"merchant_urls": URLS, **options}
        self.merchant_urls = {**AUTHORIZED["merchant_urls"], **body["merchant_urls"]}
        answer = {"button_key": BUTTON_KEY, **body}
        return self.sent("create_button", "/instantshopping/v1/buttons", body, 201, answer)

    def page(self, *problems: Json, name: str = "sdk_load") -> "Journal":
        """Load the button of a page whose options have problems."""
        body = {"options": {"setup": {"key": BUTTON_KEY}}}
        headers = {"User-Agent": "Mozilla/5.0", "Origin": "https://shop.example.com"}
        return self.sent(name, "/instantshopping/sdk/load", body, headers=headers, problems=list(problems))

    def authorized(self, status: int | None = 200, url: str = "", **order: object) -> "Journal":
        """Start a session, and send the place_order callback. Its order has the URLs of the button key and of `AUTHORIZED`."""
        authorized = {**AUTHORIZED, "merchant_urls": self.merchant_urls, **order}
        body = {"authorization_token": TOKEN, "button_key": BUTTON_KEY, "order": authorized}
        self.happened("session_initiated", button_key=BUTTON_KEY)
        return self.called("place_order", body, status, url)

    def called_back(self, token: str = TOKEN, status: int | None = 200, **injected: object) -> "Journal":
        """Send a place_order callback that the sandbox sends on purpose, or to which it does something."""
        authorized = {**AUTHORIZED, "merchant_urls": self.merchant_urls}
        body = {"authorization_token": token, "button_key": BUTTON_KEY, "order": authorized}
        return self.called("place_order", body, status, injected=injected)

    def read(self, status: int = 200, token: str = TOKEN) -> "Journal":
        """Read the authorization."""
        path = AUTHORIZATION.replace(TOKEN, token)
        return self.sent("get_authorization", path, None, status, AUTHORIZED if status == 200 else {}, method="GET")

    def posted(
        self, status: int = 200, token: str = TOKEN, injected: object = None, order_id: str = ORDER_ID, **order: object
    ) -> "Journal":
        """Post the order."""
        body = {**AUTHORIZED, "merchant_reference1": "1001", **order}
        answer = {"order_id": order_id} if status == 200 else {}
        path = f"{AUTHORIZATION.replace(TOKEN, token)}/orders"
        return self.sent("create_order", path, body, status, answer, injected=injected)

    def denied(self, status: int = 204, token: str = TOKEN, **body: object) -> "Journal":
        """Deny the authorization."""
        return self.sent("deny_authorization", AUTHORIZATION.replace(TOKEN, token), body, status, method="DELETE")

    def cheated(self, cheat: str) -> "Journal":
        """Let another shopper cheat, and send the place_order callback."""
        members = {"path": "order_lines[0].unit_price", "before": "119000", "after": "1190", "purchase_id": CHEATED}
        self.happened("cart_changed", cheat=cheat, **members)
        body = {"authorization_token": OTHER_TOKEN, "button_key": BUTTON_KEY, "order": AUTHORIZED}
        return self.called("place_order", body, purchase_id=CHEATED)

    def placed(self, fraud_status: str = "ACCEPTED") -> "Journal":
        """Add all of a purchase that goes well, until the order is placed."""
        self.button().authorized().read().posted()
        return self.happened("purchase_placed", order_id=ORDER_ID, fraud_status=fraud_status, order_amount=124000)

    def pushed(self, status: int | None = 200, **injected: object) -> "Journal":
        """Push the order."""
        return self.called("push", None, status, injected=injected or None)

    def captured(self, key: str | None = "k-1", amount: int = 1000, status: int = 201, **members: object) -> "Journal":
        """Capture a part."""
        headers = {"User-Agent": "Shop/1.0"} | ({"Klarna-Idempotency-Key": key} if key else {})
        body = {"captured_amount": amount, "shipping_info": [{"tracking_number": "1"}]}
        return self.sent("capture_order", f"{ORDER}/captures", body, status, headers=headers, **members)

    def acknowledged(self) -> "Journal":
        """Acknowledge the order."""
        self.happened("order_acknowledged", order_id=ORDER_ID)
        return self.sent("acknowledge_order", f"{ORDER}/acknowledge", status=204)


def _line(**members: object) -> list[Json]:
    return [{**AUTHORIZED["order_lines"][0], **members}, *AUTHORIZED["order_lines"][1:]]


def _without(mapping: Mapping[str, Any], *names: str) -> Json:
    return {name: value for name, value in mapping.items() if name not in names}


DROPPED, UNAVAILABLE = {"fault_id": "f", "drop": True}, {"fault_id": "f", "status": 503}
FORGED = "token-forged"
EXPIRED = "authorization_expired"


def unavailable(*pauses: float) -> Journal:
    """Return a journal with an order that is tried again after these pauses, in seconds."""
    journal = Journal().authorized()
    for pause in pauses:
        journal.posted(503, injected=UNAVAILABLE).later(pause - 1)
    return journal.posted()


WITHOUT_TERMS = {"path": "merchant_urls.terms", "rule": "required", "value": None, "expected": "a URL", "hint": ""}
_PROBLEM = {"path": "order_lines[0].total_tax_amount", "rule": "line_tax", "value": 1, "expected": "23800", "hint": ""}
Sample = Callable[[], Journal]

SAMPLES: Mapping[str, tuple[Sample, Sample]] = {
    "K1": (
        lambda: Journal().button(),
        lambda: Journal().button(merchant_urls={**URLS, "push": "http://shop.example.com/push"}),
    ),
    "K2": (lambda: Journal().button().authorized(), lambda: Journal().button().button()),
    "K3": (
        lambda: Journal().placed(),
        lambda: Journal().button(merchant_urls=_without(URLS, "push")).authorized().posted(),
    ),
    "K4": (
        lambda: Journal().placed(),
        lambda: Journal().button(merchant_urls=_without(URLS, "confirmation")).authorized().posted(),
    ),
    "K5": (
        lambda: Journal().button(),
        lambda: Journal().button(merchant_urls=_without(URLS, "terms")).page(WITHOUT_TERMS),
    ),
    "K6": (lambda: Journal().authorized(), lambda: Journal().authorized(order_lines=_line(image_url="Array"))),
    "K7": (lambda: Journal().authorized(), lambda: Journal().authorized(order_lines=_line(reference="express"))),
    "K8": (lambda: Journal().authorized(), lambda: Journal().authorized(locale="sv-FI")),
    "K9": (
        lambda: Journal().read(),
        lambda: Journal().sent("get_authorization", AUTHORIZATION, headers={"Origin": "https://shop.example.com"}),
    ),
    "K10": (
        lambda: Journal().happened("session_initiated", button_key=BUTTON_KEY, load_callback="with_parameters"),
        lambda: Journal().happened("session_initiated", button_key=BUTTON_KEY, load_callback="none"),
    ),
    "C1": (lambda: Journal().placed(), lambda: Journal().authorized().happened("purchase_timed_out", seconds=60.0)),
    "C2": (lambda: Journal().placed(), lambda: Journal().authorized().later(5).posted()),
    "C3": (lambda: Journal().placed(), lambda: Journal().authorized().posted()),
    "C4": (
        lambda: Journal().called_back(FORGED, forged=True).read(404, FORGED),
        lambda: Journal().called_back(FORGED, forged=True).posted(404, FORGED),
    ),
    "C6": (
        lambda: Journal().called_back(status=None, drop=True).happened(EXPIRED).called_back(resent=True).read(404),
        lambda: (
            Journal()
            .called_back(status=None, drop=True)
            .happened(EXPIRED)
            .called_back(resent=True)
            .read(404)
            .posted(404)
        ),
    ),
    "C7": (
        lambda: Journal().placed().called_back(OTHER_TOKEN).posted(token=OTHER_TOKEN, order_id="order-2"),
        lambda: Journal().placed().called_back(OTHER_TOKEN).denied(token=OTHER_TOKEN, deny_code="other"),
    ),
    **{
        rule: (
            lambda cheat=cheat: Journal().placed().cheated(cheat).denied(token=OTHER_TOKEN, deny_code="other"),  # type: ignore[misc]
            lambda cheat=cheat: Journal().placed().cheated(cheat).posted(token=OTHER_TOKEN),  # type: ignore[misc]
        )
        for rule, cheat in (
            ("V1", "price"),
            ("V2", "quantity"),
            ("V3", "country"),
            ("V4", "shipping_price"),
            ("V5", "article"),
        )
    },
    "C5": (
        lambda: Journal().authorized().posted().authorized().posted(),
        lambda: Journal().authorized().posted().authorized().posted(403, merchant_reference1="1002"),
    ),
    "C8": (lambda: Journal().authorized(), lambda: Journal().authorized(url="https://shop.example.com/place-order")),
    "C9": (lambda: Journal().authorized(), lambda: Journal().authorized(status=302)),
    "C10": (
        lambda: Journal().called("update", {}, 304),
        lambda: Journal().called("update", {}, 500).happened("update_ignored", reason="answered 500"),
    ),
    "D1": (
        lambda: Journal().authorized().denied(deny_code="address_error"),
        lambda: Journal().authorized().denied(400, deny_code="no_stock"),
    ),
    "D2": (
        lambda: Journal().authorized().denied(deny_code="other", deny_message="Slut"),
        lambda: Journal().authorized().denied(deny_code="other"),
    ),
    "D3": (
        lambda: Journal().authorized().denied(deny_redirect_url="https://shop.example.com"),
        lambda: Journal().authorized().denied(deny_redirect_url="https://shop.example.com", deny_code="other"),
    ),
    "D4": (
        lambda: Journal().authorized(status=500).denied(deny_code="address_error"),
        lambda: Journal().authorized(status=422),
    ),
    "O1": (lambda: Journal().placed(), lambda: Journal().authorized().posted(order_amount=119000)),
    "O2": (
        lambda: Journal().placed(),
        lambda: Journal().sent("create_order", AUTHORIZATION, {}, 400, problems=[_PROBLEM]),
    ),
    "O3": (
        lambda: Journal().placed(),
        lambda: Journal().authorized().posted(order_lines=AUTHORIZED["order_lines"][:1]),
    ),
    "O4": (lambda: Journal().placed(), lambda: Journal().authorized().posted(merchant_reference1="")),
    "O5": (
        lambda: Journal().placed(),
        lambda: Journal().authorized().posted(billing_address={"postal_code": "11148", "country": "SE"}),
    ),
    "O6": (
        lambda: (
            Journal()
            .placed("PENDING")
            .happened("fraud_review_ended", order_id=ORDER_ID, fraud_status="ACCEPTED")
            .captured()
        ),
        lambda: Journal().placed("PENDING").captured(),
    ),
    "O7": (lambda: Journal().placed("REJECTED"), lambda: Journal().placed("REJECTED").captured()),
    "O8": (
        lambda: Journal().authorized().posted(injected=DROPPED).posted(),
        lambda: Journal().authorized().posted(injected=DROPPED).posted(403, merchant_reference1="1002"),
    ),
    "O9": (lambda: unavailable(1, 2), lambda: unavailable(3, 0.6)),
    "O10": (lambda: Journal().placed(), lambda: Journal().placed().denied(403, deny_code="other")),
    "O11": (lambda: Journal().placed().posted(), lambda: Journal().placed().posted(403, merchant_reference1="1002")),
    "M1": (lambda: Journal().placed().pushed().acknowledged(), lambda: Journal().placed().acknowledged()),
    "M2": (lambda: Journal().placed().pushed().acknowledged(), lambda: Journal().placed().pushed().pushed().pushed()),
    "M3": (
        lambda: Journal().placed().pushed().captured().pushed(resent=True).captured(),
        lambda: Journal().placed().pushed().captured().pushed(resent=True).captured(key="k-2"),
    ),
    "M5": (
        lambda: Journal().captured(injected=DROPPED).captured(),
        lambda: Journal().captured(injected=DROPPED).captured(key="k-2"),
    ),
    "M9": (
        lambda: Journal().placed().later(27 * 86_400).captured(),
        lambda: Journal().placed().later(29 * 86_400).captured(status=403),
    ),
    "M4": (lambda: Journal().captured(), lambda: Journal().captured(key=None)),
    "M6": (lambda: Journal().captured().captured(), lambda: Journal().captured().captured(amount=2000)),
    "M7": (
        lambda: Journal().captured(),
        lambda: Journal().captured().sent("cancel_order", f"{ORDER}/cancel", status=403),
    ),
    "M8": (
        lambda: Journal().placed().captured(),
        lambda: Journal().placed().sent("capture_order", f"{ORDER}/captures", {"captured_amount": 1}, 201),
    ),
    "T1": (
        lambda: Journal().read(),
        lambda: Journal().sent("get_authorization", AUTHORIZATION, headers={"User-Agent": "GuzzleHttp/7"}),
    ),
    "T3": (
        lambda: Journal().read(),
        lambda: Journal().called("push", None, url="https://shop.example.com/push?email=sara%40example.com"),
    ),
}
"""For each rule that the journal can decide: a journal that obeys it, and one that breaks it."""
