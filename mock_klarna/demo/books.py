"""What the demo shop remembers: its orders, the callbacks that it received, and what its request handlers share."""

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
MAX_ORDERS = 1000
"""How many orders, and how many callbacks, are kept; the oldest are deleted first."""
MAX_LATE = 1000
"""How many purchases can wait for `POST /late`."""


@dataclass(slots=True)
class Order:
    """An order that Klarna accepted: its body as posted, how many pushes came, and what the shop did about it."""

    order_id: str
    merchant: str
    fraud_status: str
    body: Json
    pushes: int = 0
    acknowledged: bool = False
    captured: int = 0

    def as_json(self) -> Json:
        """Return the order as `GET /orders` answers it."""
        return {
            "order_id": self.order_id,
            "merchant": self.merchant,
            "fraud_status": self.fraud_status,
            "pushes": self.pushes,
            "acknowledged": self.acknowledged,
            "captured": self.captured,
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

    def add_order(self, call: Call, body: Json) -> None:
        """Add the order that a successful call has placed."""
        answer = orjson.loads(call.answer)
        order = Order(answer["order_id"], call.merchant, answer["fraud_status"], body)
        self._orders.setdefault(order.order_id, order)
        if len(self._orders) > MAX_ORDERS:
            self._orders.popitem(last=False)

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


_OPTION_NAMES = ("merchant", "then")


@dataclass(frozen=True, slots=True)
class CallbackOptions:
    """What the query of a callback URL selects: the merchant whose credentials to use, the behaviour, and its parameters.

    `merchant` and `then` are empty for the defaults.
    """

    merchant: str
    then: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=1024)
def parse_options(query: str) -> CallbackOptions:
    """Return the options in a query string; cached, because the URLs of a button are called again and again."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    parameters = {name: value for name, value in given.items() if name not in _OPTION_NAMES}
    return CallbackOptions(given.get("merchant", ""), given.get("then", ""), MappingProxyType(parameters))


@dataclass(slots=True)
class ShopState:
    """What the request handlers of a shop share; `button_key` is empty until Klarna has created one."""

    merchant: str
    klarna: Klarna
    button_key: str = ""
    stock: Stock = field(default_factory=Stock)
    books: Books = field(default_factory=Books)
    late: deque["PlaceOrder"] = field(default_factory=lambda: deque(maxlen=MAX_LATE))


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A `place_order` callback: the token, the authorized order, and the options of its URL (klarna.md §4.1)."""

    shop: ShopState
    merchant: str
    token: str
    order: Json
    options: CallbackOptions

    async def place(self, order: Json | None = None) -> None:
        """Place the authorized order or another one; deny the purchase if an article is not available.

        The articles are reserved first, and released if Klarna does not accept the order.
        """
        if reason := self.shop.stock.reserve(self.merchant, self.order):
            await self.deny(reason)
        elif not await self.post(order):
            self.shop.stock.release(self.merchant, self.order)

    async def post(self, order: Json | None = None) -> bool:
        """Send the authorized order or another one to Klarna; return whether Klarna accepted it."""
        body = order or self.order
        call = await self.shop.klarna.place(self.merchant, self.token, body)
        if call.status == 200:
            self.shop.books.add_order(call, body)
        return call.status == 200

    async def deny(self, reason: Json | None = None) -> None:
        """Deny the purchase."""
        await self.shop.klarna.deny(self.merchant, self.token, reason)
