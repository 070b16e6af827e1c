"""One emulator and one demo shop for all tests of the shop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from mock_klarna import MockKlarna, Settings, serve_in_thread
from mock_klarna.client import Client
from mock_klarna.demo import Shop, serve_shop
from tests.demo.merchant import Merchant


@pytest.fixture(scope="session")
def server() -> Iterator[MockKlarna]:
    """An emulator in a thread of its own."""
    with serve_in_thread(Settings(port=0, callback_timeout=60)) as running:
        yield running


@pytest.fixture(scope="session")
def demo_shop(server: MockKlarna) -> Iterator[Shop]:
    """A demo shop in the same thread."""
    serving = serve_shop(server.url, pause=0.01)
    yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), server.loop).result()
    asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), server.loop).result()


@pytest.fixture
async def merchant(server: MockKlarna, demo_shop: Shop) -> AsyncIterator[Merchant]:
    """A new merchant whose callbacks the demo shop answers."""
    name = f"merchant-{uuid4().hex[:8]}"
    async with Client(server.url, name) as klarna, Client(demo_shop.url) as shop:
        yield Merchant(klarna, shop)
