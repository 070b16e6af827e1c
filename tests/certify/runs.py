"""Runs of the demo shop: what shoppers, Klarna and the network do is random, and the shop breaks no rule.

`python -m tests.certify.runs 300` plays 300 runs, each with a seed of its own, and prints the findings.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from mock_klarna import Settings, resources, serve
from mock_klarna.certify.probes import PROBES, play
from mock_klarna.certify.probing import Cart, Probing, Waiting
from mock_klarna.client import Client
from mock_klarna.demo import Shop, serve_shop

Json = dict[str, Any]
STEPS = 8
"""How many things happen in a run, after an ordinary purchase."""
_AT_ONCE = 12
_CARTS = {
    file.stem: json.loads(file.read_bytes()) for file in sorted((Path(resources.fixtures()) / "carts").glob("*.json"))
}
_PENDING = ("PENDING", "REJECTED", {"fraud_status": "PENDING", "then": "ACCEPTED", "after": "1h"})
_FAULTS = (
    ("request", "get_authorization", {"status": 503}),
    ("request", "create_order", {"status": 429}),
    ("request", "create_order", {"drop": True}),
    ("request", "create_order", {"garbage": True}),
    ("request", "create_order", {"twice": True}),
    ("request", "deny_authorization", {"drop": True}),
    ("request", "capture_order", {"status": 503, "times": 2}),
    ("request", "capture_order", {"drop": True}),
    ("request", "refund_order", {"drop": True}),
    ("request", "acknowledge_order", {"status": 500}),
    ("callback", "place_order", {"twice": True}),
    ("callback", "place_order", {"delay": 0.05}),
    ("callback", "push", {"twice": True}),
    ("callback", "push", {"drop": True}),
    ("callback", "notification", {"drop": True}),
    ("callback", "notification", {"twice": True}),
)


@dataclass(slots=True)
class Run:
    """A run of a shop: its random choices, the purchases so far, and what was done."""

    random: Random
    probing: Probing
    shop: Client
    bought: list[Json] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def buy(self, **members: Any) -> None:
        """Let a shopper buy a stored cart."""
        name = self.random.choice(list(_CARTS))
        page = _CARTS[name]
        country = str(page["purchase_country"])
        select: Json = {"quantity": self.random.randint(1, 4)} if "items" in page else {}
        if options := page.get("shipping_options"):
            select["shipping_option"] = self.random.choice(options)["id"]
        shopper = self.random.choice((f"{country.lower()}-approved", {"country": country}))
        chosen = {"page": page, "shopper": shopper, "select": select, **members}
        self.done.append(f"buy {name} {members}")
        self.bought.append(await self.probing.buy(**chosen))

    async def buy_undecided(self) -> None:
        """Let a shopper buy whom Klarna reviews or rejects."""
        await self.buy(outcome=self.random.choice(_PENDING))

    async def cheat(self) -> None:
        """Play a probe, a cheating shopper among them."""
        probe = self.random.choice(PROBES)
        self.done.append(f"probe {probe.name}: {(await play(probe, self.probing)).text}")

    async def fail(self) -> None:
        """Let the next request or callback of a kind fail, and a shopper buy."""
        on, operation, effects = self.random.choice(_FAULTS)
        self.done.append(f"fault {operation} {effects}")
        await self.probing.inject(on, operation, **effects)
        await self.buy()

    async def act(self) -> None:
        """Ship or refund an order in the shop, perhaps twice."""
        orders = [one["order_id"] for one in self.bought if one["order_id"]]
        path = f"/orders/{self.random.choice(orders)}/{self.random.choice(('ship', 'refund'))}" if orders else "/orders"
        self.done.append(path)
        for _ in range(self.random.randint(1, 2)):
            await self.shop.send("POST" if orders else "GET", path)

    async def wait(self) -> None:
        """Move the clock."""
        duration = self.random.choice(("30s", "5m", "20m", "3h", "1d", "9d", "29d"))
        self.done.append(f"clock {duration}")
        await self.probing.advance(duration)

    async def repeat(self) -> None:
        """Send a callback again."""
        callbacks = (await self.probing.ask("GET", "/_mock/callbacks?limit=100"))["callbacks"]
        again = self.random.choice(callbacks)
        self.done.append(f"again {again['kind']}")
        await self.probing.ask("POST", f"/_mock/callbacks/{again['callback_id']}/resend")

    async def end(self) -> None:
        """Wait until the shop has answered every callback about a purchase; then it has sent all that it sends again."""
        for purchase in self.bought:
            position = await self.probing.position()
            path = f"/_mock/callbacks?kind=place_order&purchase_id={purchase['purchase_id']}"
            while not all(each["attempts"] for each in (await self.probing.ask("GET", path))["callbacks"]):
                await self.probing.entries(position, wait=1)
                position = await self.probing.position()
        for _ in range(3):  # a busy machine may stop this process for longer than the journal has to be quiet
            await self.probing.settle()

    @property
    def steps(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """All that can happen."""
        return (self.buy, self.buy_undecided, self.cheat, self.fail, self.act, self.act, self.wait, self.repeat)


async def played(klarna_url: str, seed: int) -> tuple[list[Json], list[str]]:
    """Play the run of a seed with a shop of its own; return the findings, and what was done."""
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(serve_shop(klarna_url, merchant=f"run-{seed}"))
        client = await stack.enter_async_context(Client(klarna_url, shop.merchant))
        pages = await stack.enter_async_context(Client(shop.url))
        run = Run(Random(seed), _probing(client, pages, shop), pages)
        await run.buy()
        for step in run.random.choices(run.steps, k=STEPS):
            await step()
        await run.end()
        return (await run.probing.ask("GET", "/_mock/findings"))["findings"], run.done


def _probing(client: Client, pages: Client, shop: Shop) -> Probing:
    async def act(url: str) -> str:
        return f"answered {(await pages.send('POST', url.removeprefix(shop.url))).status}"

    return Probing(
        client=client,
        cart=Cart(button_key=shop.button_key, page=_CARTS["se-battery-pack"], options={}, is_whole=True),
        waiting=Waiting(shop=60, retry=60, quiet=0.05),
        say=print,
        act=act,
        urls={
            f"{name}_order": f"{shop.url}/orders/{{order_id}}/{path}"
            for name, path in (("capture", "ship"), ("refund", "refund"))
        },
    )


async def _play_all(number: int, first: int) -> bool:
    limit, found = asyncio.Semaphore(_AT_ONCE), Counter[str]()
    async with serve(Settings(port=0, seed="runs", all_journals_bytes=1 << 30)) as klarna:

        async def one(seed: int) -> None:
            async with limit:
                findings, done = await played(klarna.url, seed)
            found["steps"] += len(done)
            found["runs with a finding"] += bool(findings)
            for finding in findings:
                print(f"seed {seed}: {finding['severity']} {finding['rule']}: {finding['seen']}", done, flush=True)

        await asyncio.gather(*(one(seed) for seed in range(first, first + number)))
    print(f"{number} runs, {found['steps']} steps, {found['runs with a finding']} runs with a finding")
    return not found["runs with a finding"]


def main() -> None:
    """Play as many runs as the command line says; exit with 1 if one has a finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first run; the next ones count up")
    arguments = parser.parse_args()
    started = time.perf_counter()
    passed = asyncio.run(_play_all(arguments.runs, arguments.seed))
    print(f"{time.perf_counter() - started:.0f} s")
    raise SystemExit(not passed)


if __name__ == "__main__":
    main()
