from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

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


@pytest.fixture(params=extent(usual=["memory"], thorough=["memory", "awaiting", "sqlite", "postgres"]))
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The engine that servers of this process keep their state in: each in turn, and one that always awaits."""

    place = {"sqlite": f"sqlite:{tmp_path / 'state.db'}"}.get(request.param, "memory")
    if request.param == "postgres":
        place = request.getfixturevalue("postgres")

    def opened(settings: Settings) -> Store:
        store = open_store(replace(settings, store=place))
        return Awaiting(store) if request.param == "awaiting" else store

    monkeypatch.setattr(server, "open_store", opened)
    return str(request.param)
