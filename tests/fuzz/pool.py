"""Objects on the server, so that generated requests get more than a 404."""

import base64
import json
import random
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

CLOSED = "http://127.0.0.1:1"
_USES = 40
_LINE = {"name": "A", "quantity": 1, "unit_price": 1000, "tax_rate": 0, "total_amount": 1000, "total_tax_amount": 0}
_PAGE = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_lines": [_LINE]}
_URLS = dict.fromkeys(("terms", "confirmation", "push", "notification"), CLOSED)


class Pool:
    """Ids by the name of the path parameter; all are created again after some uses, because requests use them up."""

    def __init__(self, url: str, credentials: str, rng: random.Random) -> None:
        self._url = url.rstrip("/")
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}",
            "Content-Type": "application/json",
        }
        self._rng = rng
        self._ids: dict[str, str] = {}
        self._left = 0

    def get(self, name: str) -> str | None:
        """Return an id for a path parameter, or None if there is no such object."""
        if not self._left:
            self._left = _USES
            self._ids = self._create()
        self._left -= 1
        return self._ids.get(name)

    def _create(self) -> dict[str, str]:
        key = self._ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": _URLS | {"place_order": CLOSED}})[0]
        placed = self._authorized(key["button_key"], self._rng.choice(["ACCEPTED", "ACCEPTED", "PENDING"]))
        order_id = self._placed(placed)
        waiting = self._authorized(key["button_key"], "ACCEPTED")
        token = self._token()
        setup = {"setup": {"key": key["button_key"], "instance_id": "1"}, **_PAGE}
        session, _ = self._ask("POST", "/instantshopping/sdk/sessions", {"options": setup})
        return {
            "button_key": key["button_key"],
            "purchase_id": placed["purchase_id"],
            "authorization_token": waiting["authorization_token"],
            "order_id": order_id,
            "customer_token": token,
            "session_id": str(session.get("session_id") or session.get("purchase_id") or "none"),
            **self._captured(order_id),
        }

    def _authorized(self, button_key: str, outcome: str) -> Any:
        body = {"button_key": button_key, "page": _PAGE, "wait": 0, "outcome": outcome}
        return self._ask("POST", "/_mock/purchases", body)[0]

    def _placed(self, purchase: Any) -> str:
        path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
        return str(self._ask("POST", path, purchase["order"])[0]["order_id"])

    def _captured(self, order_id: str) -> dict[str, str]:
        path = f"/ordermanagement/v1/orders/{order_id}"
        _, capture = self._ask("POST", f"{path}/captures", {"captured_amount": 300})
        _, refund = self._ask("POST", f"{path}/refunds", {"refunded_amount": 100})
        found = {"capture_id": capture.get("Capture-Id"), "refund_id": refund.get("Refund-Id")}
        return {name: value for name, value in found.items() if value}

    def _token(self) -> str:
        urls = _URLS | {"create_customer_token": CLOSED}
        key, _ = self._ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls})
        agreed = self._authorized(key["button_key"], "ACCEPTED")
        path = f"/instantshopping/v1/authorizations/{agreed['authorization_token']}/customer-token"
        return str(self._ask("POST", path, {})[0]["token_id"])

    def _ask(self, method: str, path: str, body: Any) -> tuple[Any, Mapping[str, str]]:
        request = urllib.request.Request(self._url + path, json.dumps(body).encode(), self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                raw = answer.read()
                return json.loads(raw) if raw else {}, answer.headers
        except urllib.error.HTTPError as refused:
            return json.loads(refused.read()), {}
