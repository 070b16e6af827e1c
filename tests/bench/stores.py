"""What a store costs: statements for each kind of request, and client CPU for each commit."""

import asyncio
import time
from typing import Any

from mock_klarna.client import Client
from mock_klarna.domain.events import ButtonCreated, PurchaseAuthorized
from mock_klarna.domain.journal import JournalFilter
from mock_klarna.domain.records import Decision, Job, Purchase
from mock_klarna.server import RunningServer, serve
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.bench.state import authorized_order
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE, urls
from tests.merchants.shop import ReceivedRequest

COMMITS = 2000
_ORDER = authorized_order()


def _purchase(number: int, run: str) -> Decision:
    purchase = Purchase(
        merchant="bench",
        purchase_id=f"{run}-{number}",
        button_key="b",
        state="authorized",
        created_at=1.0,
        order=_ORDER,
        authorization_token=f"t-{run}-{number}",
    )
    event = PurchaseAuthorized(purchase_id=purchase.purchase_id, authorization_token="t", order_amount=1)
    job = Job(due=1e12, merchant="bench", kind="expire", subject=purchase.purchase_id)
    return Decision(writes=(purchase,), events=(event,), jobs=(job,))


async def commit_cost(store: Store, at_once: int) -> tuple[float, float]:
    """Return microseconds of this process's CPU, and of real time, for a commit of a purchase, an event and a job."""
    run = f"{time.time_ns()}"
    numbers = iter(range(COMMITS))

    async def worker() -> None:
        for number in numbers:
            await store.commit("bench", _purchase(number, run), 1.0)

    cpu, real = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return (time.process_time() - cpu) / COMMITS * 1e6, (time.perf_counter() - real) / COMMITS * 1e6


async def _counted(store: Any, name: str, request: Any, times: int = 20) -> None:
    """Print the statements of a request alone: its own, and those that write journal entries."""
    counts = []
    for _ in range(times):
        before, entries_before = store.statements, _journal_statements(store)
        await request()
        await asyncio.sleep(0.3 if "callback" in name else 0)
        entries = _journal_statements(store) - entries_before
        counts.append((store.statements - before - entries, entries))
    own, entries = sorted(counts)[times // 2]
    print(f"| {name} | {own + entries} | {own} | {entries} |", flush=True)


def _journal_statements(store: Any) -> int:
    return getattr(store, "journal_statements", 0)


async def _counted_at_once(store: Any, name: str, request: Any, at_once: int = 16, times: int = 320) -> None:
    """Print the statements of a request when so many are sent at the same time: the mean."""
    numbers = iter(range(times))

    async def worker() -> None:
        for _ in numbers:
            await request()

    before, entries_before = store.statements, _journal_statements(store)
    await asyncio.gather(*(worker() for _ in range(at_once)))
    entries = (_journal_statements(store) - entries_before) / times
    own = (store.statements - before) / times - entries
    print(f"| {name}, {at_once} at once | {own + entries:.1f} | {own:.1f} | {entries:.1f} |", flush=True)


async def statements(running: RunningServer) -> None:
    """Print how many statements each kind of request takes."""
    store = running.services.emulator.store
    print("| request | statements | its own | journal entries, shared |\n|---|---|---|---|")
    async with shops.opened() as shop, Client(running.url, "bench") as client:
        await client.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls(shop.url)})
        bought: list[Any] = []

        async def buy() -> None:
            bought.append(await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0}))
            await asyncio.sleep(0.2)

        for _ in range(22):
            await buy()
        tokens = iter(bought)

        async def read() -> None:
            await client.send("GET", f"/instantshopping/v1/authorizations/{bought[-1]['authorization_token']}")

        async def place() -> None:
            one = next(tokens)
            path = f"/instantshopping/v1/authorizations/{one['authorization_token']}/orders"
            assert (await client.send("POST", path, one["order"])).status == 200

        await _counted(store, "GET authorization", read)
        await _counted_at_once(store, "GET authorization", read)
        await _counted(store, "POST orders", place)

        async def answer(request: ReceivedRequest) -> tuple[int, bytes]:
            token = request.json["authorization_token"]
            path = f"/instantshopping/v1/authorizations/{token}/orders"
            await client.ask("POST", path, request.json["order"])
            return 200, b""

        shop.answers["/place-order"] = answer

        async def purchase() -> None:
            await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 5})

        await _counted(store, "whole purchase with callback", purchase)


async def wake_times(writing: Store, waiting: Store, times: int = 300) -> list[float]:
    """Return milliseconds from the start of a commit to when a waiter has read its event from another server's store."""
    took = []
    watch = JournalFilter(merchant="bench-wake")
    after = await waiting.position()
    for number in range(times):
        with waiting.watching(watch) as watching:
            started = time.perf_counter()
            await writing.commit("bench-wake", Decision(events=(ButtonCreated(button_key=f"b-{number}"),)), 1.0)
            await watching.wait(5)
            while not (entries := await waiting.entries(watch, after, 1)):
                await watching.wait(5)
            after = entries[-1].seq
        took.append((time.perf_counter() - started) * 1000)
    return took


async def measure(name: str) -> None:
    """Print all of it for a store."""
    store = open_store(Settings(store=name))
    await store.open()
    for at_once in (1, 16):
        cpu, real = min([await commit_cost(store, at_once) for _ in range(3)])
        print(f"commit of a purchase, an event and a job, {at_once} at once: {cpu:.0f} µs CPU, {real:.0f} µs real time")
    if name.startswith("postgres"):
        other = open_store(Settings(store=name))
        await other.open()
        took = sorted(await wake_times(store, other))
        shown = ", ".join(f"p{share} {took[len(took) * share // 100]:.1f} ms" for share in (50, 90, 99))
        print(f"from a commit to a waiter on another server: {shown}")
        await other.close()
    await store.close()
    if name == "memory":
        return
    async with serve(Settings(port=0, store=name)) as running:
        await statements(running)
