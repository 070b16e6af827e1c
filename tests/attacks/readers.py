"""Clients that ask for streams and long answers and read nothing: `python -m tests.attacks.readers`.

Prints the memory of the server without and with them.
"""

import argparse
import asyncio

from tests.attacks.sandbox import Sandbox, request, sandbox
from tests.bench import state

PATHS = ("/_mock/events", "/_mock/journal?limit=10000", "/_mock/events?after=0&kind=exchange")


async def fill(server: Sandbox) -> None:
    """Fill a journal with refused requests of 50 kB, so that their bodies are shown as a whole."""
    reader, writer = await server.connect()
    body = {"merchant_urls": {}, "text": "\u0001" * 8000}
    for _ in range(600):
        writer.write(request("POST", state.BUTTONS, body))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
    writer.close()


async def measure(store: str, clients: int) -> None:
    """Print a line for each path."""
    for path in PATHS:
        with sandbox("--store", store) as server:
            await fill(server)
            before = server.megabytes()
            unread = []
            for _ in range(clients):
                reader, writer = await server.connect()
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                writer.write(request("GET", path))
                unread.append((reader, writer))
            await fill(server)
            slowest = max([await server.milliseconds() for _ in range(20)])
            most = server.megabytes("VmHWM")
            print(f"| {path} | {before:.0f} MB | {most:.0f} MB | {slowest:.0f} ms |", flush=True)
            for _, writer in unread:
                writer.transport.abort()


def main() -> None:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="memory")
    parser.add_argument("--clients", type=int, default=300)
    arguments = parser.parse_args()
    print(f"| {arguments.clients} clients | without | most memory | slowest health |\n|---|---|---|---|", flush=True)
    asyncio.run(measure(arguments.store, arguments.clients))


if __name__ == "__main__":
    main()
