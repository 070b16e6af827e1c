from collections.abc import AsyncIterator, Callable

import pytest

from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.extent import ENGINES


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
