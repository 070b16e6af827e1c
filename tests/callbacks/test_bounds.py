"""How much is under way at once, and who waits for whom."""

import asyncio

from mock_klarna.callbacks.delivery import AT_ONCE
from mock_klarna.client import Client
from tests.merchants.running import buy, calls, emulator, place
from tests.merchants.shop import Asked, Shop


class Gate:
    """An answer that is held back until the gate opens, and counts who waits before it."""

    def __init__(self, full: int) -> None:
        self.waiting = 0
        self.most = 0
        self.full = asyncio.Event()
        self.open = asyncio.Event()
        self._enough = full

    async def answer(self, _asked: Asked) -> tuple[int, bytes]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.waiting >= self._enough:
            self.full.set()
        await self.open.wait()
        self.waiting -= 1
        return 200, b""


async def test_a_hundred_callbacks_of_a_merchant_are_under_way_at_once_and_the_rest_wait_their_turn(
    shop: Shop,
) -> None:
    gate = Gate(AT_ONCE)
    shop.answers["/place-order"] = gate.answer
    async with emulator() as client:
        for _ in range(AT_ONCE + 10):
            await buy(client, shop.url)
        await gate.full.wait()
        assert len(shop.asked) == AT_ONCE
        gate.open.set()
        await calls(client, "place_order", AT_ONCE + 10)
    assert (len(shop.asked), gate.most) == (AT_ONCE + 10, AT_ONCE)


async def test_a_merchant_whose_callbacks_hang_holds_up_nobody_else(shop: Shop) -> None:
    gate = Gate(AT_ONCE)
    shop.answers["/silent"] = gate.answer
    async with emulator() as client, Client(client.url, "silent") as silent:
        for _ in range(AT_ONCE + 10):
            await buy(silent, shop.url, {"place_order": f"{shop.url}/silent"})
        await gate.full.wait()
        await buy(client, shop.url)
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] == "answered"
        assert gate.waiting == AT_ONCE
        gate.open.set()


async def test_a_silent_callback_holds_up_no_other_of_the_same_merchant(shop: Shop) -> None:
    gate = Gate(1)
    shop.answers["/silent"] = gate.answer
    async with emulator() as client:
        await buy(client, shop.url, {"place_order": f"{shop.url}/silent"})
        await gate.full.wait()
        await place(client, await buy(client, shop.url))
        (entry,) = await calls(client, "place_order")
        assert entry["url"] == f"{shop.url}/place-order"
        gate.open.set()


async def test_a_merchant_may_read_and_place_while_it_is_still_being_asked(shop: Shop) -> None:
    async with emulator() as client:

        async def place_first(asked: Asked) -> tuple[int, bytes]:
            path = f"/instantshopping/v1/authorizations/{asked.said['authorization_token']}"
            order = await client.ask("GET", path)
            order["merchant_urls"]["confirmation"] = f"{shop.url}/thanks"
            await client.ask("POST", f"{path}/orders", order)
            return 200, b""

        shop.answers["/place-order"] = place_first
        purchase = await buy(client, shop.url, wait=10)
    assert (purchase["state"], purchase["redirect_url"]) == ("placed", f"{shop.url}/thanks")
