from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from mock_klarna.client import Client
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.extent import ENGINES
from tests.merchants import shop as shops
from tests.merchants.shop import Shop


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, new_store: Callable[[str], str]) -> Settings:
    """Settings for each engine in turn, with small bounds."""
    return Settings(store=new_store(request.param), journal_bytes=65536, max_callbacks=10)


@pytest.fixture
async def store(engine: Settings) -> AsyncIterator[Store]:
    """An empty store of each engine."""
    opened = open_store(engine)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def replicas(postgres: str) -> AsyncIterator[list[Client]]:
    """A client of the same merchant for each of three servers on one database."""
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(3):
            server = await stack.enter_async_context(serve(Settings(port=0, store=postgres)))
            clients.append(await stack.enter_async_context(Client(server.url, "shop")))
        yield clients


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened
