"""A snapshot with many authorized purchases, so that each measured request has a token of its own."""

from pathlib import Path
from typing import Any

import orjson

from mock_klarna.emulator.context import uuid_from

MERCHANT = "bench"
GUIDE_ORDER = Path(__file__).parents[2] / "fixtures" / "guide" / "se-callback.json"


def authorized_order() -> bytes:
    """Return the guide's authorized Swedish order as its bytes at rest."""
    return orjson.dumps(orjson.loads(GUIDE_ORDER.read_bytes())["order"])


def tokens(count: int) -> list[str]:
    """Return as many tokens, always the same ones."""
    return [uuid_from("bench-token", number) for number in range(count)]


def snapshot(count: int, now: float) -> bytes:
    """Return a snapshot with `count` authorized purchases that nobody waits for."""
    order = authorized_order().decode()
    purchases = [_purchase(token, order, now) for token in tokens(count)]
    state = {"records": {"purchase": purchases}, "jobs": [], "counters": {}}
    return orjson.dumps({"version": 1, "merchants": {MERCHANT: state}})


def _purchase(token: str, order: str, now: float) -> dict[str, Any]:
    return {
        "merchant": MERCHANT,
        "version": 3,
        "purchase_id": uuid_from("bench-purchase", token),
        "button_key": uuid_from("bench-button"),
        "state": "authorized",
        "created_at": now,
        "authorization_token": token,
        "order": order,
        "order_amount": 124000,
        "currency": "SEK",
        "country": "SE",
        "outcome": {"fraud_status": "ACCEPTED", "then": None, "after": None},
        "expires_at": now + 3600,
    }
