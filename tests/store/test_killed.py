"""A server that is killed and started again on the same file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mock_klarna.client import Client
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE, urls
from tests.merchants.processes import served, started
from tests.merchants.running import buy, callbacks, calls, emulator, place
from tests.merchants.shop import ReceivedRequest, Shop, in_turn

NOBODY = "http://127.0.0.1:9"
"""Where no shop listens."""


async def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    store = f"file:{tmp_path / 'state.jsonl'}"
    async with served("--store", store, "--seed", "s") as first, Client(first.url, "shop") as client:
        button = await client.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls(NOBODY)})
        bought = [await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0}) for _ in range(3)]
        path = f"/instantshopping/v1/authorizations/{bought[0]['authorization_token']}"
        placed = await client.ask("POST", f"{path}/orders", bought[0]["order"])
        await client.ask("POST", "/_mock/clock", {"advance": "30s"})
        await first.killed()
    async with served("--store", store, "--seed", "s") as second, Client(second.url, "shop") as client:
        assert await client.ask("GET", f"/instantshopping/v1/buttons/{button['button_key']}") == button
        found = await client.ask("GET", f"/_mock/purchases/{bought[0]['purchase_id']}")
        assert (found["state"], found["order_id"]) == ("placed", placed["order_id"])
        await goes_on(client, bought)


async def goes_on(client: Client, bought: list[dict[str, Any]]) -> None:
    """The second purchase is placed, the third runs out of patience on the clock that was advanced before."""
    path = f"/instantshopping/v1/authorizations/{bought[1]['authorization_token']}"
    again = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0})
    assert again["purchase_id"] not in {purchase["purchase_id"] for purchase in bought}
    assert (await client.send("POST", f"{path}/orders", bought[1]["order"])).status == 200
    clock = await client.ask("POST", "/_mock/clock", {"advance": "31s"})
    assert clock["ahead_seconds"] == 61
    states = {held["purchase_id"]: held["state"] for held in (await client.ask("GET", "/_mock/purchases"))["purchases"]}
    assert [states[purchase["purchase_id"]] for purchase in (*bought, again)] == [
        "placed",
        "placed",
        "timed_out",
        "authorized",
    ]


async def test_two_servers_cannot_share_a_file_and_the_next_one_finds_what_the_first_left(tmp_path: Path) -> None:
    store = f"file:{tmp_path / 'state.jsonl'}"
    async with served("--store", store) as first, Client(first.url, "shop") as client:
        button = await client.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls(NOBODY)})
        second = await started("--store", store)
        _, output = await second.communicate()
        assert (second.returncode, b"in use by another server" in output) == (2, True)
        assert await first.stopped() == 0
    async with served("--store", store) as third, Client(third.url, "shop") as client:
        assert await client.ask("GET", f"/instantshopping/v1/buttons/{button['button_key']}") == button


class Silent:
    """A merchant who does not answer until it is told to."""

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


async def test_a_callback_under_way_at_the_kill_is_the_same_callback_with_a_further_try(
    tmp_path: Path, silent: tuple[Shop, Silent]
) -> None:
    shop, merchant = silent
    store = f"file:{tmp_path / 'state.jsonl'}"
    async with served("--store", store) as first, Client(first.url, "shop") as client:
        await buy(client, shop.url, {"place_order": f"{shop.url}/silent"})
        await merchant.received.acquire()
        (before,) = await callbacks(client, "place_order")
        await first.killed()
    merchant.answers.set()
    async with served("--store", store) as second, Client(second.url, "shop") as client:
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


async def test_an_update_under_way_at_the_kill_has_failed(tmp_path: Path, silent: tuple[Shop, Silent]) -> None:
    shop, merchant = silent
    store = f"file:{tmp_path / 'state.jsonl'}"
    async with served("--store", store) as first, Client(first.url, "shop") as client:
        buying = asyncio.create_task(buy(client, shop.url, {"update": f"{shop.url}/silent"}))
        await merchant.received.acquire()
        await first.killed()
        await asyncio.wait([buying])
        assert buying.exception() is not None
    async with served("--store", store) as second, Client(second.url, "shop") as client:
        (after,) = await callbacks(client, "update")
    assert (after["state"], tries(after)) == ("failed", ["interrupted"])


async def test_a_repeated_callback_under_way_at_the_kill_keeps_its_tries(
    tmp_path: Path, silent: tuple[Shop, Silent]
) -> None:
    shop, merchant = silent
    shop.answers["/silent"] = in_turn(500)
    store = f"file:{tmp_path / 'state.jsonl'}"
    async with served("--store", store) as first, Client(first.url, "shop") as client:
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
    async with served("--store", store) as second, Client(second.url, "shop") as client:
        await calls(client, "notification")
        (after,) = await callbacks(client, "notification")
    assert (after["state"], tries(after)) == ("delivered", ["answered", "interrupted", "answered"])


async def test_a_snapshot_of_a_callback_under_way_goes_on_with_the_same_callback_elsewhere(
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
