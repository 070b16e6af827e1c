"""Bodies that are sent in parts: what waits for clients that do not read is bounded."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from mock_klarna.web.streams import Streams, slices

PART = b"x" * (64 << 10)
LAST = b"event: disconnected\n\n"
Sender = Callable[[], AsyncGenerator[bytes, None]]


async def endless() -> AsyncGenerator[bytes, None]:
    while True:
        yield PART
        await asyncio.sleep(0)


class Served:
    """A server that sends one body at every path. `ended` gets an item for each body that has ended."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.ended: asyncio.Queue[None] = asyncio.Queue()


@asynccontextmanager
async def serving(streams: Streams, parts: Sender, last: bytes | None) -> AsyncIterator[Served]:
    """Serve a body."""

    async def handle(http: web.BaseRequest) -> web.StreamResponse:
        try:
            return await streams.send(http, web.StreamResponse(), parts(), last)
        finally:
            served.ended.put_nowait(None)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served = Served(runner.addresses[0])
    try:
        yield served
    finally:
        await runner.cleanup()


async def silent(address: tuple[str, int], method: bytes = b"GET") -> socket.socket:
    """Return the connection of a client that has sent a request and does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, address)
    await loop.sock_sendall(client, method + b" / HTTP/1.1\r\nHost: x\r\n\r\n")
    return client


async def rest(client: socket.socket) -> bytes:
    """Read until the end of the connection, and return what came last."""
    loop, received = asyncio.get_running_loop(), b""
    try:
        while chunk := await loop.sock_recv(client, 1 << 20):
            received = received[-1000:] + chunk
    finally:
        client.close()
    return received


async def test_a_client_that_reads_nothing_is_disconnected_after_a_last_event() -> None:
    async with serving(Streams(patience=0.1), endless, LAST) as served, asyncio.timeout(120):
        client = await silent(served.address)
        await served.ended.get()
        assert (await rest(client)).endswith(LAST + b"\r\n0\r\n\r\n")


async def test_a_body_without_a_last_part_is_cut_off() -> None:
    async with serving(Streams(patience=0.1), endless, None) as served, asyncio.timeout(120):
        client = await silent(served.address)
        await served.ended.get()
        assert (await rest(client)).endswith(b"xxxx")


async def test_the_slowest_clients_go_when_too_much_waits_for_all() -> None:
    streams = Streams(patience=120, most_unread=1 << 20)
    waiting = []

    async def measured() -> AsyncGenerator[bytes, None]:
        while True:
            waiting.append(streams.unread())
            yield PART

    async with serving(streams, measured, LAST) as served, asyncio.timeout(120):
        clients = [await silent(served.address) for _ in range(40)]
        for _ in range(25):
            await served.ended.get()
        assert max(waiting) <= (1 << 20) + len(PART)
        assert streams.clients > 0
        for client in clients:
            client.close()


async def test_a_client_that_reads_gets_everything() -> None:
    streams = Streams(patience=60, most_unread=256 << 10)
    body = bytes(range(256)) * 40_000
    async with serving(streams, lambda: slices(body), None) as served, asyncio.timeout(120):
        reader, writer = await asyncio.open_connection(*served.address)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read()).partition(b"\r\n\r\n")[2] == body
        writer.close()


async def test_head_gets_no_part() -> None:
    async with serving(Streams(), endless, None) as served, asyncio.timeout(120):
        client = await silent(served.address, b"HEAD")
        received = await asyncio.get_running_loop().sock_recv(client, 1 << 16)
        assert received.endswith(b"\r\n\r\n")
        client.close()
