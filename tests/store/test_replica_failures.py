"""Several servers on one database, of which one is killed, has another version, or loses the database."""

import asyncio

import pytest

from mock_klarna.client import Client
from mock_klarna.errors import MockKlarnaError
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from mock_klarna.store import postgres_schema
from tests.database import Database, running
from tests.merchants.pages import PAGE, urls
from tests.merchants.processes import served, started
from tests.merchants.running import BUTTONS, Json, buy, callbacks, calls, place
from tests.merchants.shop import Shop
from tests.store.races import NO_MERCHANT

pytestmark = pytest.mark.process


async def test_another_server_continues_the_callback_of_one_that_was_killed(postgres: str, shop: Shop) -> None:
    held = shop.hold("/place-order")
    store = f"{postgres}&lease=2"
    async with (
        served("--store", store) as first,
        served("--store", store) as second,
        Client(first.url, "shop") as client,
        Client(second.url, "shop") as other,
    ):
        await buy(client, shop.url)
        await held.received.wait()
        await first.killed()
        held.released.set()
        await calls(other, "place_order")
        (callback,) = await callbacks(other, "place_order")
    assert [attempt["outcome"] for attempt in callback["attempts"]] == ["interrupted", "answered"]


async def test_a_push_ends_with_an_acknowledgement_at_another_server_if_the_one_that_sent_it_is_killed(
    postgres: str, shop: Shop
) -> None:
    held = shop.hold("/push")
    store = f"{postgres}&lease=2"
    async with (
        served("--store", store) as first,
        served("--store", store) as second,
        Client(first.url, "shop") as client,
        Client(second.url, "shop") as other,
    ):
        order = await place(client, await buy(client, NO_MERCHANT, {"push": f"{shop.url}/push"}))
        await client.ask("POST", "/_mock/clock", {"advance": 299.5})
        await held.received.wait()
        assert (await other.send("POST", f"/ordermanagement/v1/orders/{order['order_id']}/acknowledge")).status == 204
        await first.killed()
        held.released.set()
        await other.ask("POST", "/_mock/clock", {"advance": "48h"})
        (push,) = await callbacks(other, "push")
        jobs = (await other.ask("GET", "/_mock/jobs"))["jobs"]
    assert (push["state"], [attempt["outcome"] for attempt in push["attempts"]]) == ("failed", ["interrupted"])
    assert [job for job in jobs if job["kind"] == "push"] == []
    assert len(shop.at("/push")) == 1


async def test_a_job_that_becomes_due_after_its_server_was_killed_is_run_by_another(postgres: str) -> None:
    store = f"{postgres}&lease=2"
    async with (
        served("--store", store) as first,
        served("--store", store) as second,
        Client(first.url, "shop") as client,
        Client(second.url, "shop") as other,
    ):
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
        bought = await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0, "merchant_timeout": 3})
        await first.killed()
        found = await other.ask("GET", f"/_mock/purchases/{bought['purchase_id']}?wait=120")
    assert found["state"] == "timed_out"


async def test_requests_are_answered_503_while_the_database_is_stopped_and_nothing_answered_is_lost() -> None:
    with running(durable=True) as database:
        async with serve(Settings(port=0, store=database.url("away"))) as server, Client(server.url, "shop") as client:
            button = await client.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
            database.stop("immediate")
            away = await client.send("GET", f"{BUTTONS}/{button['button_key']}")
            assert (away.status, away.headers["Retry-After"]) == (503, "1")
            assert away.body["error_code"] == "service_unavailable"
            assert (await client.send("GET", "/_mock/health")).status == 503
            database.start()
            async with asyncio.timeout(120):
                while (await client.send("GET", "/_mock/health")).status != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert await client.ask("GET", f"{BUTTONS}/{button['button_key']}") == button
            assert (await place(client, await buy(client, NO_MERCHANT)))["order_id"]


async def test_a_server_of_another_version_is_refused_while_one_is_running(
    database: Database, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(Settings(port=0, store=postgres)):
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
        button: Json = await client.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
        assert (await elsewhere.send("GET", f"{BUTTONS}/{button['button_key']}")).status == 404


async def test_a_server_without_its_database_ends_with_one_sentence() -> None:
    process = await started("--store", "postgresql://postgres@127.0.0.1:1/postgres")
    _, errors = await process.communicate()
    assert (process.returncode, errors.count(b"\n")) == (2, 1), errors.decode()
    assert b"the database cannot be reached" in errors
