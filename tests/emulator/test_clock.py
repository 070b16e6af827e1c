"""A merchant's clock over HTTP: what is due happens, in order, before moving it is answered."""

from typing import Any

import pytest

from mock_klarna.client import Client
from tests.merchants.running import AUTHORIZATIONS, Json, buy, emulator, place
from tests.merchants.shop import Shop, always

NOBODY = "http://127.0.0.1:1"


async def state_after(client: Client, purchase: Json, **move: Any) -> str:
    """Move the clock and return the purchase's state then."""
    await client.ask("POST", "/_mock/clock", move)
    found = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    return str(found["state"])


async def answer_to(client: Client, purchase: Json, method: str) -> int:
    """Return the status that the token gets now."""
    path = f"{AUTHORIZATIONS}/{purchase['authorization_token']}"
    if method == "POST":
        return (await client.send("POST", f"{path}/orders", purchase["order"])).status
    return (await client.send(method, path)).status


async def test_a_shopper_stops_waiting_after_a_minute_and_the_token_is_dead() -> None:
    async with emulator() as client:
        purchase = await buy(client, NOBODY)
        assert await state_after(client, purchase, advance="30s") == "authorized"
        assert await answer_to(client, purchase, "GET") == 200
        assert await state_after(client, purchase, advance="30s") == "timed_out"
        assert [await answer_to(client, purchase, method) for method in ("GET", "POST", "DELETE")] == [404] * 3


@pytest.mark.parametrize(("method", "state"), [("POST", "placed"), ("DELETE", "denied")])
async def test_a_token_that_outlives_its_shopper_can_be_decided_on_for_an_hour(method: str, state: str) -> None:
    async with emulator(timeout_ends_token=False) as client:
        purchase, late = await buy(client, NOBODY), await buy(client, NOBODY)
        assert await state_after(client, purchase, advance="59m") == "timed_out"
        assert await answer_to(client, purchase, method) in (200, 204)
        assert await state_after(client, purchase, advance="1m") == state
        assert await state_after(client, late, advance=1) == "expired"
        assert await answer_to(client, late, method) == 404


async def test_without_a_merchant_timeout_a_purchase_is_open_until_its_token_expires() -> None:
    async with emulator(merchant_timeout=0.0) as client:
        purchase = await buy(client, NOBODY)
        assert await state_after(client, purchase, advance="59m") == "authorized"
        assert await state_after(client, purchase, advance="1m") == "expired"
        assert [await answer_to(client, purchase, method) for method in ("GET", "POST", "DELETE")] == [404] * 3


async def test_a_clock_that_is_set_back_undoes_nothing_and_lets_what_is_due_wait() -> None:
    async with emulator() as client:
        dead = await buy(client, NOBODY)
        assert await state_after(client, dead, advance="1m") == "timed_out"
        alive = await buy(client, NOBODY)
        assert await state_after(client, dead, set="2020-01-01T00:00:00Z") == "timed_out"
        assert [await answer_to(client, purchase, "GET") for purchase in (dead, alive)] == [404, 200]
        assert await state_after(client, alive, advance="365d") == "authorized"
        assert await state_after(client, alive, set=alive["created_at"]) == "authorized"
        assert await state_after(client, alive, advance="61s") == "timed_out"


async def test_the_life_of_a_token_is_a_setting() -> None:
    async with emulator(token_lifetime=5.0) as client:
        assert await state_after(client, await buy(client, NOBODY), advance=5) == "expired"


async def test_a_purchase_may_bring_its_own_patience() -> None:
    async with emulator() as client:
        purchase = await buy(client, NOBODY, merchant_timeout=3000)
        assert await state_after(client, purchase, advance="49m") == "authorized"
        assert await state_after(client, purchase, advance="1m") == "timed_out"


@pytest.mark.parametrize("decision", ["POST", "DELETE"])
async def test_what_is_decided_is_left_alone_by_time(decision: str) -> None:
    async with emulator() as client:
        purchase = await buy(client, NOBODY)
        await answer_to(client, purchase, decision)
        before = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
        assert await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}") == before


async def test_everything_that_is_due_has_happened_in_order_when_moving_the_clock_is_answered() -> None:
    async with emulator() as client:
        for patience in (3000, 400, 2000, 1000):
            await buy(client, NOBODY, merchant_timeout=patience)
        position = (await client.ask("GET", "/_mock/journal?limit=1000"))["position"]
        await client.ask("POST", "/_mock/clock", {"advance": "55m"})
        entries = (await client.ask("GET", f"/_mock/journal?after={position}&kind=event"))["entries"]
    assert [entry["name"] for entry in entries] == ["purchase_timed_out"] * 4 + ["clock_moved"]
    assert [entry["seconds"] for entry in entries] == [400, 1000, 2000, 3000, 3300]
    times = [entry["at"] for entry in entries]
    assert times == sorted(times)


async def test_two_days_of_pushes_and_notifications_are_over_when_the_clock_has_moved_two_days(shop: Shop) -> None:
    shop.answers["/news"] = always(500)
    async with emulator() as client:
        urls = {"push": f"{shop.url}/push", "notification": f"{shop.url}/news"}
        pending = {"fraud_status": "PENDING", "then": "ACCEPTED", "after": 0}
        await place(client, await buy(client, shop.url, urls, outcome=pending))
        await place(client, await buy(client, shop.url, urls))
        await client.ask("POST", "/_mock/clock", {"advance": "49h"})
        assert (len(shop.at("/push")), len(shop.at("/news"))) == (30, 145)
        await client.ask("POST", "/_mock/clock", {"advance": "49h"})
        assert (len(shop.at("/push")), len(shop.at("/news"))) == (30, 145)


async def test_the_clock_of_one_merchant_leaves_another_alone() -> None:
    async with emulator() as client, Client(client.url, "other") as other:
        mine, theirs = await buy(client, NOBODY), await buy(other, NOBODY)
        assert await state_after(client, mine, advance="2h") == "timed_out"
        assert (await other.ask("GET", "/_mock/clock"))["ahead_seconds"] == 0
        assert (await client.ask("GET", "/_mock/clock"))["ahead_seconds"] == 7200
        assert await state_after(other, theirs, advance=0) == "authorized"


async def test_without_credentials_the_clocks_of_all_merchants_move() -> None:
    async with emulator() as client, Client(client.url, "other") as other:
        purchases = [await buy(one, NOBODY) for one in (client, other)]
        everybody = await client.send("POST", "/_mock/clock", {"advance": "2m"}, headers={"Authorization": ""})
        assert everybody.status == 200
        states = [
            await state_after(one, purchase, advance=0)
            for one, purchase in zip((client, other), purchases, strict=True)
        ]
    assert states == ["timed_out", "timed_out"]


async def test_a_clock_can_be_set_and_says_what_time_it_is() -> None:
    async with emulator() as client:
        clock = await client.ask("POST", "/_mock/clock", {"set": "2031-05-06T07:08:09Z"})
        assert clock["now"].startswith("2031-05-06T07:08:")
        purchase = await buy(client, NOBODY)
        assert purchase["created_at"].startswith("2031-05-06T07:08:")
        assert purchase["expires_at"].startswith("2031-05-06T08:08:")


async def test_a_clock_that_is_set_back_undoes_nothing() -> None:
    async with emulator() as client:
        old = await buy(client, NOBODY)
        assert await state_after(client, old, advance="2h") == "timed_out"
        assert await state_after(client, old, set="2020-01-01T00:00:00Z") == "timed_out"
        new = await buy(client, NOBODY)
        assert await state_after(client, new, advance="30s") == "authorized"
        assert await state_after(client, new, advance="31s") == "timed_out"


async def test_what_was_called_while_the_clock_moves_is_called_again_before_it_has_moved(shop: Shop) -> None:
    """A notification that is on its way when the clock begins to move has all its tries within the move."""
    shop.answers["/news"] = always(500)
    async with emulator() as client:
        urls = {"notification": f"{shop.url}/news"}
        order = await place(client, await buy(client, shop.url, urls, outcome="PENDING"))
        await client.ask("POST", f"/_mock/orders/{order['order_id']}/decision", {"fraud_status": "REJECTED"})
        await client.ask("POST", "/_mock/clock", {"advance": "24h"})
        assert len(shop.at("/news")) == 145
