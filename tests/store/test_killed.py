"""A server that is killed and started again on the same file."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mock_klarna.client import Client
from tests.database import Database, running
from tests.extent import extent
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE, urls
from tests.merchants.processes import served, started
from tests.merchants.running import buy, callbacks, calls, emulator, place
from tests.merchants.shop import ReceivedRequest, Shop, in_turn
from tests.store.kills import postgres_rounds, sqlite_rounds

pytestmark = pytest.mark.process

NO_MERCHANT = "http://127.0.0.1:9"
"""Where no shop listens."""


async def test_a_server_that_is_started_again_continues(kept: str) -> None:
    async with served("--store", kept, "--seed", "s") as first, Client(first.url, "shop") as client:
        button = await client.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls(NO_MERCHANT)})
        bought = [await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0}) for _ in range(3)]
        path = f"/instantshopping/v1/authorizations/{bought[0]['authorization_token']}"
        placed = await client.ask("POST", f"{path}/orders", bought[0]["order"])
        await client.ask("POST", "/_mock/clock", {"advance": "30s"})
        await first.killed()
    async with served("--store", kept, "--seed", "s") as second, Client(second.url, "shop") as client:
        assert await client.ask("GET", f"/instantshopping/v1/buttons/{button['button_key']}") == button
        found = await client.ask("GET", f"/_mock/purchases/{bought[0]['purchase_id']}")
        assert (found["state"], found["order_id"]) == ("placed", placed["order_id"])
        await continues(client, bought)


async def continues(client: Client, bought: list[dict[str, Any]]) -> None:
    """The second purchase is placed, the third times out on the clock that was advanced before."""
    path = f"/instantshopping/v1/authorizations/{bought[1]['authorization_token']}"
    again = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0})
    assert again["purchase_id"] not in {purchase["purchase_id"] for purchase in bought}
    assert (await client.send("POST", f"{path}/orders", bought[1]["order"])).status == 200
    clock = await client.ask("POST", "/_mock/clock", {"advance": "31s"})
    assert clock["ahead_seconds"] == 61
    states = {
        found["purchase_id"]: found["state"] for found in (await client.ask("GET", "/_mock/purchases"))["purchases"]
    }
    assert [states[purchase["purchase_id"]] for purchase in (*bought, again)] == [
        "placed",
        "placed",
        "timed_out",
        "authorized",
    ]


async def test_a_second_server_on_a_file_is_refused_and_a_later_one_has_the_state(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'state.db'}"
    async with served("--store", store) as first, Client(first.url, "shop") as client:
        button = await client.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls(NO_MERCHANT)})
        second = await started("--store", store)
        _, errors = await second.communicate()
        assert (second.returncode, errors.count(b"\n")) == (2, 1)
        assert f"in use by another server (pid {first.process.pid})" in errors.decode()
        assert await first.stopped() == 0
    async with served("--store", store) as third, Client(third.url, "shop") as client:
        assert await client.ask("GET", f"/instantshopping/v1/buttons/{button['button_key']}") == button


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a server keeps its state, for each engine that survives it."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'state.db'}"
    return f"{request.getfixturevalue('postgres')}&lease=2"


async def ended(client: Client, kind: str) -> dict[str, Any]:
    """Return a callback once nobody sends it any more: another server takes it over within its lease."""
    async with asyncio.timeout(120):
        while True:
            (found,) = await callbacks(client, kind)
            if found["state"] != "in_flight":
                return found
            await asyncio.sleep(0.1)


class Silent:
    """A merchant that does not answer before `answers` is set."""

    def __init__(self) -> None:
        self.received = asyncio.Semaphore(0)
        self.answers = asyncio.Event()

    async def answer(self, _request: ReceivedRequest) -> tuple[int, bytes]:
        """Take note, and answer once that is allowed."""
        self.received.release()
        await self.answers.wait()
        return 200, b"{}"


@pytest.fixture
async def silent() -> AsyncIterator[tuple[Shop, Silent]]:
    """A shop that is silent at `/silent`."""
    async with shops.opened() as shop:
        silent = Silent()
        shop.answers["/silent"] = silent.answer
        yield shop, silent
        silent.answers.set()


def tries(callback: dict[str, Any]) -> list[str]:
    """Return what came of each try of a callback."""
    return [attempt["outcome"] for attempt in callback["attempts"]]


async def test_a_callback_in_flight_at_the_kill_is_sent_again_as_the_same_callback(
    kept: str, silent: tuple[Shop, Silent]
) -> None:
    shop, merchant = silent
    async with served("--store", kept) as first, Client(first.url, "shop") as client:
        await buy(client, shop.url, {"place_order": f"{shop.url}/silent"})
        await merchant.received.acquire()
        (before,) = await callbacks(client, "place_order")
        await first.killed()
    merchant.answers.set()
    async with served("--store", kept) as second, Client(second.url, "shop") as client:
        await calls(client, "place_order")
        (after,) = await callbacks(client, "place_order")
    assert (before["state"], before["attempts"]) == ("in_flight", [])
    assert (after["callback_id"], after["state"], tries(after)) == (
        before["callback_id"],
        "delivered",
        ["interrupted", "answered"],
    )
    assert "may have received" in after["attempts"][0]["error"]
    assert shop.requests[0] == shop.requests[1]


async def test_an_update_in_flight_at_the_kill_has_failed(kept: str, silent: tuple[Shop, Silent]) -> None:
    shop, merchant = silent
    async with served("--store", kept) as first, Client(first.url, "shop") as client:
        buying = asyncio.create_task(buy(client, shop.url, {"update": f"{shop.url}/silent"}))
        await merchant.received.acquire()
        await first.killed()
        await asyncio.wait([buying])
        assert buying.exception() is not None
    async with served("--store", kept) as second, Client(second.url, "shop") as client:
        after = await ended(client, "update")
    assert (after["state"], tries(after)) == ("failed", ["interrupted"])


async def test_a_repeated_callback_in_flight_at_the_kill_keeps_its_attempts(
    kept: str, silent: tuple[Shop, Silent]
) -> None:
    shop, merchant = silent
    shop.answers["/silent"] = in_turn(500)
    async with served("--store", kept) as first, Client(first.url, "shop") as client:
        bought = await buy(client, shop.url, {"notification": f"{shop.url}/silent"}, outcome="PENDING")
        order = await place(client, bought)
        await client.ask("POST", f"/_mock/orders/{order['order_id']}/decision", {"fraud_status": "ACCEPTED"})
        await calls(client, "notification")
        shop.answers["/silent"] = merchant.answer
        moving = asyncio.create_task(client.ask("POST", "/_mock/clock", {"advance": "10m"}))
        await merchant.received.acquire()
        await first.killed()
        await asyncio.wait([moving])
        assert moving.exception() is not None
    merchant.answers.set()
    async with served("--store", kept) as second, Client(second.url, "shop") as client:
        await calls(client, "notification", 2)
        after = await ended(client, "notification")
    assert (after["state"], tries(after)) == ("delivered", ["answered", "interrupted", "answered"])


async def test_a_snapshot_with_a_callback_in_flight_sends_the_same_callback_from_another_server(
    silent: tuple[Shop, Silent],
) -> None:
    shop, merchant = silent
    async with emulator() as client, emulator() as other:
        await buy(client, shop.url, {"place_order": f"{shop.url}/silent"})
        await merchant.received.acquire()
        state = await client.ask("GET", "/_mock/snapshot")
        (before,) = await callbacks(client, "place_order")
        merchant.answers.set()
        assert (await other.send("PUT", "/_mock/snapshot", state)).status == 204
        await calls(other, "place_order")
        (after,) = await callbacks(other, "place_order")
    assert (after["callback_id"], tries(after)) == (before["callback_id"], ["interrupted", "answered"])


async def test_a_server_that_is_killed_under_load_has_all_that_it_answered(tmp_path: Path) -> None:
    rounds = extent(usual=1, thorough=10)
    seen = await sqlite_rounds(str(tmp_path / "state.db"), rounds, Random(1), lambda _line: None)
    assert seen.answers > 0


async def test_one_of_three_servers_that_is_killed_under_load_loses_nothing(durable: Database) -> None:
    rounds, restarts = extent(usual=(1, 1), thorough=(8, 3))
    seen = await postgres_rounds(durable, rounds, restarts, Random(1), lambda _line: None)
    assert seen.answers > 0


@pytest.fixture
def durable() -> Iterator[Database]:
    """A database that survives a crash."""
    with running(durable=True) as database:
        yield database
