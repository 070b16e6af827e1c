"""How the demo shop decides about a purchase when Klarna calls `place_order` (guide, step 3; klarna.md §4.1)."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import orjson

from mock_klarna.demo.books import MAX_ORDERS, Books
from mock_klarna.demo.catalogue import Stock
from mock_klarna.demo.klarna import Klarna

Json = dict[str, Any]
MAX_LATE = 1000
"""How many purchases can wait for `POST /late`."""
_OPTION_NAMES = ("merchant", "then", "secret")


@dataclass(frozen=True, slots=True)
class CallbackOptions:
    """The query of a callback URL: the merchant whose credentials to use, the secret, the behaviour, and its parameters.

    `merchant`, `secret` and `then` are empty if the query has none.
    """

    merchant: str
    secret: str
    then: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=1024)
def parse_options(query: str) -> CallbackOptions:
    """Return the options in a query string; cached, because the URLs of a button are called again and again."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    parameters = {name: value for name, value in given.items() if name not in _OPTION_NAMES}
    merchant, then, secret = (given.get(name, "") for name in _OPTION_NAMES)
    return CallbackOptions(merchant, secret, then, MappingProxyType(parameters))


@dataclass(slots=True)
class ShopState:
    """What the request handlers of a shop share.

    secret: what the URLs of the shop's own merchant must have, "" for none. button_key: empty until Klarna has created one.
    offers: shipping options that answers to `update` callbacks offered, with their merchants. late: for `POST /late`.
    decisions: those that are being made, by authorization token.
    """

    merchant: str
    secret: str
    klarna: Klarna
    button_key: str = ""
    stock: Stock = field(default_factory=Stock)
    books: Books = field(default_factory=Books)
    offers: deque[tuple[str, str, int]] = field(default_factory=lambda: deque(maxlen=MAX_ORDERS))
    late: deque["PlaceOrder"] = field(default_factory=lambda: deque(maxlen=MAX_LATE))
    decisions: dict[str, asyncio.Task[None]] = field(default_factory=dict)


Change = Callable[[Json], Json]
"""Returns what to post for an authorized order."""


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A `place_order` callback: the token, the order, and the options of its URL (klarna.md §4.1).

    Anybody can send a callback, so `place` uses only its token, and reads the order from Klarna.
    """

    shop: ShopState
    merchant: str
    token: str
    order: Json
    options: CallbackOptions

    async def place(self, change: Change = dict) -> None:
        """Place the authorized order, or deny it. A callback that comes again meanwhile waits for the same decision."""
        running = self.shop.decisions
        if self.token not in running:
            running[self.token] = asyncio.create_task(self._decide(change))
            running[self.token].add_done_callback(lambda _task: running.pop(self.token))
        await running[self.token]

    async def _decide(self, change: Change) -> None:
        """Read the authorized order, check it, and place or deny it."""
        read = await self.shop.klarna.read(self.merchant, self.token)
        if read.status != 200:
            return  # the token is forged, has expired, or the purchase is already placed or denied
        order = orjson.loads(read.answer)
        offers = [(option, price) for merchant, option, price in self.shop.offers if merchant == self.merchant]
        if reason := self.shop.stock.reserve(self.merchant, order, date.today(), offers):
            await self.deny(reason)
        elif await self.post(change(order)) in (None, "REJECTED"):
            self.shop.stock.release(self.merchant, order)

    async def post(self, order: Json) -> str | None:
        """Send an order to Klarna; return its fraud_status, None if Klarna did not accept the order.

        The order number follows from the token, so that an order that is sent again is the same.
        """
        body = {**order, "merchant_reference1": f"D-{self.token[:13].upper()}"}
        call = await self.shop.klarna.place(self.merchant, self.token, body)
        return self.shop.books.add_order(call, body).fraud_status if call.status == 200 else None

    async def deny(self, reason: Json | None = None) -> None:
        """Deny the purchase."""
        await self.shop.klarna.deny(self.merchant, self.token, reason)
