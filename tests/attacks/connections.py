"""Clients that abuse their connections: `python -m tests.attacks.connections`.

Prints what others notice: bodies that unpack to gigabytes, headers that never end, and more connections than file descriptors.
"""

import argparse
import asyncio
import gzip
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.attacks.sandbox import Sandbox, request, sandbox
from tests.bench import processes

BUTTONS = "/instantshopping/v1/buttons"
_MEGABYTES = 1000
_FILES = 64


def _bomb() -> bytes:
    """Return a gzip body that unpacks to a gigabyte of blanks."""
    return gzip.compress(b" " * (_MEGABYTES << 20), 1)


async def _abandon(server: Sandbox, raw: bytes) -> None:
    """Send bytes and read until the server closes the connection."""
    reader, writer = await server.connect()
    try:
        writer.write(raw)
        writer.write_eof()
        await reader.read()
    except OSError:
        pass
    finally:
        writer.transport.abort()


async def _slowest(server: Sandbox, attack: "asyncio.Future[Any]") -> float:
    """Return the longest time that a small request takes during an attack, in milliseconds."""
    slowest = 0.0
    while not attack.done():
        slowest = max(slowest, await server.milliseconds())
        await asyncio.sleep(0.01)
    return slowest


async def bombs(count: int) -> None:
    """Send bodies that unpack to a gigabyte, simultaneously."""
    raw = request("POST", BUTTONS, _bomb(), headers="Content-Encoding: gzip\r\n")
    with sandbox() as server:
        before, used = server.megabytes("VmHWM"), processes.cpu_seconds(server.pid)
        attack = asyncio.gather(*(_abandon(server, raw) for _ in range(count)))
        slowest = await _slowest(server, attack)
        await attack
        more, cpu = server.megabytes("VmHWM") - before, processes.cpu_seconds(server.pid) - used
    name = f"{count} bodies that unpack to {_MEGABYTES} MB"
    print(f"| {name} | others wait {slowest:.0f} ms at most; {cpu:.1f} s of CPU time; +{more:.0f} MB |", flush=True)


async def stop_during_bombs(count: int) -> None:
    """Stop a server that gets such bodies."""
    raw = request("POST", BUTTONS, _bomb(), headers="Content-Encoding: gzip\r\n")
    with processes.process(*processes.emulator(port := processes.free_port(), "uvloop")) as running:
        server = Sandbox(port, running.pid)
        attack = asyncio.gather(*(_abandon(server, raw) for _ in range(count)))
        await asyncio.sleep(0.3)
        started = time.perf_counter()
        running.terminate()
        await asyncio.to_thread(running.wait)
        print(f"| SIGTERM meanwhile | ends after {time.perf_counter() - started:.2f} s |", flush=True)
        await attack


async def trickle(count: int, seconds: float) -> None:
    """Send the headers of requests byte by byte, on many connections."""
    with sandbox("--body-timeout", str(seconds)) as server:
        before, started = server.megabytes("VmHWM"), time.perf_counter()

        async def one() -> float:
            reader, writer = await server.connect()
            answer = asyncio.create_task(reader.read())
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
            while not answer.done() and time.perf_counter() - started < 10 * seconds:
                writer.write(b"a")
                await asyncio.wait((answer,), timeout=0.1)
            writer.transport.abort()
            return time.perf_counter() - started

        attack = asyncio.gather(*(one() for _ in range(count)))
        slowest = await _slowest(server, attack)
        longest = max(await attack)
        more = server.megabytes("VmHWM") - before
    name = f"{count} requests whose headers trickle, --body-timeout {seconds:g}"
    print(f"| {name} | closed after {longest:.1f} s; others wait {slowest:.0f} ms; +{more:.0f} MB |", flush=True)


async def long_heads(count: int) -> None:
    """Send headers of 60 kB each without an end, on many connections."""
    with sandbox() as server:
        before = server.megabytes("VmHWM")
        opened = [await server.connect() for _ in range(count)]
        for _, writer in opened:
            writer.write(
                b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: " % n + b"a" * 60_000 + b"\r\n" for n in range(50))
            )
        slowest = max([await server.milliseconds() for _ in range(20)])
        more = server.megabytes("VmHWM") - before
        for _, writer in opened:
            writer.transport.abort()
    print(f"| {count} requests with headers of 3 MB | others wait {slowest:.0f} ms; +{more:.0f} MB |", flush=True)


def descriptors(loop: str, seconds: float) -> None:
    """Open more connections than the server has file descriptors."""
    command = [sys.executable, "-m", "mock_klarna", "serve", "--port", "0", "--loop", loop]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as errors:
            server = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES)),  # noqa: PLW1509
            )
        assert server.stdout is not None
        address = re.search(r"127\.0\.0\.1:(\d+)", server.stdout.readline())
        assert address
        connections = [socket.create_connection(("127.0.0.1", int(address[1]))) for _ in range(2 * _FILES)]
        time.sleep(seconds)
        size = log.stat().st_size
        for connection in connections:
            connection.close()
        server.terminate()
        server.wait()
    name = f"{2 * _FILES} connections to a server with {_FILES} file descriptors, {loop}"
    print(f"| {name} | {size:,} bytes of log in {seconds:g} s |", flush=True)


async def measure() -> None:
    """Print a line for each attack."""
    await bombs(20)
    await stop_during_bombs(20)
    await trickle(500, 2)
    await long_heads(200)


def main() -> None:
    """Measure and print the report."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("| attack | measured |\n|---|---|", flush=True)
    asyncio.run(measure())
    for loop in ("asyncio", "uvloop"):
        descriptors(loop, 7)


if __name__ == "__main__":
    main()
