from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from mock_klarna import Settings, serve_in_thread
from mock_klarna.client import Client
from tests.demo.trade import Trade, process_of


@pytest.fixture(scope="session")
def klarna_url() -> Iterator[str]:
    with serve_in_thread(Settings(port=0, callback_timeout=0.5)) as server:
        yield server.url


@pytest.fixture(scope="session")
def opened(klarna_url: str) -> Iterator[str]:
    """What the shop, a process of its own, says when it is open."""
    with process_of("shop", "--klarna", klarna_url) as process:
        assert process.stdout is not None
        yield process.stdout.readline()


@pytest.fixture
def shop_url(opened: str) -> str:
    return next(word for word in opened.split() if word.startswith("http://"))


@pytest.fixture
async def trade(klarna_url: str, shop_url: str) -> AsyncIterator[Trade]:
    merchant = f"merchant-{uuid4().hex[:8]}"
    async with Client(klarna_url, merchant) as klarna, Client(shop_url) as shop:
        yield Trade(klarna, shop)
