"""A merchant in the test's event loop, with answers that the test sets; it keeps the requests that it receives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

Json = dict[str, Any]


@dataclass
class ReceivedRequest:
    """A request as it arrived: path with query, body, and the header Content-Type."""

    path: str
    body: bytes
    content_type: str | None = None

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


Answer = Callable[[ReceivedRequest], Awaitable[tuple[int, bytes]]]


async def fine(_request: ReceivedRequest) -> tuple[int, bytes]:
    """Answer 200 without a body."""
    return 200, b""


def always(status: int, body: bytes | Json = b"") -> Answer:
    """Return an answer that is always the same."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)

    async def answer(_request: ReceivedRequest) -> tuple[int, bytes]:
        return status, raw

    return answer


def in_turn(*statuses: int) -> Answer:
    """Return an answer with these statuses one after the other, then always the last."""
    remaining = list(statuses)

    async def answer(_request: ReceivedRequest) -> tuple[int, bytes]:
        return (remaining.pop(0) if len(remaining) > 1 else remaining[0]), b""

    return answer


@dataclass(frozen=True)
class HeldRequests:
    """Requests that a shop does not answer until `released`; `received` is set once the first of them is there."""

    received: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Shop:
    """The shop's URL, its answers by path, and the requests that it received, in order; `_running` have no answer yet."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[ReceivedRequest] = field(default_factory=list)
    _running: "set[asyncio.Task[Any]]" = field(default_factory=set)

    def at(self, path: str) -> list[ReceivedRequest]:
        """Return the requests to a path, with any query."""
        return [request for request in self.requests if request.path.partition("?")[0] == path]

    def hold(self, path: str, status: int = 200) -> HeldRequests:
        """Hold the requests at a path, then answer them without a body."""
        held = HeldRequests()

        async def answer(_request: ReceivedRequest) -> tuple[int, bytes]:
            held.received.set()
            await held.released.wait()
            return status, b""

        self.answers[path] = answer
        return held

    async def handle(self, request: web.Request) -> web.Response:
        """Record a request and answer it."""
        received = ReceivedRequest(request.raw_path, await request.read(), request.headers.get("Content-Type"))
        self.requests.append(received)
        running = asyncio.ensure_future(self.answers.get(request.path, fine)(received))
        self._running.add(running)
        try:
            status, body = await running
        finally:
            self._running.discard(running)
        return web.Response(status=status, body=body)

    async def stop_answering(self) -> None:
        """Cancel the answers that nobody waits for any more: aiohttp keeps those whose client has gone."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


@asynccontextmanager
async def opened() -> AsyncIterator[Shop]:
    """Open a shop on any free port."""
    shop = Shop()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield shop
    finally:
        await runner.cleanup()
        await shop.stop_answering()
