"""Faults on callbacks: late, lost, refused, garbled, twice, out of order."""

from typing import Any

import pytest

from mock_klarna.callbacks.delivery import GARBAGE
from mock_klarna.client import Client
from tests.merchants.running import Json, buy, callbacks, calls, emulator, place
from tests.merchants.shop import Shop


async def spoiled(client: Client, shop: Shop, **effect: Any) -> Json:
    """Order a fault on callbacks, buy, and return the `place_order` callback."""
    await client.ask("POST", "/_mock/faults", {"on": "callback", **effect})
    bought = await buy(client, shop.url)
    await calls(client, "place_order", 2 if effect.get("twice") else 1)
    (callback,) = await callbacks(client, "place_order", bought)
    return callback


@pytest.mark.parametrize(
    ("effect", "outcomes", "statuses", "arrived"),
    [
        ({"delay": 0.01}, ["answered"], [200], 1),
        ({"drop": True}, ["dropped"], [None], 0),
        ({"status": 503}, ["answered"], [503], 0),
        ({"twice": True}, ["answered", "answered"], [200, 200], 2),
        ({"garbage": True}, ["answered"], [200], 1),
        ({"garbage": True, "twice": True}, ["answered", "answered"], [200, 200], 2),
        ({"delay": 0.01, "drop": True}, ["dropped"], [None], 0),
    ],
)
async def test_a_fault_does_to_a_callback_what_it_says(
    shop: Shop, effect: Json, outcomes: list[str], statuses: list[int | None], arrived: int
) -> None:
    async with emulator() as client:
        callback = await spoiled(client, shop, **effect)
    assert [attempt["outcome"] for attempt in callback["attempts"]] == outcomes
    assert [attempt["status"] for attempt in callback["attempts"]] == statuses
    assert len(shop.asked) == arrived
    assert all((asked.body == GARBAGE) is ("garbage" in effect) for asked in shop.asked)


async def test_a_purchase_whose_callback_was_lost_can_still_be_placed(shop: Shop) -> None:
    async with emulator() as client:
        await client.ask("POST", "/_mock/faults", {"on": "callback", "drop": True})
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        assert (await place(client, bought))["fraud_status"] == "ACCEPTED"
    assert shop.asked == []


async def test_a_fault_strikes_as_often_as_it_says_and_only_what_it_names(shop: Shop) -> None:
    async with emulator() as client:
        await client.ask("POST", "/_mock/faults", {"on": "callback", "operation": "push", "times": 2, "status": 500})
        order_urls = {"push": f"{shop.url}/push"}
        await place(client, await buy(client, shop.url, order_urls))
        await calls(client, "place_order")
        await client.ask("POST", "/_mock/clock", {"advance": "1h"})
        (push,) = await callbacks(client, "push")
        assert [attempt["status"] for attempt in push["attempts"]] == [500, 500, 200, 200]
        assert (await client.ask("GET", "/_mock/faults"))["faults"] == []
    assert (len(shop.at("/place-order")), len(shop.at("/push"))) == (1, 2)


async def test_a_callback_out_of_order_arrives_after_the_next_one(shop: Shop) -> None:
    async with emulator() as client:
        await client.ask("POST", "/_mock/faults", {"on": "callback", "out_of_order": True})
        first = await buy(client, shop.url)
        second = await buy(client, shop.url)
        await calls(client, "place_order", 2)
    tokens = [asked.said["authorization_token"] for asked in shop.asked]
    assert tokens == [second["authorization_token"], first["authorization_token"]]


async def test_faults_of_one_merchant_spare_another(shop: Shop) -> None:
    async with emulator() as client:
        path = "/_mock/faults?merchant=other"
        answer = await client.send("POST", path, {"on": "callback", "drop": True}, headers={"Authorization": ""})
        assert answer.status == 201
        await buy(client, shop.url)
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] == "answered"
