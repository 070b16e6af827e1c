"""The stored scenarios, played by many merchants at once through a proxy that sends each request to the next of two servers.

`python -m tests.store.scenarios 64` plays all of them as 64 merchants.
"""

import argparse
import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from random import Random

from mock_klarna.client import Client
from mock_klarna.demo.shop import serve_shop
from mock_klarna.scenario.loader import load_scenarios, stored_files
from mock_klarna.scenario.model import Scenario
from mock_klarna.scenario.report import Report
from mock_klarna.scenario.runner import RunOptions, run_scenario
from tests.database import running
from tests.merchants.processes import served
from tests.store.round_robin import forwarding

SCENARIOS = load_scenarios(stored_files().values(), {}, require_values=False)


async def play(
    store: str, merchants: int, scenarios: Sequence[Scenario], chance: Random, tell: Callable[[str], None]
) -> int:
    """Let each merchant play all scenarios in an order of its own; return how many were played.

    Each scenario runs as `merchant-N-NAME`, with the same seed for every N. Raises AssertionError for one that fails, and
    where the timelines of two merchants differ or one has what belongs to another.
    """
    played = 0
    transcripts = defaultdict[str, set[tuple[str, ...]]](set)
    async with AsyncExitStack() as stack:
        # Scenarios count callbacks in the journal; the usual bound is too small for so many merchants.
        flags = ("--store", store, "--all-journals-bytes", str(1 << 30))
        servers = [await stack.enter_async_context(served(*flags)) for _ in range(2)]
        url = await stack.enter_async_context(forwarding([server.url for server in servers]))
        shop = await stack.enter_async_context(serve_shop(url))
        client = await stack.enter_async_context(Client(url))

        async def merchant(number: int, order: list[Scenario]) -> None:
            nonlocal played
            options = RunOptions(
                url=url,
                connect=lambda user, password: Client(url, user, password),
                variables=lambda scenario: {"shop": shop.url} if "shop" in scenario.variables else {},
                seed="scenarios",
                prefix=f"merchant-{number}",
            )
            for scenario in order:
                report = await run_scenario(scenario, options)
                assert report.passed, "\n".join(report.details())
                await _require_own(client.as_merchant(report.merchant))
                transcripts[scenario.name].add(_without_names(report, number))
                played += 1
            tell(f"{played} scenarios played")

        await asyncio.gather(*(merchant(one, chance.sample(scenarios, len(scenarios))) for one in range(merchants)))
    for name, found in transcripts.items():
        first, *others = found
        for other in others:
            differing = set(first) ^ set(other)
            # The last request is not in the journal yet while an older transaction runs (docs/stores.md).
            assert all(line.startswith("shop → Klarna") for line in differing), (name, differing, first, other)
    return played


async def _require_own(client: Client) -> None:
    """Compare what a merchant sees with its name."""
    for entry in (await client.ask("GET", "/_mock/journal?limit=10000"))["entries"]:
        assert entry["merchant"] == client.merchant, entry
    purchases = (await client.ask("GET", "/_mock/purchases?limit=10000"))["purchases"]
    assert {purchase["merchant"] for purchase in purchases} <= {client.merchant}, purchases
    callbacks = (await client.ask("GET", "/_mock/callbacks?limit=10000"))["callbacks"]
    own = {purchase["purchase_id"] for purchase in purchases}
    assert {callback["purchase_id"] for callback in callbacks} <= own, callbacks


def _without_names(report: Report, number: int) -> tuple[str, ...]:
    """Return the entries of a transcript without merchant and ids, sorted, because purchases of several shoppers overlap.

    An entry has its explanation in indented lines. Callbacks are left out: a purchase may be denied before one is sent.
    """
    text = re.sub(rf"merchant-{number}\b", "merchant-N", "\n".join(report.transcript))
    entries = re.split(r"\n(?!    )", re.sub(r"<id \d+>", "<id>", text))
    return tuple(sorted(entry for entry in entries if not entry.startswith("shop  ")))


def main() -> None:
    """Play as many merchants as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("merchants", type=int)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    started = time.perf_counter()
    with running() as database:
        played = asyncio.run(
            play(
                database.url("scenarios"),
                arguments.merchants,
                SCENARIOS,
                Random(arguments.seed),
                lambda line: print(line, flush=True),
            )
        )
    print(f"{arguments.merchants} merchants, {played} scenarios, all passed in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
