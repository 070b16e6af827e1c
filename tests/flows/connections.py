"""Open connections over which requests are sent at the same moment."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import orjson


def request(method: str, path: str, body: Any, merchant: str = "shop") -> bytes:
    """Return the bytes of a request by a merchant."""
    raw = orjson.dumps(body)
    credentials = b64encode(f"{merchant}:secret".encode()).decode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: klarna\r\nAuthorization: Basic {credentials}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


class Connections:
    """Open connections to one server."""

    def __init__(self, connections: Sequence[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        self._connections = connections

    async def send_simultaneously(self, requests: Sequence[bytes]) -> list[tuple[int, Any]]:
        """Send each request over its own connection, all before the first answer; return statuses and bodies."""
        for raw, (_, writer) in zip(requests, self._connections, strict=True):
            writer.write(raw)
        return [await _answer(reader) for reader, _ in self._connections]


async def _answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length:")[2].split("\r\n")[0] or 0)
    body = await reader.readexactly(length)
    return int(head.split()[1]), orjson.loads(body) if body else None


@asynccontextmanager
async def connected(url: str, count: int) -> AsyncIterator[Connections]:
    """Open `count` connections to a server."""
    address = urlsplit(url)
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(count)]
    try:
        yield Connections(connections)
    finally:
        for _, writer in connections:
            writer.close()
