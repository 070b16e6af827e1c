"""Several servers on one database are one sandbox."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random

import aiohttp
import orjson
import pytest

from mock_klarna.client import Client
from mock_klarna.emulator import idempotency
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from tests.conftest import CLOSED
from tests.extent import extent
from tests.merchants.pages import PAGE, urls
from tests.merchants.running import AUTHORIZATIONS, BUTTONS, Json, buy, callbacks, calls, place
from tests.merchants.shop import ReceivedRequest, Shop
from tests.store.races import NO_MERCHANT, race
from tests.store.scenarios import SCENARIOS, play

pytestmark = pytest.mark.process

REPLICAS = 3


async def test_every_server_shows_what_another_one_did(replicas: list[Client], shop: Shop) -> None:
    first, second, third = replicas
    bought = await buy(first, shop.url)
    token = bought["authorization_token"]
    assert (await second.send("GET", f"{AUTHORIZATIONS}/{token}")).body == bought["order"]
    order = await place(second, bought)
    assert (await third.ask("GET", f"/_mock/purchases/{bought['purchase_id']}"))["order_id"] == order["order_id"]
    path = f"/ordermanagement/v1/orders/{order['order_id']}"
    assert (await third.send("POST", f"{path}/captures", {"captured_amount": 100})).status == 201
    assert (await first.ask("GET", path))["captured_amount"] == 100


async def test_a_refused_callback_ends_the_wait_at_a_server_that_did_not_send_it(postgres: str) -> None:
    settings = Settings(port=0, store=postgres)
    async with serve(settings) as first, serve(settings) as second, Client(first.url, "shop") as client:
        bought = await buy(client, CLOSED)
        checkout = second.services.emulator.checkout
        async with asyncio.timeout(60):
            purchase = await checkout.find("shop", bought["purchase_id"])
            waited = await checkout.wait_for_end(purchase, 600, gives_up=True)
        assert waited.state == "authorized"
        assert "nobody listens on 127.0.0.1:1" in str((await checkout.with_callbacks(waited))[1])


async def test_of_simultaneous_commands_on_all_servers_one_is_executed(replicas: list[Client]) -> None:
    races = extent(usual=5, thorough=100)
    found = await race([replicas], races, Random(1), lambda _line: None)
    assert found["placed"] + found["denied"] == races
    while not found["placed"]:  # the shop that denies may win some times in sequence
        found += await race([replicas], 1, Random(1), lambda _line: None)
    assert found["captured"] == found["refunded"] == found["placed"]


async def test_one_idempotency_key_on_all_servers_executes_once(replicas: list[Client]) -> None:
    bought = await buy(replicas[0], NO_MERCHANT)
    order = await place(replicas[0], bought)
    path = f"/ordermanagement/v1/orders/{order['order_id']}"
    answers = await asyncio.gather(
        *(
            one.send("POST", f"{path}/captures", {"captured_amount": 100}, headers={"Klarna-Idempotency-Key": "k-1"})
            for one in replicas * 3
        )
    )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.headers["Capture-Id"] for answer in answers}) == 1
    assert (await replicas[1].ask("GET", path))["captured_amount"] == 100


async def test_a_fault_that_is_ordered_once_hits_one_request_on_any_server(replicas: list[Client]) -> None:
    button = await replicas[0].ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
    await replicas[0].ask("POST", "/_mock/faults", {"on": "request", "status": 500, "times": 4})
    answers = await asyncio.gather(*(one.send("GET", f"{BUTTONS}/{button['button_key']}") for one in replicas * 5))
    assert Counter(answer.status for answer in answers) == {500: 4, 200: 11}


async def test_a_rate_limit_counts_the_requests_to_all_servers(postgres: str) -> None:
    settings = Settings(port=0, store=postgres, rate_limit="1000/s")
    async with two_servers(settings) as clients:
        answers = [await one.send("GET", f"{BUTTONS}/x") for one in clients * 20]
    left = [int(answer.headers["X-Ratelimit-Remaining"]) for answer in answers]
    assert all(after in (before - 1, 999) for before, after in pairwise(left)), left
    assert min(left) < 999


async def test_a_username_belongs_to_the_region_where_any_server_saw_it_first(postgres: str) -> None:
    async with two_servers(Settings(port=0, store=postgres, separate_regions=True)) as (first, second):
        america = {"Host": "api-na.klarna.com"}
        assert (await first.send("GET", f"{BUTTONS}/x", headers=america)).status == 404
        assert (await second.send("GET", f"{BUTTONS}/x")).status == 401
        assert (await second.send("GET", f"{BUTTONS}/x", headers=america)).status == 404
        await second.send("POST", "/_mock/reset", headers={"Authorization": ""})
        assert (await first.send("GET", f"{BUTTONS}/x")).status == 404
        assert (await second.send("GET", f"{BUTTONS}/x", headers=america)).status == 401


async def test_simultaneous_first_requests_at_two_regions_leave_one_of_them(postgres: str) -> None:
    async with two_servers(Settings(port=0, store=postgres, separate_regions=True)) as (first, second):
        for number in range(extent(usual=5, thorough=50)):
            answers = await asyncio.gather(
                first.as_merchant(f"m-{number}", "secret").send("GET", f"{BUTTONS}/x"),
                second.as_merchant(f"m-{number}", "secret").send(
                    "GET", f"{BUTTONS}/x", headers={"Host": "api-na.klarna.com"}
                ),
            )
            assert sorted(answer.status for answer in answers) == [401, 404]


async def test_the_answers_to_idempotency_keys_of_all_servers_have_one_limit(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MAX_ANSWERS", 6)
    async with two_servers(Settings(port=0, store=postgres)) as clients:
        order = await place(clients[0], await buy(clients[0], NO_MERCHANT))
        path = f"/ordermanagement/v1/orders/{order['order_id']}/captures"
        for number, client in enumerate(clients * 10):
            key = {"Klarna-Idempotency-Key": f"k-{number}"}
            assert (await client.send("POST", path, {"captured_amount": 1}, headers=key)).status == 201
        state = await clients[0].ask("GET", "/_mock/snapshot")
    assert len(state["merchants"]["shop"]["records"]["answer"]) == 6


@asynccontextmanager
async def two_servers(settings: Settings) -> AsyncIterator[list[Client]]:
    """Run two servers on one database; a client of the same merchant for each."""
    async with (
        serve(settings) as first,
        serve(settings) as second,
        Client(first.url, "shop") as client,
        Client(second.url, "shop") as other,
    ):
        yield [client, other]


async def test_a_clock_that_is_moved_on_all_servers_does_everything_that_is_due_once_and_in_order(
    replicas: list[Client], shop: Shop
) -> None:
    bought = [await buy(one, shop.url, {"push": f"{shop.url}/push"}) for one in replicas]
    for one, purchase in zip(replicas, bought, strict=True):
        await place(one, purchase)
    moved = await asyncio.gather(*(one.ask("POST", "/_mock/clock", {"advance": "10m"}) for one in replicas))
    assert sorted(round(clock["ahead_seconds"]) for clock in moved) == [600, 1200, 1800]
    pushes = await callbacks(replicas[0], "push")
    assert len(pushes) == len(bought)
    assert len(shop.at("/push")) == sum(len(push["attempts"]) for push in pushes) == 3 * len(bought)


async def test_a_clock_is_moved_after_the_callback_that_another_server_sends_has_ended(
    replicas: list[Client], shop: Shop
) -> None:
    here, there, _ = replicas
    held = shop.hold("/notification", 500)
    order = await place(
        here, await buy(here, shop.url, {"notification": f"{shop.url}/notification"}, outcome="PENDING")
    )
    await here.ask("POST", f"/_mock/orders/{order['order_id']}/decision", {"fraud_status": "ACCEPTED"})
    await held.received.wait()
    moving = asyncio.create_task(there.ask("POST", "/_mock/clock", {"advance": "15m"}))
    assert not (await asyncio.wait({moving}, timeout=0.1))[0]
    held.released.set()
    await moving
    (notification,) = await callbacks(there, "notification")
    assert [attempt["status"] for attempt in notification["attempts"]] == [500, 500]


async def test_a_waiter_on_another_server_sees_an_event_at_once(replicas: list[Client]) -> None:
    here, there, _ = replicas
    for _ in range(extent(usual=10, thorough=100)):
        after = (await there.ask("GET", "/_mock/journal?limit=10000"))["position"]
        waiting = asyncio.create_task(there.ask("GET", f"/_mock/journal?name=button_created&after={after}&wait=600"))
        await asyncio.sleep(0.05)
        await here.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
        async with asyncio.timeout(120):
            assert len((await waiting)["entries"]) == 1


async def test_no_reader_on_any_server_misses_an_entry(replicas: list[Client]) -> None:
    count = extent(usual=60, thorough=600)

    async def write(client: Client) -> None:
        for _ in range(count):
            await client.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})

    async def read(client: Client) -> list[int]:
        seen: list[int] = []
        after = 0
        while len(seen) < count * REPLICAS:
            said = await client.ask("GET", f"/_mock/journal?name=button_created&after={after}&wait=120")
            assert said["entries"], f"{len(seen)} of {count * REPLICAS} entries were seen"
            seen += [entry["seq"] for entry in said["entries"]]
            after = said["position"]
        return seen

    reading = [asyncio.create_task(read(one)) for one in replicas]
    await asyncio.gather(*map(write, replicas))
    first, *others = await asyncio.gather(*reading)
    assert first == sorted(set(first))
    assert all(seen == first for seen in others)


async def test_a_shopper_whose_requests_go_to_all_servers_in_turn_buys(replicas: list[Client], shop: Shop) -> None:
    button = await replicas[0].ask("POST", BUTTONS, {"merchant_urls": urls(shop.url)})
    setup = {"instance_id": "button-1", "key": button["button_key"], "environment": "production", "region": "eu"}
    options, sdk = {"setup": setup, **PAGE}, "/instantshopping/sdk"
    first, second, third = replicas
    assert (await second.ask("POST", f"{sdk}/load", {"options": options}))["show_button"] is True
    started = await third.ask("POST", f"{sdk}/sessions", {"options": options})
    session = f"{sdk}/sessions/{started['session_id']}"
    await first.ask("POST", f"{session}/identify", {"shopper": "se-approved"})
    assert (await second.ask("GET", session))["identified"] is True
    paid = await third.ask("POST", f"{session}/pay", {})
    ended = asyncio.create_task(first.ask("GET", f"/_mock/purchases/{paid['session_id']}?wait=120"))
    await place(second, await third.ask("GET", f"/_mock/purchases/{paid['session_id']}"))
    assert (await ended)["state"] == "placed"


async def test_a_shopper_waits_on_one_server_while_the_merchant_places_on_another(
    replicas: list[Client], shop: Shop
) -> None:
    async def place_elsewhere(request: ReceivedRequest) -> tuple[int, bytes]:
        await place(replicas[1], request.json)
        return 200, b"{}"

    shop.answers["/place-order"] = place_elsewhere
    bought = await buy(replicas[0], shop.url, wait=120)
    assert bought["state"] == "placed"


async def test_a_reset_on_one_server_ends_the_waits_on_another(replicas: list[Client]) -> None:
    first, second, _ = replicas
    waiting = asyncio.create_task(first.ask("GET", "/_mock/journal?wait=600&name=clock_moved"))
    async with asyncio.timeout(120):
        while not waiting.done():  # the first one may come before the request that waits
            await second.send("POST", "/_mock/reset")
    assert (await waiting)["entries"] == []


async def events(client: Client, count: int, after: str = "") -> list[tuple[str, str]]:
    """Open a stream of events at a server and return the ids and names of the first `count`."""
    found: list[tuple[str, str]] = []
    headers = {"Authorization": client.authorization, "Last-Event-ID": after}
    async with (
        asyncio.timeout(120),
        aiohttp.ClientSession() as session,
        session.get(f"{client.url}/_mock/events?merchant={client.merchant}&kind=event", headers=headers) as stream,
    ):
        async for line in stream.content:
            if line.startswith(b"data: "):
                entry = orjson.loads(line.removeprefix(b"data: "))
                found.append((str(entry["seq"]), entry["name"]))
                if len(found) == count:
                    break
    return found


async def test_a_stream_has_the_events_of_all_servers_and_continues_at_another(replicas: list[Client]) -> None:
    streams = [asyncio.create_task(events(one, 2 * REPLICAS)) for one in replicas]
    for _ in range(2):
        await asyncio.gather(*(one.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)}) for one in replicas))
    first, second, third = await asyncio.gather(*streams)
    assert [name for _, name in first] == ["button_created"] * 2 * REPLICAS
    assert first == second == third
    assert await events(replicas[1], 4, after=first[1][0]) == first[2:]


async def test_a_fault_of_a_callback_that_is_ordered_on_one_server_hits_the_callback_of_another(
    replicas: list[Client], shop: Shop
) -> None:
    await replicas[0].ask("POST", "/_mock/faults", {"on": "callback", "drop": True, "times": 1})
    for one in replicas[1:]:
        await buy(one, shop.url)
    await calls(replicas[0], "place_order", 2)
    assert len(shop.at("/place-order")) == 1
    assert (await replicas[2].ask("GET", "/_mock/faults"))["faults"] == []


async def test_a_push_ends_with_what_the_merchant_sends_to_another_server_while_it_is_in_progress(
    replicas: list[Client], shop: Shop
) -> None:
    first, second, third = replicas
    commands = {"acknowledge": None, "captures": {"captured_amount": 1}, "cancel": None}
    for command, body in commands.items():
        bought = await buy(first, NO_MERCHANT, {"push": f"{shop.url}/push"})
        path = f"/ordermanagement/v1/orders/{(await place(second, bought))['order_id']}/{command}"

        async def end(_asked: ReceivedRequest, path: str = path, body: Json | None = body) -> tuple[int, bytes]:
            assert (await second.send("POST", path, body)).status in (201, 204)
            return 200, b""

        shop.answers["/push"] = end
        await first.ask("POST", "/_mock/clock", {"advance": "6m"})
        (push,) = await callbacks(third, "push", bought)
        assert (push["state"], len(push["attempts"])) == ("delivered", 1), command
        waiting = (await third.ask("GET", "/_mock/jobs"))["jobs"]
        assert [job for job in waiting if job["kind"] == "push"] == [], command


async def test_a_push_at_its_time_ends_with_an_acknowledgement_that_another_server_gets_meanwhile(
    replicas: list[Client], shop: Shop
) -> None:
    first, second, third = replicas
    bought = await buy(first, NO_MERCHANT, {"push": f"{shop.url}/push"})
    path = f"/ordermanagement/v1/orders/{(await place(first, bought))['order_id']}/acknowledge"

    async def acknowledge(_asked: ReceivedRequest) -> tuple[int, bytes]:
        assert (await second.send("POST", path)).status == 204
        return 200, b""

    shop.answers["/push"] = acknowledge
    await first.ask("POST", "/_mock/clock", {"advance": 299.5})
    await third.ask("GET", "/_mock/journal?kind=callback&name=push&wait=120")
    (push,) = await callbacks(third, "push")
    assert (push["state"], len(push["attempts"])) == ("delivered", 1)
    waiting = (await third.ask("GET", "/_mock/jobs"))["jobs"]
    assert all(job["due_in_seconds"] <= 0 for job in waiting if job["kind"] == "push")


async def test_a_reset_on_one_server_deletes_what_the_others_wrote_and_nothing_of_other_merchants(
    replicas: list[Client], shop: Shop
) -> None:
    first, second, third = replicas
    kept = await buy(third.as_merchant("other"), NO_MERCHANT)
    bought = [await buy(one, NO_MERCHANT, merchant_timeout=60) for one in replicas]
    await first.ask("POST", "/_mock/faults", {"on": "request", "status": 500, "times": 9, "operation": "get_button"})
    await first.ask("POST", "/_mock/clock", {"advance": "30s"})
    await second.ask("POST", "/_mock/reset", {"seed": "s"})
    for one in replicas:
        assert (await one.ask("GET", "/_mock/purchases"))["total"] == 0
        assert (await one.ask("GET", "/_mock/callbacks"))["callbacks"] == []
        assert (await one.ask("GET", "/_mock/faults"))["faults"] == []
        assert (await one.ask("GET", "/_mock/clock"))["ahead_seconds"] == 0
        assert (await one.send("GET", f"/_mock/purchases/{bought[0]['purchase_id']}")).status == 404
    moved = await third.ask("POST", "/_mock/clock", {"advance": "2m"})
    assert moved["ahead_seconds"] == 120
    listed = await first.ask("GET", "/_mock/journal?kind=event")
    assert [entry["name"] for entry in listed["entries"]] == ["clock_moved"]
    found = await first.as_merchant("other").ask("GET", f"/_mock/purchases/{kept['purchase_id']}")
    assert found["state"] == "authorized"


async def test_after_a_reset_with_a_seed_every_server_makes_the_same_ids_and_shoppers(replicas: list[Client]) -> None:
    bought = []
    for resetting, buying in ((0, 1), (1, 2), (2, 0)):
        await replicas[resetting].ask("POST", "/_mock/reset", {"seed": "s"})
        made = await buy(replicas[buying], NO_MERCHANT)
        bought.append((made["purchase_id"], made["button_key"], made["order"]["billing_address"]))
    assert bought[0] == bought[1] == bought[2]


async def test_commands_during_resets_on_all_servers_are_executed_or_refused(replicas: list[Client]) -> None:
    for _ in range(extent(usual=3, thorough=50)):
        bought = await buy(replicas[0], NO_MERCHANT)
        path = f"{AUTHORIZATIONS}/{bought['authorization_token']}/orders"
        sent = [replicas[1].send("POST", path, bought["order"]), replicas[2].send("POST", path, bought["order"])]
        resets = [one.send("POST", "/_mock/reset") for one in replicas]
        placed, again, *reset = await asyncio.gather(*sent, *resets)
        assert {placed.status, again.status} <= {200, 403, 404}, (placed, again)
        assert [answer.status for answer in reset] == [204] * REPLICAS
        for one in replicas:
            orders, purchases = await one.ask("GET", "/_mock/orders"), await one.ask("GET", "/_mock/purchases")
            assert orders["total"] <= purchases["total"] == 0


async def stored_records(client: Client) -> list[Json]:
    """Return what the snapshot of a server has of its merchant, without callbacks, which end at a time of their own."""
    records = (await client.ask("GET", "/_mock/snapshot"))["merchants"]["shop"]["records"]
    return [records[kind] for kind in ("button", "purchase", "order")]


async def test_a_snapshot_of_one_server_is_that_of_the_others_and_replaces_the_state_of_all(
    replicas: list[Client],
) -> None:
    first, second, third = replicas
    bought = await buy(first, NO_MERCHANT)
    order = await place(second, bought)
    snapshot = await third.ask("GET", "/_mock/snapshot")
    records = await stored_records(first)
    assert records == await stored_records(second) == await stored_records(third)
    await first.ask("POST", f"/ordermanagement/v1/orders/{order['order_id']}/captures", {"captured_amount": 100})
    later = await buy(second, NO_MERCHANT)
    assert (await second.send("PUT", "/_mock/snapshot", snapshot)).status == 204
    for one in replicas:
        assert (await one.send("GET", f"/_mock/purchases/{later['purchase_id']}")).status == 404
        found = await one.ask("GET", f"/ordermanagement/v1/orders/{order['order_id']}")
        assert found["captured_amount"] == 0
        assert await stored_records(one) == records


async def test_a_snapshot_of_any_server_is_consistent_while_all_are_busy(replicas: list[Client]) -> None:
    async def work(client: Client) -> None:
        for _ in range(extent(usual=4, thorough=40)):
            await place(client, await buy(client, NO_MERCHANT))

    working = asyncio.gather(*(work(one) for one in replicas for _ in range(2)))
    while not working.done():
        for one in replicas:
            records: Json = (await one.ask("GET", "/_mock/snapshot"))["merchants"].get("shop", {}).get("records", {})
            placed = {purchase["order_id"] for purchase in records.get("purchase", []) if purchase["state"] == "placed"}
            assert placed == {order["order_id"] for order in records.get("order", [])}
    await working


async def test_scenarios_pass_through_a_proxy_that_sends_each_request_to_another_server(postgres: str) -> None:
    merchants, names = extent(
        usual=(3, ["silent-merchant", "notification-retried", "denied-then-placed"]), thorough=(8, [])
    )
    scenarios = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    played = await play(postgres, merchants, scenarios, Random(1), lambda _line: None)
    assert played == merchants * len(scenarios)
