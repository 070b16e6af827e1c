"""Pushes and notifications: when they are sent, how often, and what ends them (protocol 4.4, 4.5)."""

from datetime import datetime

import pytest

from mock_klarna.client import Client
from mock_klarna.domain.callbacks import SCHEDULES
from tests.merchants.running import Json, buy, callbacks, calls, emulator, place
from tests.merchants.shop import Shop, always, in_turn

PENDING = {"fraud_status": "PENDING"}


def urls(shop: Shop) -> dict[str, str]:
    """Return the URLs of a shop that hears everything."""
    return {name: f"{shop.url}/{name}?id={{checkout.order.id}}" for name in ("push", "notification")}


def tried_after(callback: Json) -> list[int]:
    """Return the seconds between the first attempt of a callback and each of its attempts."""
    times = [datetime.fromisoformat(attempt["at"]).timestamp() for attempt in callback["attempts"]]
    return [round(at - times[0]) for at in times]


async def placed(client: Client, shop: Shop, **wish: object) -> Json:
    """Buy and place with a push and a notification URL."""
    return await place(client, await buy(client, shop.url, urls(shop), **wish))


async def test_a_push_is_repeated_for_48_hours_however_the_merchant_answers(shop: Shop) -> None:
    async with emulator() as client:
        order = await placed(client, shop)
        await client.ask("POST", "/_mock/clock", {"advance": "47h"})
        (push,) = await callbacks(client, "push")
        assert tried_after(push) == [at - 300 for at in SCHEDULES["push"]]
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
        (push,) = await callbacks(client, "push")
        assert len(push["attempts"]) == len(SCHEDULES["push"])
        assert push["state"] == "delivered"
    assert {asked.path for asked in shop.at("/push")} == {f"/push?id={order['order_id']}"}
    assert {(asked.body, asked.declared) for asked in shop.at("/push")} == {(b"", None)}


async def test_what_is_due_soon_does_not_wait_for_what_is_due_later(shop: Shop) -> None:
    async with emulator() as client:
        await placed(client, shop)
        await placed(client, shop, outcome={"fraud_status": "PENDING", "then": "ACCEPTED", "after": 0.01})
        journal = await client.ask("GET", "/_mock/journal?name=fraud_review_ended&wait=10")
        assert len(journal["entries"]) == 1


async def test_the_older_schedule_pushes_every_two_hours(shop: Shop) -> None:
    async with emulator(push_schedule="push-old") as client:
        await placed(client, shop)
        await client.ask("POST", "/_mock/clock", {"advance": "9h"})
        (push,) = await callbacks(client, "push")
        assert tried_after(push) == [0, 7200, 14400, 21600, 28800]


async def test_no_push_before_its_time(shop: Shop) -> None:
    async with emulator() as client:
        await placed(client, shop)
        await client.ask("POST", "/_mock/clock", {"advance": 200})
        assert shop.at("/push") == []
        await client.ask("POST", "/_mock/clock", {"advance": 100})
        assert len(shop.at("/push")) == 1


async def decided(client: Client, order: Json, verdict: str) -> None:
    await client.ask("POST", f"/_mock/orders/{order['order_id']}/decision", {"fraud_status": verdict})


@pytest.mark.parametrize("verdict", ["ACCEPTED", "REJECTED", "STOPPED"])
async def test_the_end_of_a_review_is_told_with_its_event_type(shop: Shop, verdict: str) -> None:
    async with emulator() as client:
        order = await placed(client, shop, outcome="PENDING")
        await decided(client, order, verdict)
        await calls(client, "notification")
    (asked,) = shop.at("/notification")
    assert asked.said == {"order_id": order["order_id"], "event_type": f"FRAUD_RISK_{verdict}"}
    assert asked.path == f"/notification?id={order['order_id']}"


@pytest.mark.parametrize(
    ("statuses", "tries", "state"),
    [
        ((200,), 1, "delivered"),
        ((500, 200), 2, "delivered"),
        ((404, 302, 204, 201, 200), 5, "delivered"),
        ((503,), 145, "failed"),
    ],
)
async def test_a_notification_is_repeated_every_ten_minutes_until_200_or_for_a_day(
    shop: Shop, statuses: tuple[int, ...], tries: int, state: str
) -> None:
    shop.answers["/notification"] = in_turn(*statuses)
    async with emulator() as client:
        await decided(client, await placed(client, shop, outcome="PENDING"), "REJECTED")
        await calls(client, "notification")
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
        (notification,) = await callbacks(client, "notification")
    assert tried_after(notification) == [600 * number for number in range(tries)]
    assert notification["state"] == state
    assert len(shop.at("/notification")) == tries


