"""A proxy that sends each request to the next one of several servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import aiohttp
from aiohttp import web

_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@asynccontextmanager
async def forwarding(urls: list[str]) -> AsyncIterator[str]:
    """Run a proxy in front of servers and give its URL."""
    runner = web.AppRunner(_proxy(urls), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _proxy(urls: list[str]) -> web.Application:
    targets = cycle(urls)

    async def forward(request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        body = await request.read()
        url = f"{next(targets)}{request.raw_path}"
        session = request.app[_SESSION]
        try:
            async with session.request(
                request.method, url, headers=headers, data=body or None, allow_redirects=False
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
                return web.Response(status=answer.status, headers=kept, body=await answer.read())
        except aiohttp.ServerDisconnectedError:  # a requested fault: the client sees the same
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            auto_decompress=False, connector=aiohttp.TCPConnector(limit=0, force_close=True)
        ) as opened:
            app[_SESSION] = opened
            yield

    app = web.Application(client_max_size=1 << 30)
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


_SESSION = web.AppKey("session", aiohttp.ClientSession)
