"""A server that is told to stop while merchants are being called."""

import asyncio
import time
from collections.abc import Callable

from mock_klarna.client import Client
from tests.merchants.processes import served
from tests.merchants.running import buy
from tests.merchants.shop import Asked, Shop


async def test_it_stops_whoever_is_still_being_called(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    asked, never = asyncio.Semaphore(0), asyncio.Event()

    async def hang(_asked: Asked) -> tuple[int, bytes]:
        asked.release()
        await never.wait()
        return 200, b""

    shop.answers["/place-order"] = hang
    async with served("--callback-timeout", "60") as server, Client(server.url, "shop") as client:
        for _ in range(5):
            await buy(client, shop.url)
            await asked.acquire()
        listening = asyncio.create_task(client.send("GET", "/_mock/journal?name=never&wait=60"))
        await client.ask("GET", "/_mock/health")
        begun = time.perf_counter()
        assert await server.stopped() == 0
        record_property("seconds_to_stop", round(time.perf_counter() - begun, 3))
        await asyncio.wait([listening])
        assert listening.exception() is not None
        assert server.process.stderr is not None
        assert b"Traceback" not in await server.process.stderr.read()
    never.set()
