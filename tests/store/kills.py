"""Servers that are killed at random moments under load, compared with every answer that was given.

`python -m tests.store.kills sqlite 500` and `python -m tests.store.kills postgres 500 50` print what they found.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import aiohttp

from mock_klarna.client import Answer, Client
from mock_klarna.errors import Unreachable
from tests.bench.processes import free_port
from tests.database import Database, running
from tests.merchants.pages import PAGE, urls
from tests.merchants.processes import ROOT
from tests.merchants.running import AUTHORIZATIONS, BUTTONS, Json

NO_MERCHANT = "http://127.0.0.1:1"
SHOPPERS = 4
LOADED = "loaded"
"""The merchant whose state is replaced again and again."""
KEYS = 200
"""How many button keys its states have."""
_LOST = (Unreachable, aiohttp.ClientError, OSError, asyncio.TimeoutError)


@dataclass
class Acknowledged:
    """What servers answered: orders by purchase, and the authorized purchases; `captures` has what was sent, by order.

    A capture is known by its idempotency key; one that was not answered may have been executed.

    `loaded` has the button keys of the merchant whose state is replaced again and again; `loading` has those of the request that
    was not answered yet.
    """

    orders: dict[str, str] = field(default_factory=dict)
    captures: dict[str, list[str]] = field(default_factory=dict)
    authorized: set[str] = field(default_factory=set)
    loaded: list[str] = field(default_factory=list)
    loading: list[str] = field(default_factory=list)
    answers: int = 0


@dataclass
class Server:
    """A server that is started again on the same port whenever it was killed."""

    store: str
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        command = (sys.executable, "-m", "mock_klarna", "serve", "--port", str(self.port), "--store", self.store)
        self.process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        assert await self.process.stdout.readline(), "the server does not start"

    async def kill(self) -> None:
        """Kill it as a power cut would, if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.communicate()


async def shop(url: str, seen: Acknowledged, until: asyncio.Event) -> None:
    """Buy, place and capture until the server is gone, and keep every answer."""
    with contextlib.suppress(*_LOST):
        async with Client(url, "shop") as client:
            while not until.is_set():
                await _buy(client, seen)


async def _buy(client: Client, seen: Acknowledged) -> None:
    bought = await client.send("POST", "/_mock/purchases", {"page": PAGE, "wait": 0})
    if bought.status != 201:
        return
    purchase: Json = bought.body
    seen.authorized.add(purchase["purchase_id"])
    seen.answers += 1
    path = f"{AUTHORIZATIONS}/{purchase['authorization_token']}/orders"
    placed = await client.send("POST", path, purchase["order"])
    if placed.status != 200:
        return
    order_id = placed.body["order_id"]
    assert seen.orders.setdefault(purchase["purchase_id"], order_id) == order_id
    seen.answers += 1
    sent = seen.captures.setdefault(order_id, [])
    for key in ("first", "second"):
        sent.append(key)
        if (await _capture(client, order_id, key)).status == 201:
            seen.answers += 1


async def _capture(client: Client, order_id: str, key: str) -> Answer:
    path, headers = f"/ordermanagement/v1/orders/{order_id}/captures", {"Klarna-Idempotency-Key": key}
    return await client.send("POST", path, {"captured_amount": 10}, headers=headers)


async def replace(url: str, seen: Acknowledged, until: asyncio.Event) -> None:
    """Load a new state of a merchant and reset it in turn, until the server is gone."""
    with contextlib.suppress(*_LOST):
        async with Client(url, LOADED) as client:
            while not until.is_set():
                number = int(seen.loading[0].partition("-")[0]) + 1 if seen.loading else 0
                seen.loading = [f"{number}-{key}" for key in range(KEYS)]
                assert (await client.send("PUT", "/_mock/snapshot", _snapshot(seen.loading))).status == 204
                seen.loaded = seen.loading
                if number % 3 == 0:
                    seen.loading = [f"{number}-"]
                    assert (await client.send("POST", "/_mock/reset", {})).status == 204
                    seen.loaded = []


def _snapshot(keys: list[str]) -> Json:
    buttons = [{"merchant": LOADED, "version": 1, "button_key": key, "body": "{}", "created_at": 1.0} for key in keys]
    return {"version": 1, "merchants": {LOADED: {"records": {"button": buttons}, "jobs": [], "counters": {}}}}


async def require_one_state(url: str, seen: Acknowledged) -> None:
    """The merchant whose state is replaced has the old state or the new one."""
    async with Client(url, LOADED) as client:
        merchants = (await client.ask("GET", "/_mock/snapshot"))["merchants"]
    found = [button["button_key"] for button in merchants.get(LOADED, {}).get("records", {}).get("button", [])]
    assert found in (seen.loaded, [key for key in seen.loading if not key.endswith("-")]), (len(found), found[:1])
    seen.loaded = found


async def require_everything(client: Client, seen: Acknowledged, purchases: list[str]) -> None:
    """Compare purchases, orders, captures and callbacks with what was answered; raises AssertionError for what is missing."""
    for purchase_id in purchases:
        found = await client.ask("GET", f"/_mock/purchases/{purchase_id}")
        order_id = seen.orders.get(purchase_id)
        if order_id is not None:
            assert (found["state"], found["order_id"]) == ("placed", order_id), found
            keys = seen.captures.get(order_id, [])
            assert {(await _capture(client, order_id, key)).status for key in keys} <= {201}
            order = await client.ask("GET", f"/ordermanagement/v1/orders/{order_id}")
            assert order["captured_amount"] == 10 * len(keys), (order_id, keys)
        await _require_callback(client, purchase_id, found["state"])


