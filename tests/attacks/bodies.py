"""Large wrong bodies: `python -m tests.attacks.bodies`.

Prints how long each takes, the longest that `/_mock/health` took meanwhile, and the most memory that the server has had.
"""

import asyncio
import time

import orjson

from mock_klarna import resources
from tests.attacks.sandbox import Sandbox, sandbox
from tests.bench import state


def bodies() -> dict[str, object]:
    """Return bodies of up to 8 MiB by what is wrong with them."""
    key = {"merchant_urls": {"place_order": "https://a.example.com"}}
    line = orjson.loads((resources.fixtures() / "guide" / "se-order.json").read_bytes())["order_lines"][1]
    return {
        "wrong lines": {**key, "order_lines": [{**line, "name": 5}] * 50_000},
        "empty lines": {**key, "order_lines": [{}] * 2_000_000},
        "empty variations": {**key, "items": [{}] * 2_000_000},
        "wrong sums": {**key, "order_lines": [{**line, "total_amount": 1}] * 50_000},
        "a list as text": {**key, "locale": [{"a": 1}] * 900_000},
        "countries, the last is wrong": {**key, "shipping_countries": ["SE"] * 1_500_000 + [5]},
        "nulls in lists": {**key, "locale": 5, "x": [[None]] * 1_000_000},
        "as many nulls in lists as are accepted": {**key, "locale": 5, "x": [[None]] * 149_000},
        "as many lists as are accepted": {**key, "locale": 5, "x": [[]] * 149_000},
        "as many objects as are accepted": {**key, "locale": 5, "order_lines": [{"a": {}}] * 99_000},
        "as many names as are accepted": {
            **key,
            "locale": 5,
            "x": {f"member{number}": {} for number in range(149_000)},
        },
    }


async def _slowest_health(server: Sandbox, done: asyncio.Event) -> float:
    slowest = 0.0
    while not done.is_set():
        slowest = max(slowest, await server.milliseconds())
        await asyncio.sleep(0.01)
    return slowest


async def measure(server: Sandbox) -> None:
    """Print a line for each body."""
    for name, body in bodies().items():
        raw, done = orjson.dumps(body), asyncio.Event()
        health = asyncio.create_task(_slowest_health(server, done))
        started = time.perf_counter()
        status, _ = await server.send("POST", state.BUTTONS, raw)
        seconds = time.perf_counter() - started
        done.set()
        memory = server.megabytes("VmHWM")
        size = f"{len(raw) / 1e6:.1f} MB"
        print(f"| {name} | {size} | {status} | {seconds:.2f} s | {await health:.0f} ms | {memory:.0f} MB |", flush=True)


def main() -> None:
    """Measure and print the report."""
    print("| body | size | status | took | slowest health | memory |\n|---|---|---|---|---|---|", flush=True)
    with sandbox() as server:
        asyncio.run(measure(server))


if __name__ == "__main__":
    main()
