"""A merchant whose callbacks the demo shop answers, and the purchases of its shoppers."""

from typing import Any

import orjson

from mock_klarna import resources
from mock_klarna.client import Client

Json = dict[str, Any]


def cart(name: str, /, **first_line: Any) -> Json:
    """Return a stored cart with changed members of its first line."""
    page: Json = orjson.loads((resources.fixtures() / "carts" / f"{name}.json").read_bytes())
    page["order_lines"][0].update(first_line)
    return page


class Merchant:
    """Creates buttons whose callbacks go to the shop, and makes purchases with them."""

    def __init__(self, klarna: Client, shop: Client) -> None:
        self.klarna = klarna
        self.shop = shop

    def url(self, path: str, query: str) -> str:
        """Return a callback URL of the shop that selects this merchant and the options in `query`."""
        return f"{self.shop.url}/klarna/{path}?merchant={self.klarna.merchant}&{query}"

    async def create_button(self, then: str, update: str | None) -> str:
        """Return a new button key; `then` and `update` select what the shop does on `place_order` and `update`."""
        urls = {
            "place_order": self.url("place-order", f"then={then}"),
            "push": self.url("push", "order_id={checkout.order.id}"),
            "notification": self.url("notification", ""),
            "confirmation": "https://shop.example/thanks",
        }
        if update is not None:
            urls["update"] = self.url("update", f"then={update}")
        button = await self.klarna.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls})
        return str(button["button_key"])

    async def purchase(self, then: str = "", *, update: str | None = None, **options: Any) -> Json:
        """Make a purchase; return it once the shop has answered `place_order` or the callback has failed."""
        button_key = await self.create_button(then, update)
        body = {"page": cart("se-battery-pack"), "wait": 0, "button_key": button_key, **options}
        started = await self.klarna.ask("POST", "/_mock/purchases", body)
        await self.callback(started["purchase_id"])
        purchase: Json = await self.klarna.ask("GET", f"/_mock/purchases/{started['purchase_id']}")
        return purchase

    async def callback(self, purchase_id: str) -> Json:
        """Return the journal entry of `place_order`."""
        query = f"kind=callback&name=place_order&purchase_id={purchase_id}&wait=120"
        entry: Json = (await self.klarna.ask("GET", f"/_mock/journal?{query}"))["entries"][0]
        return entry

    async def books(self) -> Json:
        """Return the orders, callbacks and calls that the shop has of this merchant."""
        books: Json = await self.shop.ask("GET", f"/orders?merchant={self.klarna.merchant}")
        return books

    async def calls(self) -> list[tuple[str, int]]:
        """Return method and status of every call of the shop to Klarna for this merchant."""
        return [(call["method"], call["status"]) for call in (await self.books())["calls"]]
