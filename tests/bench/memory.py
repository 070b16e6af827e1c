"""What an order costs in memory, counted by `tracemalloc` in the process of the server; no clock is read.

Shoppers buy one after the other, and a shop answers each `place_order` callback by posting the order. The journal is so
small that it is full before the measured purchases begin. As many purchases come before the measurement as in it, so that
every dict has grown by its share.
"""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from mock_klarna.client import Client
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from tests.bench.state import AUTHORIZATIONS, BUTTONS, HEADERS, MERCHANT
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE, urls
from tests.merchants.shop import ReceivedRequest

JOURNAL_BYTES = 64 << 10
_TIMERS = (f"{Path(asyncio.__file__).parent}/*", aiohttp.helpers.__file__)
Posted = Callable[[dict[str, Any]], bytes]
"""Returns what a shop posts for the order of a callback."""


def same(order: dict[str, Any]) -> bytes:
    """Return the order as the callback had it."""
    return json.dumps(order, ensure_ascii=False, separators=(",", ":")).encode()


def changed(order: dict[str, Any]) -> bytes:
    """Return the order with references of the shop, and with the blanks and escapes of another JSON library."""
    return json.dumps({**order, "merchant_reference1": "45aa52f387871e3a210645d4"}).encode()


POSTED: dict[str, Posted] = {
    "the shop posts the order of the callback": same,
    "the shop adds a reference and writes JSON in another way": changed,
}
"""What shops post, with its description in the report."""


async def bytes_of_order(posted: Posted, orders: int, callbacks: int = 10_000) -> float:
    """Return the bytes that a placed purchase adds to the store, with its callback; `callbacks` is how many are stored."""
    settings = Settings(port=0, journal_bytes=JOURNAL_BYTES, max_callbacks=callbacks)
    async with (
        serve(settings) as running,
        shops.opened() as shop,
        aiohttp.ClientSession(headers=HEADERS) as connections,
        Client(running.url, MERCHANT) as client,
    ):
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(shop.url, confirmation=shop.url)})

        async def answer(request: ReceivedRequest) -> tuple[int, bytes]:
            shop.requests.clear()
            token, order = request.json["authorization_token"], request.json["order"]
            url = f"{running.url}{AUTHORIZATIONS}/{token}/orders"
            async with connections.post(url, data=posted(order)) as placed:
                return placed.status, b""

        shop.answers["/place-order"] = answer
        tracemalloc.start()
        try:
            await _buy(client, orders)
            before = _traced()
            await _buy(client, orders)
            return (_traced() - before) / orders
        finally:
            tracemalloc.stop()


async def _buy(client: Client, orders: int) -> None:
    for _ in range(orders):
        bought = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 120})
        assert bought["state"] == "placed", bought
    while (await client.ask("GET", "/_mock/callbacks?state=in_flight&limit=1"))["callbacks"]:
        pass  # the shop has posted the last order, and has not answered its callback yet


async def measure(orders: int = 512) -> None:
    """Print the report."""
    print("| an order in memory | with its callback | after its callback was deleted |\n|---|---|---|")
    for name, posted in POSTED.items():
        with_callback = await bytes_of_order(posted, orders)
        without = await bytes_of_order(posted, orders, callbacks=orders // 8)
        print(f"| {name} | {with_callback:,.0f} bytes | {without:,.0f} bytes |", flush=True)


def _traced() -> int:
    """Return the bytes that are allocated, without the timers of asyncio: it keeps cancelled ones for a while under load."""
    gc.collect()
    kept = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(False, path) for path in _TIMERS])
    return sum(trace.size for trace in kept.traces)
