from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from mock_klarna.emulator import Emulator
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store
from mock_klarna.store.memory import MemoryStore
from tests.merchants import shop as shops
from tests.merchants.shop import Shop
from tests.store.awaiting import Awaiting


class RealTime:
    """A clock on the wall that only the test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def real_time() -> RealTime:
    """The time outside the emulator."""
    return RealTime()


@pytest.fixture(params=["memory", "awaiting"])
def store(request: pytest.FixtureRequest) -> Any:
    """An engine that never awaits, and one that does at every call."""
    memory: Store = MemoryStore()
    return Awaiting(memory) if request.param == "awaiting" else memory


@pytest.fixture
def emulator(real_time: RealTime, store: Store) -> Emulator:
    """An emulator without a server."""
    return Emulator(store, Settings(), real_time, "seed")


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened
