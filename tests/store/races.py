"""Simultaneous commands on one purchase and its order, from all servers at once: one of them is executed.

`python -m tests.store.races postgres 10000` runs so many races on three servers; `sqlite` and `memory` have one.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from itertools import cycle, islice
from random import Random

from mock_klarna.client import Answer, Client
from tests.database import running
from tests.merchants.pages import PAGE, urls
from tests.merchants.processes import served
from tests.merchants.running import AUTHORIZATIONS, BUTTONS, Json

NO_MERCHANT = "http://127.0.0.1:1"
"""A shop that refuses every connection."""
SERVERS = 3
"""How many servers there are on PostgreSQL, and how many clients of each merchant."""
MERCHANTS = 4
"""How many races run at once, each of another merchant."""


async def race(merchants: list[list[Client]], races: int, chance: Random, tell: Callable[[str], None]) -> Counter[str]:
    """Run races, one at a time for each merchant; `merchants` has the clients of each, one for each server.

    Returns how many purchases were placed and denied, and how many captures and refunds were made. Raises AssertionError
    where not exactly one command was executed.
    """
    found, numbers, started = Counter[str](), iter(range(1, races + 1)), time.perf_counter()

    async def work(clients: list[Client]) -> None:
        await clients[0].ask("POST", BUTTONS, {"merchant_urls": urls(NO_MERCHANT)})
        for number in numbers:
            found.update(await _race(clients, chance))
            if number % 100 == 0:
                tell(f"{number} races, {dict(found)}, {time.perf_counter() - started:.0f} s")

    await asyncio.gather(*map(work, merchants))
    return found


async def _race(clients: list[Client], chance: Random) -> Counter[str]:
    bought = await chance.choice(clients).ask("POST", "/_mock/purchases", {"page": PAGE, "wait": 0})
    path = f"{AUTHORIZATIONS}/{bought['authorization_token']}"
    orders = [{**bought["order"], "merchant_data": f"order {number}"} for number in range(len(clients))]
    placing = [one.send("POST", f"{path}/orders", body) for one, body in zip(clients, orders, strict=True)]
    denying = [one.send("DELETE", path, {"deny_code": "other"}) for one in clients]
    answers = await asyncio.gather(*chance.sample(placing + denying, 2 * len(clients)))
    winner = _only_success(answers)
    purchase = await chance.choice(clients).ask("GET", f"/_mock/purchases/{bought['purchase_id']}")
    if winner.status == 204:
        assert purchase["state"] == "denied", purchase
        return Counter(denied=1)
    assert (purchase["state"], purchase["order_id"]) == ("placed", winner.body["order_id"]), purchase
    await _capture_and_refund(clients, purchase["order_id"], chance)
    return Counter(placed=1, captured=1, refunded=1)


async def _capture_and_refund(clients: list[Client], order_id: str, chance: Random) -> None:
    """Capture more than half of an order from all servers at once, then refund more than half of that."""
    path = f"/ordermanagement/v1/orders/{order_id}"
    left = (await chance.choice(clients).ask("GET", path))["order_amount"]
    for command, member in (("captures", "captured_amount"), ("refunds", "refunded_amount")):
        part = chance.randint(left // 2 + 1, left)
        sent = [one.send("POST", f"{path}/{command}", {member: part}) for one in clients for _ in range(2)]
        _only_success(await asyncio.gather(*chance.sample(sent, len(sent))))
        found: Json = await chance.choice(clients).ask("GET", path)
        assert found[member] == part, found
        assert found["order_amount"] >= found["captured_amount"] >= found["refunded_amount"] >= 0, found
        left = part


def _only_success(answers: list[Answer]) -> Answer:
    """Return the only answer that is no refusal; raises AssertionError for more, for none, and for other refusals than 403."""
    winners = [answer for answer in answers if answer.status in (200, 201, 204)]
    assert Counter(answer.status for answer in answers)[403] == len(answers) - 1, answers
    (winner,) = winners
    return winner


async def run(store: str, servers: int, races: int, chance: Random) -> None:
    """Run races on servers in processes of their own."""
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(served("--store", store)) for _ in range(servers)]
        merchants: list[list[Client]] = [[] for _ in range(MERCHANTS)]
        for server in islice(cycle(processes), SERVERS):
            client = await stack.enter_async_context(Client(server.url))
            for number, clients in enumerate(merchants):
                clients.append(client.as_merchant(f"merchant-{number}"))
        found = await race(merchants, races, chance, lambda line: print(line, flush=True))
        print(f"{races} races on {servers} servers, one winner each: {dict(found)}")


def main() -> None:
    """Run as many races as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=["memory", "sqlite", "postgres"])
    parser.add_argument("races", type=int)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    chance = Random(arguments.seed)
    if arguments.engine == "postgres":
        with running() as database:
            asyncio.run(run(database.url("races"), SERVERS, arguments.races, chance))
    else:
        with tempfile.TemporaryDirectory() as folder:
            store = "memory" if arguments.engine == "memory" else f"sqlite:{folder}/state.db"
            asyncio.run(run(store, 1, arguments.races, chance))


if __name__ == "__main__":
    main()
