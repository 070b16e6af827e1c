"""Many merchants and shoppers at once: merchants see their own purchases only, and none waits for another."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from mock_klarna.client import Client
from tests.extent import extent
from tests.merchants.pages import PAGE, urls
from tests.merchants.running import AUTHORIZATIONS, BUTTONS, Json, emulator
from tests.merchants.shop import ReceivedRequest, Shop

MERCHANTS, PURCHASES_PER_MERCHANT = 64, 3
SHOPPERS, SHOPPERS_OF_SILENT = 100, 20
LONG = 600.0
"""Seconds that a purchase waits for its merchant at the most: a busy machine needs long for so many."""
ENGINES = extent(usual=["memory"], thorough=["memory", "awaiting", "sqlite", "postgres"])
pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.parametrize("engine", ENGINES, indirect=True)]


class Merchants:
    """Merchants at paths of one web server: each places its own orders, the one named `silent` never answers."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, list[str]] = {}
        self.test_has_ended = asyncio.Event()

    async def place(self, request: ReceivedRequest) -> tuple[int, bytes]:
        """Place the order as the merchant whose name is in the path."""
        merchant, body = request.path.rpartition("/")[2], request.json
        self.tokens.setdefault(merchant, []).append(body["authorization_token"])
        if merchant == "silent":
            await self.test_has_ended.wait()
            return 200, b""
        order = {**body["order"], "merchant_reference1": merchant}
        path = f"{AUTHORIZATIONS}/{body['authorization_token']}/orders"
        return (await self.clients[merchant].send("POST", path, order)).status, b""


async def create_buttons(merchants: Merchants, shop: Shop, url: str, names: list[str], stack: AsyncExitStack) -> None:
    """Give each merchant a client and a button key."""
    for name in names:
        client = merchants.clients[name] = await stack.enter_async_context(Client(url, name))
        shop.answers[f"/place/{name}"] = merchants.place
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(shop.url, place_order=f"{shop.url}/place/{name}")})


async def buy_and_wait(client: Client, wait: float) -> Json:
    """Let a shopper buy and wait for the merchant."""
    purchase: Json = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": wait})
    return purchase


async def test_each_of_64_merchants_sees_only_its_own_purchases(shop: Shop) -> None:
    merchants, names = Merchants(), [f"merchant-{number}" for number in range(MERCHANTS)]
    async with emulator() as client, AsyncExitStack() as stack:
        await create_buttons(merchants, shop, client.url, names, stack)
        purchases = await asyncio.gather(
            *[buy_and_wait(merchants.clients[name], LONG) for _ in range(PURCHASES_PER_MERCHANT) for name in names]
        )
        assert {(purchase["state"], len(purchase["callbacks"])) for purchase in purchases} == {("placed", 1)}
        assert len({purchase["order_id"] for purchase in purchases}) == MERCHANTS * PURCHASES_PER_MERCHANT
        for name in names:
            own = {purchase["purchase_id"]: purchase for purchase in purchases if purchase["merchant"] == name}
            await assert_only(merchants, name, own)


async def assert_only(merchants: Merchants, name: str, own: dict[str, Json]) -> None:
    """Check that list, callbacks, journal and snapshot of a merchant contain its own purchases only."""
    client = merchants.clients[name]
    listed = (await client.ask("GET", "/_mock/purchases"))["purchases"]
    assert {purchase["purchase_id"] for purchase in listed} == set(own)
    assert set(merchants.tokens[name]) == {purchase["authorization_token"] for purchase in own.values()}
    entries = (await client.ask("GET", "/_mock/journal?limit=1000"))["entries"]
    assert {entry["merchant"] for entry in entries} == {name}
    assert {entry["purchase_id"] for entry in entries} - {None} == set(own)
    assert list((await client.ask("GET", "/_mock/snapshot"))["merchants"]) == [name]


async def test_a_silent_merchant_does_not_delay_the_shoppers_of_others(shop: Shop) -> None:
    merchants, names = Merchants(), [f"merchant-{number}" for number in range(9)]
    async with emulator(callback_timeout=120.0) as client, AsyncExitStack() as stack:
        await create_buttons(merchants, shop, client.url, [*names, "silent"], stack)
        silent = [await buy_and_wait(merchants.clients["silent"], 0) for _ in range(SHOPPERS_OF_SILENT)]
        others = [merchants.clients[names[number % len(names)]] for number in range(SHOPPERS - SHOPPERS_OF_SILENT)]
        purchases = await asyncio.gather(*[buy_and_wait(one, LONG) for one in others])
        assert {purchase["state"] for purchase in purchases} == {"placed"}
        assert {attempt["status"] for purchase in purchases for attempt in attempts(purchase)} <= {200}
        waiting = (await merchants.clients["silent"].ask("GET", "/_mock/purchases"))["purchases"]
        assert [purchase["state"] for purchase in waiting] == ["authorized"] * SHOPPERS_OF_SILENT
        assert len(merchants.tokens["silent"]) == len(silent)
        merchants.test_has_ended.set()


def attempts(purchase: Json) -> list[Json]:
    """Return the attempts of all of a purchase's callbacks."""
    return [attempt for callback in purchase["callbacks"] for attempt in callback["attempts"]]


async def test_a_snapshot_of_a_busy_server_is_consistent(shop: Shop) -> None:
    merchants, allowed = Merchants(), asyncio.Semaphore(0)

    async def place_when_allowed(request: ReceivedRequest) -> tuple[int, bytes]:
        await allowed.acquire()
        return await merchants.place(request)

    async with emulator(callback_timeout=120.0) as client, emulator() as copy, AsyncExitStack() as stack:
        await create_buttons(merchants, shop, client.url, ["busy"], stack)
        shop.answers["/place/busy"] = place_when_allowed
        buying = asyncio.gather(*[buy_and_wait(merchants.clients["busy"], LONG) for _ in range(40)])
        while not buying.done():
            for _ in range(4):
                allowed.release()
            await assert_consistent(await merchants.clients["busy"].ask("GET", "/_mock/snapshot"), copy)
        assert {purchase["state"] for purchase in await buying} == {"placed"}


async def assert_consistent(state: Json, copy: Client) -> None:
    """Check that every placed purchase has its order and every order its purchase, and that another server takes it."""
    records = state["merchants"]["busy"]["records"]
    placed = {record["order_id"] for record in records.get("purchase", []) if record["state"] == "placed"}
    assert placed == {record["order_id"] for record in records.get("order", [])}
    assert (await copy.send("PUT", "/_mock/snapshot", state, headers={"Authorization": ""})).status == 204