async def _require_callback(client: Client, purchase_id: str, state: str) -> None:
    """Every authorized purchase has a `place_order` that comes to an end; one that was placed first needs none.

    There are two where a server was killed after it had written what came of the first, and before its job was finished.
    """
    async with asyncio.timeout(60):
        while True:
            found = (await client.ask("GET", f"/_mock/callbacks?purchase_id={purchase_id}"))["callbacks"]
            if found and all(one["state"] == "failed" and one["attempts"] for one in found):
                return
            if not found and state == "placed":
                return
            await asyncio.sleep(0.05)


async def sqlite_rounds(path: str, rounds: int, chance: Random, tell: Callable[[str], None]) -> Acknowledged:
    """Kill a server on an SQLite file so many times, also in the middle of a load, a reset and the deletion of old rows."""
    server, seen = Server(f"sqlite:{path}"), Acknowledged()
    try:
        await _sqlite_rounds(server, seen, rounds, chance, tell)
    finally:
        await server.kill()
    return seen


async def _sqlite_rounds(
    server: Server, seen: Acknowledged, rounds: int, chance: Random, tell: Callable[[str], None]
) -> None:
    await server.start()
    async with Client(server.url, "shop") as client:
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
    for number in range(rounds):
        before = set(seen.authorized)
        over = asyncio.Event()
        shoppers = [asyncio.create_task(shop(server.url, seen, over)) for _ in range(SHOPPERS)]
        shoppers.append(asyncio.create_task(replace(server.url, seen, over)))
        await _moment(seen, chance)
        await server.kill()
        over.set()
        await asyncio.gather(*shoppers)
        await server.start()
        await require_one_state(server.url, seen)
        async with Client(server.url, "shop") as client:
            older = chance.sample(sorted(before), min(10, len(before)))
            await require_everything(client, seen, [*sorted(seen.authorized - before), *older])
            await require_no_double(client, seen)
        tell(f"{number + 1} rounds, {seen.answers} answers, {len(seen.orders)} orders")


async def _moment(seen: Acknowledged, chance: Random) -> None:
    """Wait for a random moment after this round's first answer: the first purchase of a process loads the shoppers."""
    answers = seen.answers
    async with asyncio.timeout(120):
        while seen.answers == answers:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await asyncio.sleep(chance.uniform(0, 0.6))


async def require_no_double(client: Client, seen: Acknowledged) -> None:
    """No purchase became two orders."""
    listed = await client.ask("GET", "/_mock/orders?limit=10000")
    purchases = [order["purchase_id"] for order in listed["orders"]]
    assert len(purchases) == len(set(purchases))
    assert listed["total"] >= len(seen.orders)


async def postgres_rounds(
    database: Database, rounds: int, restarts: int, chance: Random, tell: Callable[[str], None]
) -> Acknowledged:
    """Kill one of three servers so many times, and stop the database itself so many times, as a crash would."""
    store = f"{database.url('kills')}&lease=3"
    servers, seen = [Server(store) for _ in range(3)], Acknowledged()
    try:
        await asyncio.gather(*(server.start() for server in servers))
        await _postgres_rounds(database, servers, seen, (rounds, restarts), chance, tell)
    finally:
        await asyncio.gather(*(server.kill() for server in servers))
    return seen


async def _postgres_rounds(
    database: Database,
    servers: list[Server],
    seen: Acknowledged,
    extent: tuple[int, int],
    chance: Random,
    tell: Callable[[str], None],
) -> None:
    rounds, restarts = extent
    async with Client(servers[0].url, "shop") as client:
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
    for number in range(rounds + restarts):
        before = set(seen.authorized)
        over = asyncio.Event()
        shoppers = [asyncio.create_task(shop(server.url, seen, over)) for server in servers for _ in range(2)]
        await _moment(seen, chance)
        victim = chance.choice(servers)
        if number < rounds:
            await victim.kill()
        else:
            await asyncio.to_thread(database.stop, "immediate")
            await asyncio.sleep(chance.uniform(0, 0.3))
            await asyncio.to_thread(database.start)
        over.set()
        await asyncio.gather(*shoppers)
        if number < rounds:
            await victim.start()
        other = chance.choice([server for server in servers if server is not victim])
        async with Client(other.url, "shop") as client:
            await _healthy(client)
            older = chance.sample(sorted(before), min(5, len(before)))
            await require_everything(client, seen, [*sorted(seen.authorized - before), *older])
            await require_no_double(client, seen)
        tell(f"{number + 1} rounds, {seen.answers} answers, {len(seen.orders)} orders")


async def _healthy(client: Client) -> None:
    async with asyncio.timeout(120):
        while (await client.send("GET", "/_mock/health")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def main() -> None:
    """Run as many rounds as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=["sqlite", "postgres"])
    parser.add_argument("rounds", type=int)
    parser.add_argument("restarts", type=int, nargs="?", default=0)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    arguments = parser.parse_args()
    chance = Random(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)

    def tell(line: str) -> None:
        print(line, flush=True)

    started = time.perf_counter()
    if arguments.engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            seen = asyncio.run(sqlite_rounds(f"{folder}/state.db", arguments.rounds, chance, tell))
    else:
        with running(durable=True) as database:
            seen = asyncio.run(postgres_rounds(database, arguments.rounds, arguments.restarts, chance, tell))
    print(
        f"{arguments.rounds} kills of a server and {arguments.restarts} crashes of the database in "
        f"{time.perf_counter() - started:.0f} s: {seen.answers} answers, {len(seen.orders)} orders, "
        f"{sum(map(len, seen.captures.values()))} captures; nothing lost, no order and no capture twice, "
        "every callback accounted for"
    )


if __name__ == "__main__":
    main()
