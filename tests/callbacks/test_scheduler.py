"""When jobs run: repeated callbacks, timeouts, and moving the clock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

import orjson
import pytest
import uvloop

from mock_klarna.callbacks import Deliveries, DueMerchants, Scheduler
from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.client import Client
from mock_klarna.domain.callbacks import SCHEDULES, Delivery
from mock_klarna.domain.journal import JournalFilter
from mock_klarna.domain.records import Decision, Job
from mock_klarna.emulator import Context, Emulator
from mock_klarna.emulator import emulator as commands
from mock_klarna.settings import Settings
from mock_klarna.store.memory import MemoryStore
from tests.merchants import pages
from tests.merchants.running import AUTHORIZATIONS, Json, buy, callbacks, calls, emulator, place
from tests.merchants.shop import ReceivedRequest, Shop, always, in_turn

PENDING = {"fraud_status": "PENDING"}


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_timer_of_less_than_a_millisecond_is_compared_with_a_job_that_is_due(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def woken() -> set[str]:
        due_merchants = DueMerchants()
        due_merchants.set_timer("shop", 0.0001)
        due_merchants.jobs_added("shop", 0)
        return await due_merchants.wait()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(woken()) == {"shop"}


def urls(shop: Shop) -> dict[str, str]:
    """Return the push and notification URLs of a shop."""
    return {name: f"{shop.url}/{name}?id={{checkout.order.id}}" for name in ("push", "notification")}


def tried_after(callback: Json) -> list[int]:
    """Return the seconds between the first attempt of a callback and each of its attempts."""
    times = [datetime.fromisoformat(attempt["at"]).timestamp() for attempt in callback["attempts"]]
    return [round(at - times[0]) for at in times]


async def placed(client: Client, shop: Shop, **options: object) -> Json:
    """Buy and place with a push and a notification URL."""
    return await place(client, await buy(client, shop.url, urls(shop), **options))


async def test_a_push_is_repeated_for_48_hours_whatever_the_merchant_answers(shop: Shop) -> None:
    async with emulator() as client:
        order = await placed(client, shop)
        await client.ask("POST", "/_mock/clock", {"advance": "47h"})
        (push,) = await callbacks(client, "push")
        assert tried_after(push) == [at - 300 for at in SCHEDULES["push"]]
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
        (push,) = await callbacks(client, "push")
        assert len(push["attempts"]) == len(SCHEDULES["push"])
        assert push["state"] == "delivered"
    assert {request.path for request in shop.at("/push")} == {f"/push?id={order['order_id']}"}
    assert {(request.body, request.content_type) for request in shop.at("/push")} == {(b"", None)}


async def test_a_job_that_is_due_soon_does_not_wait_for_a_later_one(shop: Shop) -> None:
    async with emulator() as client:
        await placed(client, shop)
        await placed(client, shop, outcome={"fraud_status": "PENDING", "then": "ACCEPTED", "after": 0.01})
        journal = await client.ask("GET", "/_mock/journal?name=fraud_review_ended&wait=120")
        assert len(journal["entries"]) == 1


async def test_the_older_schedule_pushes_every_two_hours(shop: Shop) -> None:
    async with emulator(push_schedule="push-old") as client:
        await placed(client, shop)
        await client.ask("POST", "/_mock/clock", {"advance": "9h"})
        (push,) = await callbacks(client, "push")
        assert tried_after(push) == [0, 7200, 14400, 21600, 28800]


async def test_a_push_is_not_sent_before_it_is_due(shop: Shop) -> None:
    async with emulator() as client:
        await placed(client, shop)
        await client.ask("POST", "/_mock/clock", {"advance": 200})
        assert shop.at("/push") == []
        await client.ask("POST", "/_mock/clock", {"advance": 100})
        assert len(shop.at("/push")) == 1


async def decided(client: Client, order: Json, status: str) -> None:
    await client.ask("POST", f"/_mock/orders/{order['order_id']}/decision", {"fraud_status": status})


@pytest.mark.parametrize("status", ["ACCEPTED", "REJECTED", "STOPPED"])
async def test_a_notification_has_the_event_type_of_the_review(shop: Shop, status: str) -> None:
    async with emulator() as client:
        order = await placed(client, shop, outcome="PENDING")
        await decided(client, order, status)
        await calls(client, "notification")
    (request,) = shop.at("/notification")
    assert request.json == {"order_id": order["order_id"], "event_type": f"FRAUD_RISK_{status}"}
    assert request.path == f"/notification?id={order['order_id']}"


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
        assert shop.at("/notification")[0].json["event_type"] == "FRAUD_RISK_REJECTED"
        assert (await client.ask("GET", f"/_mock/orders/{order['order_id']}"))["fraud_status"] == "REJECTED"
        assert shop.at("/push") == []


async def test_a_second_notification_is_repeated_with_its_own_body(shop: Shop) -> None:
    shop.answers["/notification"] = in_turn(200, 500, 200)
    async with emulator() as client:
        order = await placed(client, shop, outcome="PENDING")
        for number, status in enumerate(("ACCEPTED", "STOPPED"), 1):
            await decided(client, order, status)
            await calls(client, "notification", number)
        await client.ask("POST", "/_mock/clock", {"advance": "10m"})
        first, second = await callbacks(client, "notification")
    assert [request.json["event_type"] for request in shop.at("/notification")] == [
        "FRAUD_RISK_ACCEPTED",
        "FRAUD_RISK_STOPPED",
        "FRAUD_RISK_STOPPED",
    ]
    assert [len(callback["attempts"]) for callback in (first, second)] == [1, 2]


async def test_a_notification_that_a_newer_one_replaces_has_failed(shop: Shop) -> None:
    shop.answers["/notification"] = always(500)
    async with emulator() as client:
        order = await placed(client, shop, outcome="PENDING")
        for number, status in enumerate(("ACCEPTED", "STOPPED"), 1):
            await decided(client, order, status)
            await calls(client, "notification", number)
        await client.ask("POST", "/_mock/clock", {"advance": "10m"})
        states = [callback["state"] for callback in await callbacks(client, "notification")]
    assert states == ["failed", "waiting"]


async def test_a_notification_that_was_replaced_while_it_was_sent_repeats_no_other(shop: Shop) -> None:
    async with emulator() as client:
        order = await placed(client, shop, outcome="PENDING")

        async def stop_meanwhile(request: ReceivedRequest) -> tuple[int, bytes]:
            if request.json["event_type"] == "FRAUD_RISK_STOPPED":
                return 200, b""
            await decided(client, order, "STOPPED")
            return 500, b""

        shop.answers["/notification"] = stop_meanwhile
        await decided(client, order, "ACCEPTED")
        await calls(client, "notification", 2)
        await client.ask("POST", "/_mock/clock", {"advance": "1h"})
        shown = [
            (callback["state"], [attempt["status"] for attempt in callback["attempts"]])
            for callback in await callbacks(client, "notification")
        ]
    assert shown == [("failed", [500]), ("delivered", [200])]
    assert len(shop.at("/notification")) == 2


@pytest.mark.parametrize(
    ("status", "body", "state", "sent"),
    [(200, None, "delivered", 2), (500, None, "waiting", 3), (200, {"body": None}, "waiting", 3)],
)
async def test_a_notification_that_is_sent_again_by_hand_is_repeated_until_200(
    shop: Shop, status: int, body: Json | None, state: str, sent: int
) -> None:
    """klarna.md §4.5; a changed body that is answered 200 has not notified the merchant."""
    shop.answers["/notification"] = in_turn(500, status, 200)
    async with emulator() as client:
        await decided(client, await placed(client, shop, outcome="PENDING"), "ACCEPTED")
        await calls(client, "notification")
        (failed,) = await callbacks(client, "notification")
        resent = await client.ask("POST", f"/_mock/callbacks/{failed['callback_id']}/resend", body)
        assert resent["state"] == state
        await client.ask("POST", "/_mock/clock", {"advance": "1h"})
        (notification,) = await callbacks(client, "notification")
    assert (notification["state"], len(notification["attempts"])) == ("delivered", sent)
    assert len(shop.at("/notification")) == sent


async def test_a_push_that_is_sent_again_by_hand_waits_for_its_next_try(shop: Shop) -> None:
    async with emulator() as client:
        order = await placed(client, shop)
        await client.ask("POST", "/_mock/clock", {"advance": "6m"})
        (push,) = await callbacks(client, "push")
        path = f"/_mock/callbacks/{push['callback_id']}/resend"
        assert (await client.ask("POST", path))["state"] == "waiting"
        await client.ask("POST", f"/ordermanagement/v1/orders/{order['order_id']}/acknowledge")
        assert (await client.ask("POST", path))["state"] == "delivered"
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
    assert len(shop.at("/push")) == 3


class Server:
    """What a server is made of, without HTTP; its clock is `now`, seconds in UTC."""

    def __init__(
        self, store: MemoryStore, deliveries: Callable[[Context, MerchantClient], Deliveries] = Deliveries
    ) -> None:
        settings, due_merchants = Settings(), DueMerchants()
        self.now = 1_000_000.0
        self.client = MerchantClient(settings)
        context = Context(store, settings, lambda: self.now, "seed", due_merchants)
        sender = deliveries(context, self.client)
        self.klarna = Emulator(context, sender)
        self.scheduler = Scheduler(self.klarna, sender, due_merchants)

    async def place(self, shop: Shop) -> str:
        """Place an order with a push URL of a shop; return its id."""
        urls = {**pages.PAGE["merchant_urls"], "push": f"{shop.url}/push"}
        return (await commands.order(self.klarna, "shop", {"page": {**pages.PAGE, "merchant_urls": urls}})).order_id


class WatchedDeliveries(Deliveries):
    """Deliveries that set an event when a second job is sent."""

    def __init__(self, context: Context, client: MerchantClient, second_is_sent: asyncio.Event) -> None:
        super().__init__(context, client)
        self._sent = 0
        self._second_is_sent = second_is_sent

    async def send(self, job: Job) -> None:
        self._sent += 1
        if self._sent > 1:
            self._second_is_sent.set()
        await super().send(job)


@pytest.mark.parametrize(
    ("command", "body"),
    [("acknowledge_order", {}), ("capture_order", {"captured_amount": 1}), ("cancel_order", {})],
)
async def test_a_push_whose_order_is_acknowledged_before_it_is_answered_has_one_attempt(
    shop: Shop, command: str, body: Json
) -> None:
    """The usual merchant acknowledges while it handles the push (klarna.md §4.4)."""
    store, second_is_sent = MemoryStore(), asyncio.Event()
    server = Server(store, partial(WatchedDeliveries, second_is_sent=second_is_sent))
    order_id = await server.place(shop)

    async def acknowledge(_request: ReceivedRequest) -> tuple[int, bytes]:
        await server.klarna.order_management.run(command, "shop", order_id, body)
        await second_is_sent.wait()
        return 200, b""

    shop.answers["/push"] = acknowledge
    server.now += 300
    running = asyncio.create_task(server.scheduler.run())
    assert await store.wait(JournalFilter(kind="callback"), 0, 120)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await server.client.close()
    (push,) = await store.records(Delivery, "shop")
    assert (push.state, [attempt.outcome for attempt in push.attempts]) == ("delivered", ["answered"])


class StoreWithOtherServers(MemoryStore):
    """A store in which another server commits something just before the attempt of a push is written."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], Awaitable[object]] | None = None

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        if self.before is not None and any(job.kind == "push" for job in decision.finished):
            before, self.before = self.before, None
            await before()
        return await super().commit(merchant, decision, now)


