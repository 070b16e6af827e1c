"""The orders that the shop keeps, and what Klarna said about them later."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any

import orjson

from mock_klarna.demo.klarna import Call

Json = dict[str, Any]
MOST_ORDERS = 1000
"""Orders, and callbacks, that are remembered; the oldest are forgotten first."""


@dataclass(slots=True)
class Order:
    """An order that Klarna confirmed: its body as posted, how often a push came, and what the shop did about it."""

    order_id: str
    merchant: str
    fraud_status: str
    body: Json
    pushes: int = 0
    acknowledged: bool = False
    captured: int = 0


@dataclass(frozen=True, slots=True)
class Received:
    """A callback that Klarna sent; `then` is the behaviour that its URL asked for."""

    kind: str
    merchant: str
    then: str


class Ledger:
    """Orders by id, and the newest callbacks."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._received: deque[Received] = deque(maxlen=MOST_ORDERS)

    def note(self, received: Received) -> None:
        """Remember a callback."""
        self._received.append(received)

    def keep(self, placed: Call, body: Json) -> None:
        """Keep the order that a call placed."""
        said = orjson.loads(placed.answer)
        order = Order(said["order_id"], placed.merchant, said["fraud_status"], body)
        self._orders.setdefault(order.order_id, order)
        if len(self._orders) > MOST_ORDERS:
            self._orders.popitem(last=False)

    def order(self, order_id: str) -> Order | None:
        """Return an order, or None if it is unknown or forgotten."""
        return self._orders.get(order_id)

    def orders(self, merchant: str | None) -> list[Order]:
        """Return the orders of one merchant, or of all, oldest first."""
        return [order for order in self._orders.values() if merchant in (None, order.merchant)]

    def as_json(self, merchant: str | None) -> Json:
        """Return the orders and callbacks of one merchant, or of all, oldest first."""
        return {
            "orders": [_shown(order) for order in self.orders(merchant)],
            "callbacks": [
                {"kind": received.kind, "merchant": received.merchant, "then": received.then}
                for received in self._received
                if merchant in (None, received.merchant)
            ],
        }


def _shown(order: Order) -> Json:
    return {
        "order_id": order.order_id,
        "merchant": order.merchant,
        "fraud_status": order.fraud_status,
        "pushes": order.pushes,
        "acknowledged": order.acknowledged,
        "captured": order.captured,
        "order": order.body,
    }
