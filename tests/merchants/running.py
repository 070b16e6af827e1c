"""An emulator in the test's event loop, a client of one merchant, and steps that many tests start with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mock_klarna.client import Client
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from tests.merchants.pages import PAGE, urls

Json = dict[str, Any]
BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATIONS = "/instantshopping/v1/authorizations"


@asynccontextmanager
async def emulator(**settings: Any) -> AsyncIterator[Client]:
    """Run an emulator with these settings and give a client for the merchant `shop`."""
    chosen = Settings(**{"port": 0, "callback_timeout": 600.0, **settings})
    async with serve(chosen) as running, Client(running.url, "shop") as client:
        yield client


async def buy(client: Client, shop: str, merchant_urls: Json | None = None, **options: Any) -> Json:
    """Start the purchase of a shopper at the shop with this URL and return it, without waiting for its end."""
    await client.ask("POST", BUTTONS, {"merchant_urls": {**urls(shop), **(merchant_urls or {})}})
    bought: Json = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0, **options})
    return bought


async def place(client: Client, purchase: Json, **members: Any) -> Json:
    """Place the order of a purchase as the merchant would."""
    path = f"{AUTHORIZATIONS}/{purchase['authorization_token']}/orders"
    placed: Json = await client.ask("POST", path, {**purchase["order"], **members})
    return placed


async def calls(client: Client, callback: str, count: int = 1, after: int = 0) -> list[Json]:
    """Wait for `count` attempts of a callback and return their journal entries."""
    found: list[Json] = []
    while len(found) < count:
        path = f"/_mock/journal?kind=callback&name={callback}&after={after}&wait=120"
        journal = await client.ask("GET", path)
        assert journal["entries"], f"{callback} was tried {len(found)} times only"
        found += journal["entries"]
        after = journal["position"]
    return found


async def callbacks(client: Client, kind: str, purchase: Json | None = None) -> list[Json]:
    """Return the callbacks of a kind, oldest first."""
    path = "/_mock/callbacks" + (f"?purchase_id={purchase['purchase_id']}" if purchase else "")
    listed = (await client.ask("GET", path))["callbacks"]
    return [callback for callback in reversed(listed) if callback["kind"] == kind]