@pytest.mark.parametrize(
    ("command", "body"),
    [("acknowledge_order", {}), ("capture_order", {"captured_amount": 1}), ("cancel_order", {})],
)
async def test_a_push_whose_order_is_acknowledged_while_its_attempt_is_written_is_not_repeated(
    shop: Shop, command: str, body: Json
) -> None:
    store = StoreWithOtherServers()
    server = Server(store)
    order_id = await server.place(shop)
    store.before = partial(server.klarna.order_management.run, command, "shop", order_id, body)
    await server.scheduler.set_clock("shop", 300.0)
    await server.client.close()
    (push,) = await store.records(Delivery, "shop")
    assert (push.state, len(push.attempts)) == ("delivered", 1)
    assert [job.kind for job in await store.jobs("shop") if job.kind == "push"] == []


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


async def test_the_urls_of_the_posted_order_replace_those_of_the_key(shop: Shop) -> None:
    own = {"push": f"{shop.url}/own?order={{order.id}}", "confirmation": f"{shop.url}/thanks/{{order.id}}"}
    async with emulator() as client:
        purchase = await buy(client, shop.url, urls(shop), outcome="PENDING")
        order = await place(client, purchase, merchant_urls=own)
        await decided(client, order, "ACCEPTED")
        await calls(client, "notification")
        await client.ask("POST", "/_mock/clock", {"advance": "5m"})
        found = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    assert [request.path for request in shop.at("/own")] == [f"/own?order={order['order_id']}"]
    assert (len(shop.at("/push")), len(shop.at("/notification"))) == (0, 1)
    assert found["redirect_url"] == f"{shop.url}/thanks/{order['order_id']}"


