from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mock_klarna import server
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.extent import extent
from tests.merchants import shop as shops
from tests.merchants.shop import Shop
from tests.store.awaiting import Awaiting


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened


@pytest.fixture(params=extent(usual=["memory"], thorough=["memory", "awaiting"]))
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The engine that servers of this process keep their state in: one that never awaits, and one that always does."""

    def opened(settings: Settings) -> Store:
        store = open_store(settings)
        return Awaiting(store) if request.param == "awaiting" else store

    monkeypatch.setattr(server, "open_store", opened)
    return str(request.param)
