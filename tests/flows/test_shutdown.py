"""A server that is stopped while callbacks and requests are in progress."""

import asyncio
import time
from collections.abc import Callable

from mock_klarna.client import Client
from tests.merchants.processes import served
from tests.merchants.running import buy
from tests.merchants.shop import ReceivedRequest, Shop


async def test_a_server_stops_while_callbacks_are_in_progress(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    called, test_has_ended = asyncio.Semaphore(0), asyncio.Event()

    async def never_answer(_request: ReceivedRequest) -> tuple[int, bytes]:
        called.release()
        await test_has_ended.wait()
        return 200, b""

    shop.answers["/place-order"] = never_answer
    async with served("--callback-timeout", "60") as server, Client(server.url, "shop") as client:
        for _ in range(5):
            await buy(client, shop.url)
            await called.acquire()
        waiting_request = asyncio.create_task(client.send("GET", "/_mock/journal?name=never&wait=60"))
        await client.ask("GET", "/_mock/health")
        started = time.perf_counter()
        assert await server.stopped() == 0
        record_property("seconds_to_stop", round(time.perf_counter() - started, 3))
        await asyncio.wait([waiting_request])
        assert waiting_request.exception() is not None
        assert server.process.stderr is not None
        assert b"Traceback" not in await server.process.stderr.read()
    test_has_ended.set()
