from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings for each engine in turn, with small bounds."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres")
        return Settings(store=url, journal_bytes=65536, max_callbacks=10)
    place = {"memory": "memory", "sqlite": f"sqlite:{tmp_path / 'state.db'}"}[request.param]
    return Settings(store=place, journal_bytes=65536, max_callbacks=10)


@pytest.fixture
async def store(engine: Settings) -> AsyncIterator[Store]:
    """An empty store of each engine."""
    opened = open_store(engine)
    await opened.open()
    yield opened
    await opened.close()
