"""A sandbox in a process of its own, requests to it, and its memory as the system counts it."""

import asyncio
import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from tests.bench import processes


class Sandbox:
    """A running server."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

    def megabytes(self, what: str = "VmRSS") -> float:
        """Return the memory of the process, or with `VmHWM` the most that it has had."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"process {self.pid} has no {what}")

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        return await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26)

    async def send(
        self, method: str, path: str, body: object = None, merchant: str = "shop", headers: str = ""
    ) -> tuple[int, bytes]:
        """Send one request on a connection of its own; return the status and the body of the answer."""
        reader, writer = await self.connect()
        try:
            writer.write(request(method, path, body, merchant, headers + "Connection: close\r\n"))
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.transport.abort()
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), rest

    async def milliseconds(self, path: str = "/_mock/health") -> float:
        """Return how long a small request takes."""
        started = time.perf_counter()
        await self.send("GET", path)
        return (time.perf_counter() - started) * 1000


def request(method: str, path: str, body: object = None, merchant: str = "shop", headers: str = "") -> bytes:
    """Return a request; `body` is JSON or bytes, `headers` are further lines, each with its end."""
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    token = base64.b64encode(f"{merchant}:secret".encode()).decode()
    length = f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n" if body is not None else ""
    start = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {token}\r\n"
    return f"{start}{length}{headers}\r\n".encode("latin-1") + raw


@contextmanager
def sandbox(*flags: str, loop: str = "uvloop") -> Iterator[Sandbox]:
    """Start a server in a process of its own, and stop it at the end."""
    port = processes.free_port()
    with processes.process(*processes.emulator(port, loop, *flags)) as running:
        yield Sandbox(port, running.pid)