async def test_an_order_without_push_and_notification_urls_causes_no_callback(shop: Shop) -> None:
    async with emulator() as client:
        for outcome in ("ACCEPTED", {**PENDING, "then": "REJECTED", "after": 5}):
            await place(client, await buy(client, shop.url, outcome=outcome))
        await calls(client, "place_order", 2)
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
    assert [request.path for request in shop.requests] == ["/place-order"] * 2


UNREACHABLE_URL = "http://127.0.0.1:1"


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


async def test_a_purchase_times_out_after_a_minute_and_its_token_ends() -> None:
    async with emulator() as client:
        purchase = await buy(client, UNREACHABLE_URL)
        assert await state_after(client, purchase, advance="30s") == "authorized"
        assert await answer_to(client, purchase, "GET") == 200
        assert await state_after(client, purchase, advance="30s") == "timed_out"
        assert [await answer_to(client, purchase, method) for method in ("GET", "POST", "DELETE")] == [404] * 3


@pytest.mark.parametrize(("method", "state"), [("POST", "placed"), ("DELETE", "denied")])
async def test_a_token_that_stays_valid_after_the_timeout_can_be_used_for_an_hour(method: str, state: str) -> None:
    async with emulator(timeout_ends_token=False) as client:
        purchase, late = await buy(client, UNREACHABLE_URL), await buy(client, UNREACHABLE_URL)
        assert await state_after(client, purchase, advance="59m") == "timed_out"
        assert await answer_to(client, purchase, method) in (200, 204)
        assert await state_after(client, purchase, advance="1m") == state
        assert await state_after(client, late, advance=1) == "expired"
        assert await answer_to(client, late, method) == 404


async def test_without_a_merchant_timeout_a_purchase_is_open_until_its_token_expires() -> None:
    async with emulator(merchant_timeout=0.0) as client:
        purchase = await buy(client, UNREACHABLE_URL)
        assert await state_after(client, purchase, advance="59m") == "authorized"
        assert await state_after(client, purchase, advance="1m") == "expired"
        assert [await answer_to(client, purchase, method) for method in ("GET", "POST", "DELETE")] == [404] * 3


async def test_a_clock_that_is_set_back_undoes_nothing_and_delays_what_is_due() -> None:
    async with emulator() as client:
        timed_out = await buy(client, UNREACHABLE_URL)
        assert await state_after(client, timed_out, advance="1m") == "timed_out"
        open_one = await buy(client, UNREACHABLE_URL)
        assert await state_after(client, timed_out, set="2020-01-01T00:00:00Z") == "timed_out"
        assert [await answer_to(client, purchase, "GET") for purchase in (timed_out, open_one)] == [404, 200]
        assert await state_after(client, open_one, advance="365d") == "authorized"
        assert await state_after(client, open_one, set=open_one["created_at"]) == "authorized"
        assert await state_after(client, open_one, advance="61s") == "timed_out"


async def test_a_setting_says_how_long_a_token_is_valid() -> None:
    async with emulator(token_lifetime=5.0) as client:
        assert await state_after(client, await buy(client, UNREACHABLE_URL), advance=5) == "expired"


async def test_a_purchase_may_have_its_own_timeout() -> None:
    async with emulator() as client:
        purchase = await buy(client, UNREACHABLE_URL, merchant_timeout=3000)
        assert await state_after(client, purchase, advance="49m") == "authorized"
        assert await state_after(client, purchase, advance="1m") == "timed_out"


@pytest.mark.parametrize("decision", ["POST", "DELETE"])
async def test_time_does_not_change_a_decided_purchase(decision: str) -> None:
    async with emulator() as client:
        purchase = await buy(client, UNREACHABLE_URL)
        await answer_to(client, purchase, decision)
        before = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
        await client.ask("POST", "/_mock/clock", {"advance": "48h"})
        assert await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}") == before


async def test_all_jobs_that_are_due_have_run_in_order_when_a_clock_move_is_answered() -> None:
    async with emulator() as client:
        for timeout in (3000, 400, 2000, 1000):
            await buy(client, UNREACHABLE_URL, merchant_timeout=timeout)
        position = (await client.ask("GET", "/_mock/journal?limit=1000"))["position"]
        await client.ask("POST", "/_mock/clock", {"advance": "55m"})
        entries = (await client.ask("GET", f"/_mock/journal?after={position}&kind=event"))["entries"]
    assert [entry["name"] for entry in entries] == ["purchase_timed_out"] * 4 + ["clock_moved"]
    assert [entry["seconds"] for entry in entries] == [400, 1000, 2000, 3000, 3300]
    times = [entry["at"] for entry in entries]
    assert times == sorted(times)


async def test_all_pushes_and_notifications_are_sent_when_the_clock_has_moved_two_days(shop: Shop) -> None:
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


async def test_moving_the_clock_of_one_merchant_does_not_move_that_of_another() -> None:
    async with emulator() as client, Client(client.url, "other") as other:
        mine, theirs = await buy(client, UNREACHABLE_URL), await buy(other, UNREACHABLE_URL)
        assert await state_after(client, mine, advance="2h") == "timed_out"
        assert (await other.ask("GET", "/_mock/clock"))["ahead_seconds"] == 0
        assert (await client.ask("GET", "/_mock/clock"))["ahead_seconds"] == 7200
        assert await state_after(other, theirs, advance=0) == "authorized"


async def test_without_credentials_the_clocks_of_all_merchants_move() -> None:
    async with emulator() as client, Client(client.url, "other") as other:
        purchases = [await buy(one, UNREACHABLE_URL) for one in (client, other)]
        everybody = await client.send("POST", "/_mock/clock", {"advance": "2m"}, headers={"Authorization": ""})
        assert everybody.status == 200
        states = [
            await state_after(one, purchase, advance=0)
            for one, purchase in zip((client, other), purchases, strict=True)
        ]
    assert states == ["timed_out", "timed_out"]


async def test_a_clock_can_be_set_and_read() -> None:
    async with emulator() as client:
        clock = await client.ask("POST", "/_mock/clock", {"set": "2031-05-06T07:08:09Z"})
        assert clock["now"].startswith("2031-05-06T07:08:")
        purchase = await buy(client, UNREACHABLE_URL)
        assert purchase["created_at"].startswith("2031-05-06T07:08:")
        assert purchase["expires_at"].startswith("2031-05-06T08:08:")


async def test_a_clock_that_is_set_back_undoes_nothing() -> None:
    async with emulator() as client:
        old = await buy(client, UNREACHABLE_URL)
        assert await state_after(client, old, advance="2h") == "timed_out"
        assert await state_after(client, old, set="2020-01-01T00:00:00Z") == "timed_out"
        new = await buy(client, UNREACHABLE_URL)
        assert await state_after(client, new, advance="30s") == "authorized"
        assert await state_after(client, new, advance="31s") == "timed_out"


async def test_a_notification_that_is_being_sent_when_the_clock_moves_is_repeated_within_the_move(shop: Shop) -> None:
    shop.answers["/news"] = always(500)
    async with emulator() as client:
        urls = {"notification": f"{shop.url}/news"}
        order = await place(client, await buy(client, shop.url, urls, outcome="PENDING"))
        await client.ask("POST", f"/_mock/orders/{order['order_id']}/decision", {"fraud_status": "REJECTED"})
        await client.ask("POST", "/_mock/clock", {"advance": "24h"})
        assert len(shop.at("/news")) == 145


async def test_a_notification_that_a_clock_move_causes_is_sent_before_the_move_ends(unreachable_url: str) -> None:
    settings, seconds = Settings(), count(1_000_000.0)
    due_merchants, client = DueMerchants(), MerchantClient(settings)
    context = Context(MemoryStore(), settings, lambda: next(seconds), "seed", due_merchants)
    deliveries = Deliveries(context, client)
    klarna = Emulator(context, deliveries)
    scheduler = Scheduler(klarna, deliveries, due_merchants)
    await klarna.buttons.create(
        "shop", {"merchant_urls": pages.urls(unreachable_url) | {"notification": f"{unreachable_url}/news"}}
    )
    review = {"fraud_status": "PENDING", "then": "REJECTED", "after": "4h"}
    purchase = await commands.buy(klarna, "shop", {"page": pages.PAGE, "outcome": review})
    order = orjson.loads(purchase.order)
    await klarna.authorizations.place("shop", purchase.authorization_token or "", order, purchase.order)
    await scheduler.set_clock("shop", 4 * 3600.0)
    await client.close()
    sent = await klarna.store.records(Delivery, "shop")
    assert [(news.callback, len(news.attempts)) for news in sent] == [("notification", 1)]
