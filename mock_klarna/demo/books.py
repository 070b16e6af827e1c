"""What the demo shop remembers: its orders, and the callbacks that it received."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from mock_klarna.demo.klarna import Call

Json = dict[str, Any]
MAX_ORDERS = 1000
"""How many orders, and how many callbacks, are kept; the oldest are deleted first."""


@dataclass(slots=True)
class Order:
    """An order that Klarna accepted: its body as posted, how many pushes came, and what the shop did about it.

    capture_key, refund_key: idempotency keys, stored before the first try (klarna.md §9.4).
    """

    order_id: str
    merchant: str
    fraud_status: str
    body: Json
    pushes: int = 0
    acknowledged: bool = False
    captured: int = 0
    refunded: int = 0
    capture_key: str = field(default_factory=lambda: str(uuid4()))
    refund_key: str = field(default_factory=lambda: str(uuid4()))

    def as_json(self) -> Json:
        """Return the order as `GET /orders` answers it."""
        return {
            "order_id": self.order_id,
            "merchant": self.merchant,
            "fraud_status": self.fraud_status,
            "pushes": self.pushes,
            "acknowledged": self.acknowledged,
            "captured": self.captured,
            "refunded": self.refunded,
            "order": self.body,
        }


@dataclass(frozen=True, slots=True)
class ReceivedCallback:
    """A callback from Klarna; `then` is the behaviour that its URL selected."""

    kind: str
    merchant: str
    then: str


class Books:
    """The orders by id, and the newest callbacks."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._callbacks: deque[ReceivedCallback] = deque(maxlen=MAX_ORDERS)

    def add_callback(self, callback: ReceivedCallback) -> None:
        """Add a received callback."""
        self._callbacks.append(callback)

    def add_order(self, call: Call, body: Json) -> Order:
        """Add and return the order that a successful call has placed or read."""
        answer = orjson.loads(call.answer)
        order = Order(answer["order_id"], call.merchant, answer["fraud_status"], body)
        self._orders[order.order_id] = order
        if len(self._orders) > MAX_ORDERS:
            self._orders.popitem(last=False)
        return order

    def order(self, order_id: str) -> Order | None:
        """Return an order, or None if it is unknown."""
        return self._orders.get(order_id)

    def orders(self, merchant: str | None) -> list[Order]:
        """Return the orders of one merchant, or of all, oldest first."""
        return [order for order in self._orders.values() if merchant in (None, order.merchant)]

    def as_json(self, merchant: str | None) -> Json:
        """Return the orders and callbacks of one merchant, or of all, oldest first."""
        return {
            "orders": [order.as_json() for order in self.orders(merchant)],
            "callbacks": [
                {"kind": callback.kind, "merchant": callback.merchant, "then": callback.then}
                for callback in self._callbacks
                if merchant in (None, callback.merchant)
            ],
        }
