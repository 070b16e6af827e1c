"""A store that fails for a moment: what is due then happens later, and nothing else stops."""

from typing import Any

import pytest

from mock_klarna import server
from mock_klarna.errors import MockKlarnaError
from mock_klarna.settings import Settings
from mock_klarna.store.base import open_store
from tests.merchants.running import buy, calls, emulator
from tests.merchants.shop import Shop


class Failing:
    """A store whose first calls of one method fail, as those of a full disk or of a database that restarts do."""

    def __init__(self, settings: Settings, method: str, times: int) -> None:
        self._store = open_store(settings)
        self._method = method
        self._left = times

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self._left:
            return self._fail
        return getattr(self._store, name)

    async def _fail(self, *_args: Any, **_named: Any) -> Any:
        self._left -= 1
        raise MockKlarnaError("cannot write the store: no space left on the device", where="store")


@pytest.mark.parametrize("method", ["finish", "claim", "next_due"])
async def test_a_store_that_fails_once_does_not_end_the_callbacks(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(server, "open_store", lambda settings: Failing(settings, method, 1))
    async with emulator() as client:
        await buy(client, shop.url)
        await calls(client, "place_order")
        await buy(client, shop.url)
        entries = await calls(client, "place_order", 2)
    assert [entry["outcome"] for entry in entries] == ["answered"] * 2
