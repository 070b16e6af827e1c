"""A store that fails once: due callbacks are sent later, and everything else continues."""

from typing import Any

import pytest

from mock_klarna import server
from mock_klarna.errors import MockKlarnaError
from mock_klarna.settings import Settings
from mock_klarna.store.base import open_store
from tests.merchants.running import buy, calls, emulator
from tests.merchants.shop import Shop


class FailingStore:
    """A store whose first `times` calls of one method fail, as with a full disk or a database that restarts."""

    def __init__(self, settings: Settings, method: str, times: int) -> None:
        self._store = open_store(settings)
        self._method = method
        self._failures_left = times

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self._failures_left:
            return self._fail
        return getattr(self._store, name)

    async def _fail(self, *_args: Any, **_named: Any) -> Any:
        self._failures_left -= 1
        raise MockKlarnaError("cannot write the store: no space left on the device", where="store")


@pytest.mark.parametrize("method", ["finish", "claim", "next_due"])
async def test_callbacks_continue_after_a_failure_of_the_store(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(server, "open_store", lambda settings: FailingStore(settings, method, 1))
    async with emulator() as client:
        await buy(client, shop.url)
        await calls(client, "place_order")
        await buy(client, shop.url)
        entries = await calls(client, "place_order", 2)
    assert [entry["outcome"] for entry in entries] == ["answered"] * 2
