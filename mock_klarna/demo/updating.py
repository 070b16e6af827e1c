"""What the shop answers to `update` (protocol 4.2): changes to the session, or None for 304."""

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
Change = Callable[[Json], Json | None]
WELCOME = "WELCOME"
"""Reference of the discount line that `lines` adds."""


def not_modified(_body: Json) -> None:
    """Change nothing."""


def lines(body: Json) -> Json | None:
    """Take a tenth off the first line, once."""
    held = body.get("order_lines") or []
    if not held or any(line.get("reference") == WELCOME for line in held):
        return None
    return {"order_lines": [*held, _tenth_off(held[0])]}


def _tenth_off(line: Json) -> Json:
    off, rate = line["total_amount"] // 10, line["tax_rate"]
    return {
        "type": "discount",
        "reference": WELCOME,
        "name": "Welcome: 10 % off",
        "quantity": 1,
        "unit_price": -off,
        "tax_rate": rate,
        "total_amount": -off,
        "total_tax_amount": -round(off * rate / (10000 + rate)),
    }


def shipping(_body: Json) -> Json:
    """Offer express shipping at a lower price, and pickup for nothing."""
    return {
        "shipping_options": [
            _option("express_priority", "Express 1-2 days", 3000, 600, "Home"),
            _option("pickup", "Pick up in the shop", 0, 0, "PickUpStore"),
        ]
    }


def _option(option_id: str, name: str, price: int, tax: int, method: str) -> Json:
    return {
        "id": option_id,
        "name": name,
        "price": price,
        "tax_amount": tax,
        "tax_rate": 2500,
        "shipping_method": method,
    }


CHANGES: Mapping[str, Change] = {each.__name__: each for each in (not_modified, lines, shipping)}
"""By the name that `then` asks for; `not_modified` is the usual one."""
