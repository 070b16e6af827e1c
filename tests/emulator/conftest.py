from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mock_klarna.emulator import Emulator
from mock_klarna.settings import Settings
from mock_klarna.store.memory import MemoryStore
from tests.merchants import shop as shops
from tests.merchants.shop import Shop


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


@pytest.fixture
def emulator(real_time: RealTime) -> Emulator:
    """An emulator without a server."""
    return Emulator(MemoryStore(), Settings(), real_time, "seed")


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened
