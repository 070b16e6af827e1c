"""Mixed traffic of many merchants with resets in between: `python -m tests.attacks.traffic`.

Prints, for each round, the memory that is allocated after everything was reset, and at the end where it grew.
"""

import argparse
import asyncio
import gc
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from mock_klarna.client import Client
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from tests.merchants.running import BUTTONS, buy, place

Json = dict[str, Any]
ORDERS = "/ordermanagement/v1/orders"
CLOSED = "http://127.0.0.1:1"
"""A shop that refuses every connection at once."""


class Merchant:
    """One merchant's traffic. Each round buys, places, manages, fails in every way, reads and resets."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._number = 0

    async def work(self, round_: int) -> None:
        """Send the requests of one round."""
        client = self._client
        self._number += 1
        bought = await buy(client, CLOSED, {"push": f"{CLOSED}/push", "update": f"{CLOSED}/update"})
        order = await place(client, bought)
        path = f"{ORDERS}/{order['order_id']}"
        key = {"Klarna-Idempotency-Key": f"{round_}-{self._number}"}
        for _ in range(2):
            await client.send("POST", f"{path}/captures", {"captured_amount": 100}, headers=key)
        await client.send("POST", f"{path}/refunds", {"refunded_amount": 50})
        await client.send("PATCH", f"{path}/merchant-references", {"merchant_reference1": f"r{self._number}"})
        denied = await buy(client, CLOSED)
        await client.send("DELETE", f"/instantshopping/v1/authorizations/{denied['authorization_token']}")
        await client.send("POST", BUTTONS, {"locale": 5, "order_lines": [{}] * 20, f"x{self._number}": [1] * 50})
        await client.send("GET", f"{BUTTONS}/none-{round_}-{self._number}")
        await client.send("POST", "/_mock/faults", {"on": "callback", "drop": True, "times": 3})
        await client.send("POST", "/_mock/clock", {"advance": "2h"})
        await self._read(bought)
        if self._number % 3 == 0:
            await client.send("POST", "/_mock/reset")

    async def _read(self, bought: Json) -> None:
        client = self._client
        for path in ("purchases", "orders", "callbacks", "journal", "journal?name=order_closed&wait=0.001", "snapshot"):
            await client.send("GET", f"/_mock/{path}")
        (callback, *_) = (await client.ask("GET", f"/_mock/callbacks?purchase_id={bought['purchase_id']}"))["callbacks"]
        await client.send("POST", f"/_mock/callbacks/{callback['callback_id']}/resend")


async def rounds(
    count: int,
    merchants: int,
    work: int,
    store: str = "memory",
    report: Callable[[int, int], None] = lambda _round, _size: None,
) -> list[int]:
    """Run rounds of traffic, each ended by a reset of everything; return the traced bytes after each one.

    merchants: how many work at once. work: how often each does in a round.
    """
    sizes = []
    async with serve(Settings(port=0, store=store)) as running:

        async def one_merchant(name: str, round_: int) -> None:
            async with Client(running.url, name) as client:
                merchant = Merchant(client)
                for _ in range(work):
                    await merchant.work(round_)

        for round_ in range(count):
            await asyncio.gather(*(one_merchant(f"m-{number}", round_) for number in range(merchants)))
            async with Client(running.url, "admin") as client:
                await client.send("POST", "/_mock/reset", headers={"Authorization": ""})
            sizes.append(await settled())
            report(round_, sizes[-1])
    return sizes


async def settled() -> int:
    """Return the traced bytes when connections are closed and everything is collected."""
    for _ in range(100):
        await asyncio.sleep(0)  # lets the server notice that clients have gone
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def main() -> None:
    """Run the traffic and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--merchants", type=int, default=64)
    parser.add_argument("--work", type=int, default=4, help="how often each merchant works in a round")
    parser.add_argument("--frames", type=int, default=1, help="frames of each allocation that are reported")
    parser.add_argument("--store", default="memory", help="such as sqlite:{folder}/state.db")
    arguments = parser.parse_args()
    started = time.perf_counter()
    tracemalloc.start(arguments.frames)
    snapshots: dict[int, tracemalloc.Snapshot] = {}

    def report(round_: int, size: int) -> None:
        print(f"| {round_ + 1} | {time.perf_counter() - started:.0f} s | {size / 1e6:.2f} MB |", flush=True)
        if round_ in (1, arguments.rounds - 1):
            snapshots[round_] = tracemalloc.take_snapshot()

    print("| round | time | memory |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        store = arguments.store.format(folder=folder)
        asyncio.run(rounds(arguments.rounds, arguments.merchants, arguments.work, store, report))
    if len(snapshots) == 2:
        for line in snapshots[arguments.rounds - 1].compare_to(snapshots[1], "traceback")[:8]:
            print(f"\n{line.size_diff / 1e3:+.1f} kB in {line.count_diff:+d} blocks")
            print("\n".join(line.traceback.format()[-6:]))


if __name__ == "__main__":
    main()
