from collections.abc import AsyncIterator

import pytest_asyncio

from tests.merchants import shop as shops
from tests.merchants.shop import Shop


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened
