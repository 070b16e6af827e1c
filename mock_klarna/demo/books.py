"""What the shop's request handlers have at hand."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import orjson

from mock_klarna.demo.klarna import Call, Klarna
from mock_klarna.demo.stock import Stock

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


_OWN_NAMES = ("merchant", "then")


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose credentials to use ("" for the shop's own), which behaviour ("" for the usual one), and its parameters."""

    merchant: str
    then: str
    more: Mapping[str, str]


@lru_cache(maxsize=1024)
def wish_of(query: str) -> Wish:
    """Return the wish in a query string; callbacks repeat theirs, so it is read once."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    more = {name: value for name, value in given.items() if name not in _OWN_NAMES}
    return Wish(given.get("merchant", ""), given.get("then", ""), MappingProxyType(more))


MOST_LATE = 1000


@dataclass(slots=True)
class Window:
    """What stands in the shop's window: its button's key, once Klarna has given it one."""

    button_key: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """The shop's connection to Klarna, its shelves, its books, and the purchases that it has put off."""

    merchant: str
    klarna: Klarna
    window: Window = field(default_factory=Window)
    stock: Stock = field(default_factory=Stock)
    ledger: Ledger = field(default_factory=Ledger)
    late: deque["PlaceOrder"] = field(default_factory=lambda: deque(maxlen=MOST_LATE))


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A `place_order` callback: whose it is, the token, the order, and what its URL asks for (protocol 4.1)."""

    desk: Desk
    merchant: str
    token: str
    order: Json
    wish: Wish

    async def place(self, order: Json | None = None) -> None:
        """Place the order, or another in its place, and keep it; articles are reserved first and put back if Klarna refuses.

        What the shop cannot or may not deliver is denied.
        """
        desk = self.desk
        if reason := desk.stock.reserve(self.merchant, self.order):
            await self.deny(reason)
        elif not await self.post(order):
            desk.stock.release(self.merchant, self.order)

    async def post(self, order: Json | None = None) -> bool:
        """Post the order, or another, to Klarna; keep it and return True if Klarna accepts it."""
        sent = order or self.order
        call = await self.desk.klarna.place(self.merchant, self.token, sent)
        if call.status == 200:
            self.desk.ledger.keep(call, sent)
        return call.status == 200

    async def deny(self, reason: Json | None = None) -> None:
        """Deny the purchase."""
        await self.desk.klarna.deny(self.merchant, self.token, reason)
