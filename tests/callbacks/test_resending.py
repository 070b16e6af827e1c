import asyncio

import pytest

from tests.merchants.running import buy, callbacks, calls, emulator, place
from tests.merchants.shop import Shop, in_turn


async def test_a_callback_is_sent_again_with_the_same_bytes_to_the_same_url(shop: Shop) -> None:
    shop.answers["/place-order"] = in_turn(500, 200)
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        (failed,) = await callbacks(client, "place_order", bought)
        resent = await client.ask("POST", f"/_mock/callbacks/{failed['callback_id']}/resend")
    first, second = shop.asked
    assert first == second
    assert (failed["state"], resent["state"]) == ("failed", "delivered")
    assert [attempt["status"] for attempt in resent["attempts"]] == [500, 200]


async def test_a_callback_can_be_sent_again_however_the_purchase_ended(shop: Shop) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        await place(client, bought)
        (callback,) = await callbacks(client, "place_order", bought)
        resent = await client.ask("POST", f"/_mock/callbacks/{callback['callback_id']}/resend")
        assert len(resent["attempts"]) == len(await calls(client, "place_order", 2)) == 2
    assert shop.asked[0] == shop.asked[1]


async def test_every_try_is_kept_when_a_callback_is_sent_again_several_times_at_once(shop: Shop) -> None:
    async with emulator() as client:
        await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order")
        path = f"/_mock/callbacks/{callback['callback_id']}"
        resent = await asyncio.gather(*[client.ask("POST", f"{path}/resend") for _ in range(5)])
        kept = await client.ask("GET", path)
        numbers = [entry["number"] for entry in await calls(client, "place_order", 6)]
    assert len(shop.asked) == len(kept["attempts"]) == 6
    assert sorted(len(one["attempts"]) for one in resent) == [2, 3, 4, 5, 6]
    assert numbers == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_merchants_callback_is_not_known(shop: Shop, method: str) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        path = f"/_mock/callbacks/{callback['callback_id']}" + ("/resend" if method == "POST" else "")
        answer = await client.send(method, f"{path}?merchant=thief", headers={"Authorization": ""})
        assert answer.status == 404
    assert len(shop.asked) == 1
