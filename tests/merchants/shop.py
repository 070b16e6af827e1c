"""A merchant in the test's own loop that answers what the test wants and keeps what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

Json = dict[str, Any]


@dataclass
class Asked:
    """One request: path and query as they came, body as bytes, and what its Content-Type says the body is."""

    path: str
    body: bytes
    declared: str | None = None

    @property
    def said(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


Answer = Callable[[Asked], Awaitable[tuple[int, bytes]]]


async def fine(_asked: Asked) -> tuple[int, bytes]:
    """Answer 200 without a body."""
    return 200, b""


def always(status: int, body: bytes | Json = b"") -> Answer:
    """Return an answer that is always the same."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)

    async def answer(_asked: Asked) -> tuple[int, bytes]:
        return status, raw

    return answer


def in_turn(*statuses: int) -> Answer:
    """Return an answer that goes through statuses and stays with the last one."""
    left = list(statuses)

    async def answer(_asked: Asked) -> tuple[int, bytes]:
        return (left.pop(0) if len(left) > 1 else left[0]), b""

    return answer


@dataclass
class Shop:
    """Where the shop is, what it answers at which path, and what it was asked, in order."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def at(self, path: str) -> list[Asked]:
        """Return what was asked at a path, query aside."""
        return [asked for asked in self.asked if asked.path.partition("?")[0] == path]

    async def handle(self, request: web.Request) -> web.Response:
        """Keep a request and answer it."""
        asked = Asked(request.raw_path, await request.read(), request.headers.get("Content-Type"))
        self.asked.append(asked)
        status, body = await self.answers.get(request.path, fine)(asked)
        return web.Response(status=status, body=body)


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