async def test_a_planned_review_ends_by_the_clock(shop: Shop) -> None:
    async with emulator() as client:
        order = await placed(client, shop, outcome={**PENDING, "then": "REJECTED", "after": "4h"})
        await client.ask("POST", "/_mock/clock", {"advance": "239m"})
        assert shop.at("/notification") == []
        await client.ask("POST", "/_mock/clock", {"advance": "1m"})
        assert shop.at("/notification")[0].said["event_type"] == "FRAUD_RISK_REJECTED"
        assert (await client.ask("GET", f"/_mock/orders/{order['order_id']}"))["fraud_status"] == "REJECTED"
        assert shop.at("/push") == []


async def test_news_that_follows_is_repeated_as_the_news_that_it_is(shop: Shop) -> None:
    shop.answers["/notification"] = in_turn(200, 500, 200)
    async with emulator() as client:
        order = await placed(client, shop, outcome="PENDING")
        for number, verdict in enumerate(("ACCEPTED", "STOPPED"), 1):
            await decided(client, order, verdict)
            await calls(client, "notification", number)
        await client.ask("POST", "/_mock/clock", {"advance": "10m"})
        first, second = await callbacks(client, "notification")
    assert [asked.said["event_type"] for asked in shop.at("/notification")] == [
        "FRAUD_RISK_ACCEPTED",
        "FRAUD_RISK_STOPPED",
        "FRAUD_RISK_STOPPED",
    ]
    assert [len(callback["attempts"]) for callback in (first, second)] == [1, 2]


async def test_news_that_other_news_overtakes_waits_for_nothing(shop: Shop) -> None:
    shop.answers["/notification"] = always(500)
    async with emulator() as client:
        order = await placed(client, shop, outcome="PENDING")
        for number, verdict in enumerate(("ACCEPTED", "STOPPED"), 1):
            await decided(client, order, verdict)
            await calls(client, "notification", number)
        await client.ask("POST", "/_mock/clock", {"advance": "10m"})
        states = [callback["state"] for callback in await callbacks(client, "notification")]
    assert states == ["failed", "waiting"]


async def test_pushes_and_notifications_are_sent_in_the_order_of_their_times(shop: Shop) -> None:
    shop.answers["/notification"] = always(500)
    async with emulator() as client:
        await placed(client, shop, outcome={**PENDING, "then": "ACCEPTED", "after": "1h"})
        position = (await client.ask("GET", "/_mock/journal?limit=1000"))["position"]
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
        path = f"/_mock/journal?kind=callback&after={position}&limit=1000"
        entries = [entry for entry in (await client.ask("GET", path))["entries"] if entry["name"] != "place_order"]
    times = [entry["at"] for entry in entries]
    assert times == sorted(times)
    assert [entry["name"] for entry in entries[:3]] == ["notification", "push", "notification"]
    assert {name: sum(entry["name"] == name for entry in entries) for name in ("push", "notification")} == {
        "push": len([at for at in SCHEDULES["push"] if at <= 47 * 3600]),
        "notification": 145,
    }


async def test_the_urls_of_the_posted_order_go_over_those_of_the_key(shop: Shop) -> None:
    own = {"push": f"{shop.url}/own?order={{order.id}}", "confirmation": f"{shop.url}/thanks/{{order.id}}"}
    async with emulator() as client:
        purchase = await buy(client, shop.url, urls(shop), outcome="PENDING")
        order = await place(client, purchase, merchant_urls=own)
        await decided(client, order, "ACCEPTED")
        await calls(client, "notification")
        await client.ask("POST", "/_mock/clock", {"advance": "5m"})
        found = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    assert [asked.path for asked in shop.at("/own")] == [f"/own?order={order['order_id']}"]
    assert (len(shop.at("/push")), len(shop.at("/notification"))) == (0, 1)
    assert found["redirect_url"] == f"{shop.url}/thanks/{order['order_id']}"


async def test_an_order_without_push_and_notification_urls_calls_nobody(shop: Shop) -> None:
    async with emulator() as client:
        for outcome in ("ACCEPTED", {**PENDING, "then": "REJECTED", "after": 5}):
            await place(client, await buy(client, shop.url, outcome=outcome))
        await calls(client, "place_order", 2)
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
    assert [asked.path for asked in shop.asked] == ["/place-order"] * 2
