"""What the shop's request handlers have at hand."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from mock_klarna.demo.klarna import Klarna
from mock_klarna.demo.ledger import Ledger
from mock_klarna.demo.stock import Stock
from mock_klarna.demo.wish import Wish

Json = dict[str, Any]
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
