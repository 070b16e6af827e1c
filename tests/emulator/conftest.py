from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from mock_klarna.callbacks import Deliveries, DueMerchants
from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.domain.records import Purchase
from mock_klarna.emulator import Context, Emulator
from mock_klarna.emulator.emulator import buy
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.extent import extent
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE, urls
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


@pytest.fixture(params=extent(usual=["memory", "awaiting"], thorough=["memory", "awaiting", "sqlite", "postgres"]))
async def store(request: pytest.FixtureRequest, new_store: Callable[[str], str]) -> AsyncIterator[Store]:
    """An empty store of each engine, and one in memory that gives up control at every call."""
    opened = open_store(Settings(store="memory" if request.param == "awaiting" else new_store(request.param)))
    await opened.open()
    yield Awaiting(opened) if request.param == "awaiting" else opened
    await opened.close()


def emulator_over(
    store: Store, real_time: Callable[[], float], default_seed: str = "seed", **settings: Any
) -> Emulator:
    """Return an emulator over a store, without a server that runs its jobs."""
    context = Context(store, Settings(**settings), real_time, default_seed, DueMerchants())
    return Emulator(context, Deliveries(context, MerchantClient(context.settings)))


@pytest.fixture
def emulator(real_time: RealTime, store: Store) -> Emulator:
    """An emulator without a server."""
    return emulator_over(store, real_time)


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened


BUTTON = {"merchant_urls": urls("http://shop")}
"""The options of a button key whose merchant is never called, as no jobs run."""


async def bought(emulator: Emulator, merchant: str = "shop", **options: Any) -> Purchase:
    """Return a purchase up to the final button."""
    await emulator.buttons.create(merchant, BUTTON)
    return await buy(emulator, merchant, {"page": PAGE, **options})
