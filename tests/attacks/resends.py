"""One callback is sent again many times: `python -m tests.attacks.resends`.

Prints how many bytes the server wrote, and how long the first and the last of the requests took.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import orjson

from tests.attacks.sandbox import Sandbox, sandbox
from tests.bench import state


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
    """Answer every request of a connection with the same large body."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), b": 0")
            await reader.readexactly(int(length.split(b":")[1]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def measure(store: str, times: int, answer: int) -> None:
    """Print the figures of one server."""
    body = b"x" * answer
    shop = await asyncio.start_server(lambda reader, writer: _answer(reader, writer, body), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{shop.sockets[0].getsockname()[1]}/x"
    with tempfile.TemporaryDirectory() as folder, sandbox("--store", store.format(folder=folder)) as server:
        urls = {"place_order": url, "terms": url, "confirmation": url}
        await server.send("POST", state.BUTTONS, {"merchant_urls": urls})
        purchase = {**orjson.loads(state.purchase()), "wait": 1}
        await server.send("POST", "/_mock/purchases", purchase)
        (callback,) = orjson.loads((await server.send("GET", "/_mock/callbacks"))[1])["callbacks"]
        before, seconds = _written(server), []
        for _ in range(times):
            started = time.perf_counter()
            await server.send("POST", f"/_mock/callbacks/{callback['callback_id']}/resend")
            seconds.append(time.perf_counter() - started)
        written = (_written(server) - before) / 1e6
        print(f"{times} resends, answers of {answer} bytes: {written:.0f} MB written,", end=" ")
        print(
            f"first {seconds[0] * 1000:.1f} ms, last {seconds[-1] * 1000:.1f} ms, {server.megabytes():.0f} MB of memory"
        )
    shop.close()


def _written(server: Sandbox) -> int:
    """Return how many bytes a process has given to the system to write."""
    lines = Path(f"/proc/{server.pid}/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("wchar")))


def main() -> None:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="sqlite:{folder}/state.db")
    parser.add_argument("--times", type=int, default=400)
    parser.add_argument("--answer", type=int, default=65536, help="bytes of the merchant's answer")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.store, arguments.times, arguments.answer))


if __name__ == "__main__":
    main()
