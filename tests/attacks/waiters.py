"""Thousands of clients wait for entries of the journal that never come: `python -m tests.attacks.waiters`.

Prints how long a request takes that writes to the journal, without and with them.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable

from tests.attacks.sandbox import Sandbox, request, sandbox

SHAPES: dict[str, Callable[[int], str]] = {
    "one name": lambda _number: "merchant=shop&name=order_closed",
    "correlation ids of their own": lambda number: f"merchant=shop&correlation_id=c{number}",
    "every merchant": lambda _number: "name=order_closed",
    "merchants of their own": lambda number: f"merchant=m{number}",
    "purchases of their own": lambda number: f"purchase_id=p{number}",
}
"""What each waiter waits for, by its number."""


async def requests(server: Sandbox, count: int) -> float:
    """Return the median time of requests that write to the journal, in milliseconds."""
    reader, writer = await server.connect()
    times = []
    for _ in range(count):
        started = time.perf_counter()
        writer.write(request("GET", "/instantshopping/v1/buttons/none"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        times.append((time.perf_counter() - started) * 1000)
    writer.close()
    return statistics.median(times)


async def measure(store: str, waiters: int) -> None:
    """Print a line for each shape."""
    for name, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder, sandbox("--store", store.format(folder=folder)) as server:
            before = await requests(server, 50)
            waiting = [await server.connect() for _ in range(waiters)]
            for number, (_, writer) in enumerate(waiting):
                path = f"/_mock/journal?wait=600&after=1000000000000000&{shape(number)}"
                writer.write(request("GET", path).replace(b"Authorization", b"X-None"))
            while await server.milliseconds() > 50:
                pass
            after = await requests(server, 20)
            print(f"| {name} | {before:.2f} ms | {after:.2f} ms | {server.megabytes():.0f} MB |", flush=True)
            for _, writer in waiting:
                writer.transport.abort()


def main() -> None:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="memory", help="such as sqlite:{folder}/state.db (default memory)")
    parser.add_argument("--waiters", type=int, default=3000)
    arguments = parser.parse_args()
    print(f"| {arguments.waiters} wait for | without | with | memory |\n|---|---|---|---|", flush=True)
    asyncio.run(measure(arguments.store, arguments.waiters))


if __name__ == "__main__":
    main()
