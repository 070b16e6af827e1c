"""A server that is killed and started again on the same file."""

from pathlib import Path
from typing import Any

from mock_klarna.client import Client
from tests.merchants.pages import PAGE, urls
from tests.merchants.processes import served, started

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
        _, said = await second.communicate()
        assert (second.returncode, b"in use by another server" in said) == (2, True)
        assert await first.stopped() == 0
    async with served("--store", store) as third, Client(third.url, "shop") as client:
        assert await client.ask("GET", f"/instantshopping/v1/buttons/{button['button_key']}") == button
