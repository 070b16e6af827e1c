"""Orders, merchants and store engines for tests that go through the whole server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from mock_klarna import MockKlarnaAsync, server
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.conftest import CLOSED
from tests.flows.managed_order import ManagedOrder
from tests.merchants import shop as shops
from tests.merchants.shop import Shop
from tests.store.awaiting import Awaiting


@pytest.fixture
async def place_order(klarna: MockKlarnaAsync, page: Callable[[str], Any]) -> Callable[..., Awaitable[ManagedOrder]]:
    """Places an order of 124000 with the given outcome of the risk check."""
    urls = {name: f"{CLOSED}/{name}" for name in ("place_order", "terms", "push", "notification")}
    await klarna.create_button(merchant_urls=urls)

    async def place(outcome: Any = "ACCEPTED") -> ManagedOrder:
        purchase = await klarna.purchase(page=page("se-battery-pack"), outcome=outcome, wait=0)
        order = await klarna.create_order(purchase["authorization_token"], purchase["order"])
        return ManagedOrder(klarna, order["order_id"])

    return place


@pytest.fixture
async def order(place_order: Callable[..., Awaitable[ManagedOrder]]) -> ManagedOrder:
    """An accepted order of 124000."""
    return await place_order()


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant whose answers the test sets."""
    async with shops.opened() as opened:
        yield opened


@pytest.fixture(params=["memory", "awaiting", "sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, new_store: Callable[[str], str]) -> str:
    """The store of the servers in this process: each engine, and the one in memory behind calls that give up control."""

    def open_engine(settings: Settings) -> Store:
        """Open an empty store: each server has one of its own."""
        if request.param == "awaiting":
            return Awaiting(open_store(settings))
        return open_store(replace(settings, store=new_store(request.param)))

    monkeypatch.setattr(server, "open_store", open_engine)
    return str(request.param)
