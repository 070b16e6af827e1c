"""Several servers on one database are one sandbox."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from random import Random

import pytest
from aiohttp import web

from mock_klarna.client import Client
from mock_klarna.demo.shop import serve_shop
from mock_klarna.emulator import idempotency
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from tests.database import Database, running
from tests.extent import extent
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE, urls
from tests.merchants.processes import ROOT, served, started
from tests.merchants.running import AUTHORIZATIONS, BUTTONS, Json, buy, callbacks, calls, place
from tests.merchants.shop import ReceivedRequest, Shop
from tests.store.round_robin import proxy

NOBODY = "http://127.0.0.1:1"
REPLICAS = 3


@pytest.fixture
async def replicas(postgres: str) -> AsyncIterator[list[Client]]:
    """A client of the same merchant for each of three servers."""
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(REPLICAS):
            server = await stack.enter_async_context(serve(Settings(port=0, store=postgres)))
            clients.append(await stack.enter_async_context(Client(server.url, "shop")))
        yield clients


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened


async def test_what_one_server_did_every_other_shows(replicas: list[Client], shop: Shop) -> None:
    first, second, third = replicas
    bought = await buy(first, shop.url)
    token = bought["authorization_token"]
    assert (await second.send("GET", f"{AUTHORIZATIONS}/{token}")).body == bought["order"]
    order = await place(second, bought)
    assert (await third.ask("GET", f"/_mock/purchases/{bought['purchase_id']}"))["order_id"] == order["order_id"]
    path = f"/ordermanagement/v1/orders/{order['order_id']}"
    assert (await third.send("POST", f"{path}/captures", {"captured_amount": 100})).status == 201
    assert (await first.ask("GET", path))["captured_amount"] == 100


async def test_of_racing_commands_on_all_servers_one_wins_and_no_amount_is_spent_twice(
    replicas: list[Client],
) -> None:
    chance = Random(1)
    for _ in range(extent(usual=5, thorough=100)):
        bought = await buy(replicas[0], NOBODY)
        path = f"{AUTHORIZATIONS}/{bought['authorization_token']}"
        orders = [{**bought["order"], "merchant_data": f"order {number}"} for number in range(REPLICAS)]
        placing = [one.send("POST", f"{path}/orders", body) for one, body in zip(replicas, orders, strict=True)]
        denying = [one.send("DELETE", path, {"deny_code": "other"}) for one in replicas]
        answers = await asyncio.gather(*chance.sample(placing + denying, 2 * REPLICAS))
        won = [answer for answer in answers if answer.status in (200, 204)]
        assert Counter(answer.status for answer in answers)[403] == 2 * REPLICAS - 1, answers
        if won[0].status == 200:
            await capture_and_refund(replicas, won[0].body["order_id"], chance)


async def capture_and_refund(replicas: list[Client], order_id: str, chance: Random) -> None:
    """Capture and refund from all servers at once; no more is captured than authorized, and no more refunded than that."""
    path = f"/ordermanagement/v1/orders/{order_id}"
    whole = (await replicas[0].ask("GET", path))["order_amount"]
    part = whole // 2 + 1
    for command, member in (("captures", "captured_amount"), ("refunds", "refunded_amount")):
        answers = await asyncio.gather(
            *(one.send("POST", f"{path}/{command}", {member: part}) for one in chance.sample(replicas, REPLICAS))
        )
        assert Counter(answer.status for answer in answers) == {201: 1, 403: REPLICAS - 1}
    found = await replicas[-1].ask("GET", path)
    assert whole >= found["captured_amount"] >= found["refunded_amount"] >= 0


async def test_one_idempotency_key_on_all_servers_executes_once(replicas: list[Client]) -> None:
    bought = await buy(replicas[0], NOBODY)
    order = await place(replicas[0], bought)
    path = f"/ordermanagement/v1/orders/{order['order_id']}"
    answers = await asyncio.gather(
        *(
            one.send("POST", f"{path}/captures", {"captured_amount": 100}, headers={"Klarna-Idempotency-Key": "k-1"})
            for one in replicas * 3
        )
    )
    assert {answer.status for answer in answers} == {201}
    assert (await replicas[1].ask("GET", path))["captured_amount"] == 100


async def test_a_fault_that_is_ordered_once_hits_one_request_on_any_server(replicas: list[Client]) -> None:
    button = await replicas[0].ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
    await replicas[0].ask("POST", "/_mock/faults", {"on": "request", "status": 500, "times": 4})
    answers = await asyncio.gather(*(one.send("GET", f"{BUTTONS}/{button['button_key']}") for one in replicas * 5))
    assert Counter(answer.status for answer in answers) == {500: 4, 200: 11}


async def test_a_rate_limit_counts_the_requests_to_all_servers(postgres: str) -> None:
    settings = Settings(port=0, store=postgres, rate_limit="1000/s")
    async with two_servers(settings) as clients:
        begun = time.perf_counter()
        answers = [await one.send("GET", f"{BUTTONS}/x") for one in clients * 20]
        seconds = time.perf_counter() - begun
    left = [int(answer.headers["X-Ratelimit-Remaining"]) for answer in answers]
    assert all(after in (before - 1, 999) for before, after in pairwise(left)), left
    assert left.count(999) <= seconds + 2


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
    monkeypatch.setattr(idempotency, "MOST_ANSWERS", 6)
    async with two_servers(Settings(port=0, store=postgres)) as clients:
        order = await place(clients[0], await buy(clients[0], NOBODY))
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


async def test_a_waiter_on_another_server_sees_an_event_at_once(replicas: list[Client]) -> None:
    here, there, _ = replicas
    took = []
    for _ in range(extent(usual=10, thorough=100)):
        after = (await there.ask("GET", "/_mock/journal?limit=10000"))["position"]
        waiting = asyncio.create_task(there.ask("GET", f"/_mock/journal?name=button_created&after={after}&wait=20"))
        await asyncio.sleep(0.05)
        begun = time.perf_counter()
        await here.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
        assert len((await waiting)["entries"]) == 1
        took.append(time.perf_counter() - begun)
    assert sorted(took)[len(took) // 2] < 1.0, took


async def test_no_reader_on_any_server_misses_an_entry(replicas: list[Client]) -> None:
    count = extent(usual=60, thorough=600)

    async def write(client: Client) -> None:
        for _ in range(count):
            await client.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})

    async def read(client: Client) -> list[int]:
        seen: list[int] = []
        after = 0
        while len(seen) < count * REPLICAS:
            said = await client.ask("GET", f"/_mock/journal?name=button_created&after={after}&wait=10")
            assert said["entries"], f"{len(seen)} of {count * REPLICAS} entries were seen"
            seen += [entry["seq"] for entry in said["entries"]]
            after = said["position"]
        return seen

    reading = [asyncio.create_task(read(one)) for one in replicas]
    await asyncio.gather(*map(write, replicas))
    first, *others = await asyncio.gather(*reading)
    assert first == sorted(set(first))
    assert all(seen == first for seen in others)


async def test_another_server_goes_on_with_the_callback_of_one_that_was_killed(postgres: str, shop: Shop) -> None:
    asked, answers = asyncio.Semaphore(0), asyncio.Event()

    async def hang(_asked: ReceivedRequest) -> tuple[int, bytes]:
        asked.release()
        await answers.wait()
        return 200, b"{}"

    shop.answers["/place-order"] = hang
    store = f"{postgres}&lease=2"
    async with (
        served("--store", store) as first,
        served("--store", store) as second,
        Client(first.url, "shop") as client,
        Client(second.url, "shop") as other,
    ):
        await buy(client, shop.url)
        await asked.acquire()
        await first.killed()
        answers.set()
        await calls(other, "place_order")
        (callback,) = await callbacks(other, "place_order")
    assert [attempt["outcome"] for attempt in callback["attempts"]] == ["interrupted", "answered"]


async def test_a_job_that_becomes_due_after_its_server_was_killed_is_done_by_another(postgres: str) -> None:
    store = f"{postgres}&lease=2"
    async with (
        served("--store", store) as first,
        served("--store", store) as second,
        Client(first.url, "shop") as client,
        Client(second.url, "shop") as other,
    ):
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
        bought = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0, "merchant_timeout": 3})
        await first.killed()
        found = await other.ask("GET", f"/_mock/purchases/{bought['purchase_id']}?wait=20")
    assert found["state"] == "timed_out"


async def test_requests_are_answered_503_while_the_database_is_away_and_nothing_acknowledged_is_lost() -> None:
    with running(durable=True) as database:
        async with serve(Settings(port=0, store=database.url("away"))) as server, Client(server.url, "shop") as client:
            button = await client.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
            database.stop("immediate")
            away = await client.send("GET", f"{BUTTONS}/{button['button_key']}")
            assert (away.status, away.headers["Retry-After"]) == (503, "1")
            assert away.body["error_code"] == "service_unavailable"
            assert (await client.send("GET", "/_mock/health")).status == 503
            database.start()
            async with asyncio.timeout(20):
                while (await client.send("GET", "/_mock/health")).status != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert await client.ask("GET", f"{BUTTONS}/{button['button_key']}") == button
            assert (await place(client, await buy(client, NOBODY)))["order_id"]


async def test_a_server_of_another_version_is_refused_while_one_is_running(
    database: Database, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(Settings(port=0, store=postgres)):
        from mock_klarna.errors import MockKlarnaError
        from mock_klarna.store import postgres_schema

        monkeypatch.setattr(postgres_schema, "__version__", "99.0")
        with pytest.raises(MockKlarnaError, match=r"uses schema test_\w+, and this one is 99\.0"):
            async with serve(Settings(port=0, store=postgres)):
                pass


async def test_schemas_of_one_database_are_sandboxes_of_their_own(database: Database, postgres: str) -> None:
    other = database.url("another_one")
    async with (
        serve(Settings(port=0, store=postgres)) as here,
        serve(Settings(port=0, store=other)) as there,
        Client(here.url, "shop") as client,
        Client(there.url, "shop") as elsewhere,
    ):
        button: Json = await client.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
        assert (await elsewhere.send("GET", f"{BUTTONS}/{button['button_key']}")).status == 404


async def test_a_server_whose_database_is_not_there_says_so_in_one_sentence() -> None:
    process = await started("--store", "postgresql://postgres@127.0.0.1:1/postgres")
    _, said = await process.communicate()
    assert (process.returncode, said.count(b"\n")) == (2, 1), said.decode()
    assert b"the database is away" in said


async def test_scenarios_pass_through_a_proxy_that_sends_each_request_to_another_server(postgres: str) -> None:
    scenarios = extent(usual=["silent-merchant", "notification-retried", "denied-then-placed"], thorough=[])
    async with (
        served("--store", postgres) as first,
        served("--store", postgres) as second,
        forwarding([first.url, second.url]) as url,
        serve_shop(url) as shop,
    ):
        command = ("-m", "mock_klarna", "run", *scenarios, "--url", url, "--var", f"shop={shop.url}", "--jobs", "64")
        ran = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
        said, errors = await ran.communicate()
    assert ran.returncode == 0, said.decode() + errors.decode()


@asynccontextmanager
async def forwarding(urls: list[str]) -> AsyncIterator[str]:
    """Run a proxy in front of servers."""
    runner = web.AppRunner(proxy(urls), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
