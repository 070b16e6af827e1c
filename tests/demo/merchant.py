"""One merchant whose callbacks the demo shop answers, and that merchant's shoppers."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from mock_klarna.client import Client

Json = dict[str, Any]
CARTS = Path(__file__).parents[2] / "fixtures" / "carts"


@contextmanager
def process_of(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m mock_klarna`, and end it after the block if it is still running."""
    words = [sys.executable, "-m", "mock_klarna", *arguments]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def cart(name: str, **first_line: Any) -> Json:
    """Return a stored cart, its first line changed."""
    page: Json = orjson.loads((CARTS / f"{name}.json").read_bytes())
    page["order_lines"][0].update(first_line)
    return page


class Trade:
    """Creates buttons whose callbacks lead to the shop, and buys with them."""

    def __init__(self, klarna: Client, shop: Client) -> None:
        self.klarna = klarna
        self.shop = shop

    def url(self, path: str, query: str) -> str:
        return f"{self.shop.url}/klarna/{path}?merchant={self.klarna.merchant}&{query}"

    async def button(self, then: str, update: str | None) -> str:
        urls = {
            "place_order": self.url("place-order", f"then={then}"),
            "push": self.url("push", "order_id={checkout.order.id}"),
            "notification": self.url("notification", ""),
            "confirmation": "https://shop.example/thanks",
        }
        if update is not None:
            urls["update"] = self.url("update", f"then={update}")
        made = await self.klarna.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls})
        return str(made["button_key"])

    async def buy(self, then: str = "", *, update: str | None = None, **wish: Any) -> Json:
        """Let somebody buy; return the purchase as it is once the shop has answered or was given up."""
        body = {"page": cart("se-battery-pack"), "wait": 0, "button_key": await self.button(then, update), **wish}
        begun = await self.klarna.ask("POST", "/_mock/purchases", body)
        await self.callback(begun["purchase_id"])
        held: Json = await self.klarna.ask("GET", f"/_mock/purchases/{begun['purchase_id']}")
        return held

    async def callback(self, purchase_id: str) -> Json:
        """Return the attempt to reach the shop with `place_order`."""
        query = f"kind=callback&name=place_order&purchase_id={purchase_id}&wait=20"
        found: Json = (await self.klarna.ask("GET", f"/_mock/journal?{query}"))["entries"][0]
        return found

    async def books(self) -> Json:
        """Return what the shop keeps of this merchant."""
        held: Json = await self.shop.ask("GET", f"/orders?merchant={self.klarna.merchant}")
        return held

    async def calls(self) -> list[tuple[str, int]]:
        """Return method and status of every call that the shop made to Klarna for this merchant."""
        return [(call["method"], call["status"]) for call in (await self.books())["calls"]]
