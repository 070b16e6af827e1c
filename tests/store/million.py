"""An SQLite file with many placed orders, compared with one that has 1,000: start, memory, and the time of a request.

`python -m tests.store.million sqlite 1000000` prints the figures. The folder for the files needs about 5 kB an order.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from mock_klarna.client import Client
from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.records import Decision, Job, Order, Purchase, Record
from mock_klarna.emulator.context import uuid_from
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.bench import processes
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE, urls
from tests.merchants.running import AUTHORIZATIONS, BUTTONS, Json, buy, place
from tests.store.races import NO_MERCHANT

FEW = 1000
"""How many orders the file has that the large one is compared with."""
OTHERS = 1000
"""How many orders another merchant has in each file."""
AT_ONCE = 500
"""How many orders a commit writes while a file is filled."""
LIST = "/_mock/orders?limit=100"
SHOP, OTHER = "shop", "other"


class Model(Struct):
    """What one placed order leaves in a store: its records and jobs."""

    records: list[Record]
    jobs: list[Job]

    @classmethod
    async def of_a_purchase(cls) -> "Model":
        """Return what a real purchase leaves."""
        async with serve(Settings(port=0)) as server, Client(server.url, SHOP) as client:
            order = await place(client, await buy(client, NO_MERCHANT))
            await client.ask("POST", f"/ordermanagement/v1/orders/{order['order_id']}/acknowledge")
            store = server.services.emulator.store
            found = [record for kind in (Purchase, Order, Delivery) for record in await store.records(kind, SHOP)]
            return cls(list(found), await store.jobs(SHOP))

    def copied(self, merchant: str, number: int) -> tuple[list[Record], list[Job]]:
        """Return the records and jobs of another order."""
        purchase = next(record for record in self.records if isinstance(record, Purchase))
        names = [purchase.purchase_id, purchase.order_id, purchase.authorization_token]
        names += [record.key for record in self.records if isinstance(record, Delivery)]
        new = {name: uuid_from(f"{merchant}-{name}", number) for name in names if name}

        def copy(one: Any) -> Any:
            members = {
                name: new.get(value, value) if isinstance(value, str) else value for name, value in asdict(one).items()
            }
            return type(one)(**{**members, "merchant": merchant, **({"version": 1} if isinstance(one, Record) else {})})

        return [copy(record) for record in self.records], [copy(job) for job in self.jobs]


async def fill(store: Store, model: Model, merchant: str, orders: int) -> None:
    """Commit so many placed orders of a merchant."""
    for first in range(0, orders, AT_ONCE):
        copies = [model.copied(merchant, number) for number in range(first, min(first + AT_ONCE, orders))]
        writes = tuple(record for records, _ in copies for record in records)
        await store.commit(
            merchant, Decision(writes=writes, jobs=tuple(job for _, jobs in copies for job in jobs)), time.time()
        )


async def filled(path: Path, model: Model, orders: int) -> None:
    """Make a file with so many orders of one merchant, and `OTHERS` of another."""
    store = open_store(Settings(store=f"sqlite:{path}"))
    await store.open()
    await fill(store, model, SHOP, orders)
    await fill(store, model, OTHER, OTHERS if orders else 0)
    await store.close()


def size(path: Path) -> int:
    """Return the bytes of a file and its write-ahead log."""
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))


def starts(paths: list[Path], rounds: int) -> list[float]:
    """Return the median seconds until the first healthy answer with each file, started in turn."""
    took: list[list[float]] = [[] for _ in paths]
    for _ in range(rounds):
        for path, seconds in zip(paths, took, strict=True):
            port = processes.free_port()
            seconds.append(
                processes.start(processes.emulator(port, "asyncio", "--store", f"sqlite:{path}"), port).clock
            )
    return [statistics.median(seconds) for seconds in took]


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    """Return the milliseconds of a call."""
    started = time.perf_counter()
    await call()
    return (time.perf_counter() - started) * 1000


async def requests(clients: list[Client], shop: str, rounds: int) -> dict[str, list[list[float]]]:
    """Send each kind of request to each server in turn; return the milliseconds by kind and server."""
    took: dict[str, list[list[float]]] = {}

    async def measure(name: str, number: int, call: Callable[[], Awaitable[Any]]) -> None:
        took.setdefault(name, [[] for _ in clients])[number].append(await timed(call))

    for client in clients:
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(shop)})
    for turn in range(rounds):
        for number in sorted(range(len(clients)), reverse=bool(turn % 2)):
            client = clients[number]
            bought: Json = {}

            async def purchase(client: Client = client, bought: Json = bought) -> None:
                bought.update(await client.ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0}))

            await measure("POST purchases", number, purchase)
            path = f"{AUTHORIZATIONS}/{bought['authorization_token']}"
            await measure("GET authorization", number, partial(client.ask, "GET", path))
            await measure("POST orders", number, partial(client.ask, "POST", f"{path}/orders", bought["order"]))
            await measure("GET health", number, partial(client.ask, "GET", "/_mock/health"))
    return took


async def slowest_during_reset(client: Client, resetting: str) -> tuple[float, float]:
    """Reset a merchant; return the seconds that it took, and the milliseconds of another merchant's slowest request."""
    reset = asyncio.create_task(timed(lambda: client.as_merchant(resetting).ask("POST", "/_mock/reset")))
    slowest = 0.0
    while not reset.done():
        slowest = max(slowest, await timed(lambda: client.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})))
    return await reset / 1000, slowest


async def serving(paths: list[Path], rounds: int) -> None:
    """Print how requests to servers on the files compare, and the memory of the servers, before and after a list of orders."""
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(shops.opened())
        clients, pids = [], []
        for path in paths:
            port = processes.free_port()
            command = processes.emulator(port, "asyncio", "--store", f"sqlite:{path}")
            pids.append(stack.enter_context(processes.process(*command)).pid)
            clients.append(await stack.enter_async_context(Client(f"http://127.0.0.1:{port}", SHOP)))
        for name, (few, many) in (await requests(clients, shop.url, rounds)).items():
            p50 = statistics.median(few), statistics.median(many)
            print(f"| {name}, p50 | {p50[0]:.2f} ms | {p50[1]:.2f} ms | {p50[1] / p50[0]:.2f} x |", flush=True)
        memory(pids)
        lists = [statistics.median([await timed(partial(one.ask, "GET", LIST)) for _ in range(3)]) for one in clients]
        print(
            f"| GET 100 of them, p50 | {lists[0]:.0f} ms | {lists[1]:.0f} ms | {lists[1] / lists[0]:.2f} x |",
            flush=True,
        )
        memory(pids)
        for waiting, resetting in ((SHOP, OTHER), (OTHER, SHOP)):
            resets = [await slowest_during_reset(client.as_merchant(waiting), resetting) for client in clients]
            row = " | ".join(f"{seconds:.1f} s, {slowest:.0f} ms" for seconds, slowest in resets)
            print(f"| reset of `{resetting}`, slowest request of `{waiting}` meanwhile | {row} | |", flush=True)


def memory(pids: list[int]) -> None:
    """Print how much memory the servers use."""
    few, many = (processes.resident_megabytes(pid) for pid in pids)
    print(f"| memory | {few:.0f} MB | {many:.0f} MB | |", flush=True)


async def measure(folder: Path, orders: int, rounds: int) -> None:
    """Fill the files and print the figures as a table."""
    empty, few, many = (folder / f"{name}.db" for name in ("empty", "few", "many"))
    model = await Model.of_a_purchase()
    started = time.perf_counter()
    for path, count in ((empty, 0), (few, FEW), (many, orders)):
        await filled(path, model, count)
    print(f"filled in {time.perf_counter() - started:.0f} s\n", flush=True)
    print(f"| | {FEW:,} orders | {orders:,} orders | |\n|---|---|---|---|")
    print(f"| file | {size(few) / 1e6:.0f} MB | {size(many) / 1e6:.0f} MB | {size(many) / orders:.0f} bytes an order |")
    none, small, large = await asyncio.to_thread(starts, [empty, few, many], 7)
    print(
        f"| start to the first healthy answer | {small:.2f} s | {large:.2f} s | {large / none:.2f} x of an empty file |",
        flush=True,
    )
    await serving([few, many], rounds)


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=["sqlite"])
    parser.add_argument("orders", type=int)
    parser.add_argument(
        "--rounds", type=int, default=500, help="how often each request is sent to each server (default 500)"
    )
    parser.add_argument("--folder", help="where the files are made (default: a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(Path(folder), arguments.orders, arguments.rounds))


if __name__ == "__main__":
    main()
