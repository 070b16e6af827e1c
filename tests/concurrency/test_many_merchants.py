"""Many merchants and many shoppers at once: nothing crosses over, nobody waits for somebody else."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from mock_klarna.client import Client
from tests.merchants.pages import PAGE, urls
from tests.merchants.running import AUTHORIZATIONS, BUTTONS, Json, emulator
from tests.merchants.shop import Asked, Shop

MERCHANTS, PURCHASES = 64, 3
SHOPPERS, SILENT = 200, 20
pytestmark = pytest.mark.usefixtures("engine")


class Services:
    """The back offices of many merchants behind one shop: each places its own orders, the silent ones never answer."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.asked: dict[str, list[str]] = {}
        self.hang = asyncio.Event()

    async def place(self, asked: Asked) -> tuple[int, bytes]:
        """Place the order as the merchant whose name is in the path."""
        merchant, said = asked.path.rpartition("/")[2], asked.said
        self.asked.setdefault(merchant, []).append(said["authorization_token"])
        if merchant == "silent":
            await self.hang.wait()
            return 200, b""
        order = {**said["order"], "merchant_reference1": merchant}
        path = f"{AUTHORIZATIONS}/{said['authorization_token']}/orders"
        return (await self.clients[merchant].send("POST", path, order)).status, b""


async def opened(services: Services, shop: Shop, url: str, names: list[str], stack: AsyncExitStack) -> None:
    """Give each merchant a client and a button key."""
    for name in names:
        client = services.clients[name] = await stack.enter_async_context(Client(url, name))
        shop.answers[f"/place/{name}"] = services.place
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(shop.url, place_order=f"{shop.url}/place/{name}")})


async def bought(client: Client, wait: float) -> Json:
    """Let a shopper buy and wait for the merchant."""
    purchase: Json = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": wait})
    return purchase


async def test_sixty_four_merchants_at_once_see_their_own_purchases_alone(shop: Shop) -> None:
    services, names = Services(), [f"merchant-{number}" for number in range(MERCHANTS)]
    async with emulator() as client, AsyncExitStack() as stack:
        await opened(services, shop, client.url, names, stack)
        purchases = await asyncio.gather(
            *[bought(services.clients[name], 30.0) for _ in range(PURCHASES) for name in names]
        )
        assert {(purchase["state"], len(purchase["callbacks"])) for purchase in purchases} == {("placed", 1)}
        assert len({purchase["order_id"] for purchase in purchases}) == MERCHANTS * PURCHASES
        for name in names:
            own = {purchase["purchase_id"]: purchase for purchase in purchases if purchase["merchant"] == name}
            await holds_only(services, name, own)


async def holds_only(services: Services, name: str, own: dict[str, Json]) -> None:
    """Check that a merchant lists, was asked about and journals nothing but its own purchases."""
    client = services.clients[name]
    listed = (await client.ask("GET", "/_mock/purchases"))["purchases"]
    assert {purchase["purchase_id"] for purchase in listed} == set(own)
    assert set(services.asked[name]) == {purchase["authorization_token"] for purchase in own.values()}
    entries = (await client.ask("GET", "/_mock/journal?limit=1000"))["entries"]
    assert {entry["merchant"] for entry in entries} == {name}
    assert {entry["purchase_id"] for entry in entries} - {None} == set(own)
    assert list((await client.ask("GET", "/_mock/snapshot"))["merchants"]) == [name]


async def test_two_hundred_shoppers_do_not_notice_that_one_merchant_is_silent(shop: Shop) -> None:
    services, names = Services(), [f"merchant-{number}" for number in range(9)]
    async with emulator(callback_timeout=120.0) as client, AsyncExitStack() as stack:
        await opened(services, shop, client.url, [*names, "silent"], stack)
        silent = [await bought(services.clients["silent"], 0) for _ in range(SILENT)]
        others = [services.clients[names[number % len(names)]] for number in range(SHOPPERS - SILENT)]
        purchases = await asyncio.gather(*[bought(one, 30.0) for one in others])
        assert {purchase["state"] for purchase in purchases} == {"placed"}
        assert {attempt["status"] for purchase in purchases for attempt in attempts(purchase)} <= {200}
        left = (await services.clients["silent"].ask("GET", "/_mock/purchases"))["purchases"]
        assert [purchase["state"] for purchase in left] == ["authorized"] * SILENT
        assert len(services.asked["silent"]) == len(silent)
        services.hang.set()


def attempts(purchase: Json) -> list[Json]:
    """Return the attempts of all of a purchase's callbacks."""
    return [attempt for callback in purchase["callbacks"] for attempt in callback["attempts"]]


async def test_a_snapshot_of_a_busy_server_is_whole(shop: Shop) -> None:
    services = Services()
    async with emulator() as client, emulator() as copy, AsyncExitStack() as stack:
        await opened(services, shop, client.url, ["busy"], stack)
        buying = asyncio.gather(*[bought(services.clients["busy"], 30.0) for _ in range(40)])
        snapshots = 0
        while not buying.done():
            await is_whole(await services.clients["busy"].ask("GET", "/_mock/snapshot"), copy)
            snapshots += 1
        assert {purchase["state"] for purchase in await buying} == {"placed"}
        assert snapshots > 1


async def is_whole(state: Json, copy: Client) -> None:
    """Check that every placed purchase has its order and every order its purchase, and that another server takes it."""
    records = state["merchants"]["busy"]["records"]
    placed = {held["order_id"] for held in records.get("purchase", []) if held["state"] == "placed"}
    assert placed == {held["order_id"] for held in records.get("order", [])}
    assert (await copy.send("PUT", "/_mock/snapshot", state, headers={"Authorization": ""})).status == 204
