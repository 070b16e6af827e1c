"""A store that fails now and then: due callbacks are sent later, and everything else continues."""

from typing import Any

import pytest

from mock_klarna import server
from mock_klarna.callbacks import scheduler
from mock_klarna.errors import StoreFailure
from mock_klarna.settings import Settings
from mock_klarna.store.base import open_store
from tests.merchants.running import buy, calls, emulator, place
from tests.merchants.shop import ReceivedRequest, Shop


class FailingStore:
    """A store whose next call of each method in `failing` fails, as with a full disk or a database that restarts."""

    def __init__(self, settings: Settings, *failing: str) -> None:
        self._store = open_store(settings)
        self.failing = set(failing)

    def __getattr__(self, name: str) -> Any:
        return self._failed(name) if name in self.failing else getattr(self._store, name)

    def _failed(self, name: str) -> Any:
        async def fail(*_args: Any, **_named: Any) -> Any:
            self.failing.discard(name)
            raise StoreFailure("cannot write the store: no space left on the device")

        return fail


@pytest.fixture(autouse=True)
def _retry_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_RETRY_SECONDS", 0.01)


@pytest.mark.parametrize("method", ["finish", "claim_due", "merchants"])
async def test_callbacks_continue_after_a_failure_of_the_store(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(server, "open_store", lambda settings: FailingStore(settings, method))
    async with emulator() as client:
        await buy(client, shop.url)
        await calls(client, "place_order")
        await buy(client, shop.url)
        entries = await calls(client, "place_order", 2)
    assert [entry["outcome"] for entry in entries] == ["answered"] * 2


async def test_a_callback_is_sent_again_if_neither_its_answer_nor_its_job_could_be_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(Settings())

    async def answer(_request: ReceivedRequest) -> tuple[int, bytes]:
        if len(shop.requests) == 1:
            store.failing |= {"commit", "release"}
        return 200, b""

    shop.answers["/place-order"] = answer
    monkeypatch.setattr(server, "open_store", lambda _settings: store)
    async with emulator() as client:
        await buy(client, shop.url)
        (entry,) = await calls(client, "place_order")
        assert (entry["outcome"], len(shop.requests), store.failing) == ("answered", 2, set())
        await buy(client, shop.url)
        await calls(client, "place_order", 2)


async def test_a_job_is_not_lost_if_the_clock_cannot_be_moved_to_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(Settings())
    monkeypatch.setattr(server, "open_store", lambda _settings: store)
    async with emulator() as client:
        await place(client, await buy(client, shop.url, {"push": f"{shop.url}/push"}))
        await calls(client, "place_order")
        store.failing.add("commit")
        assert (await client.send("POST", "/_mock/clock", {"advance": "6m"})).status == 503
        assert shop.at("/push") == []
        await client.ask("POST", "/_mock/clock", {"advance": "6m"})
        assert len(shop.at("/push")) == 1
