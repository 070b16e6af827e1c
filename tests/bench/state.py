"""What the benchmarks send: requests of one merchant, and a snapshot with many authorized purchases."""

import base64
from typing import Any

import orjson

from mock_klarna import resources
from mock_klarna.emulator.context import uuid_from

MERCHANT = "bench"
BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATIONS = "/instantshopping/v1/authorizations"
HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"{MERCHANT}:secret".encode()).decode(),
    "Content-Type": "application/json",
}


def request(method: str, path: str, body: bytes | None = None) -> bytes:
    """Return the bytes of an HTTP request."""
    length = {} if body is None else {"Content-Length": str(len(body))}
    headers = {"Host": "localhost", **HEADERS, **length}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def order() -> bytes:
    """Return the order of the integration guide that a merchant places (guide, step 3)."""
    return orjson.dumps(orjson.loads((resources.fixtures() / "guide" / "se-order.json").read_bytes()))


def purchase(**options: Any) -> bytes:
    """Return the body of a purchase by the shopper who is always accepted."""
    cart = orjson.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
    return orjson.dumps({"page": cart, "shopper": "se-approved", **options})


def authorized_order() -> bytes:
    """Return the authorized Swedish order of the integration guide as its bytes at rest."""
    callback = orjson.loads((resources.fixtures() / "guide" / "se-callback.json").read_bytes())
    return orjson.dumps(callback["order"])


def tokens(count: int) -> list[str]:
    """Return as many tokens, always the same ones."""
    return [uuid_from("bench-token", number) for number in range(count)]


def snapshot(count: int, now: float) -> bytes:
    """Return a snapshot with `count` authorized purchases, so that each measured request has a token of its own."""
    authorized = authorized_order().decode()
    purchases = [_purchase(token, authorized, now) for token in tokens(count)]
    state = {"records": {"purchase": purchases}, "jobs": [], "counters": {}}
    return orjson.dumps({"version": 1, "merchants": {MERCHANT: state}})


def _purchase(token: str, authorized: str, now: float) -> dict[str, Any]:
    return {
        "merchant": MERCHANT,
        "version": 3,
        "purchase_id": uuid_from("bench-purchase", token),
        "button_key": uuid_from("bench-button"),
        "state": "authorized",
        "created_at": now,
        "authorization_token": token,
        "order": authorized,
        "order_amount": 124000,
        "currency": "SEK",
        "country": "SE",
        "outcome": {"fraud_status": "ACCEPTED", "then": None, "after": None},
        "expires_at": now + 3600,
    }
