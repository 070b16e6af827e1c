"""Answers that no shop should give. Each decides nothing about the purchase; any callback URL may ask for them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from aiohttp import web

Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
_LOOK_SECONDS = 0.5
_CHUNK = b"x" * 16384


async def silent(_request: web.Request) -> web.StreamResponse:
    """Answer 200 and do nothing."""
    return web.Response()


async def error(_request: web.Request) -> web.StreamResponse:
    """Answer 500."""
    return web.Response(status=500, text="the demo shop was asked to fail\n")


async def garbage(_request: web.Request) -> web.StreamResponse:
    """Answer 200 with something that says it is JSON and is not."""
    return web.Response(body=b'{"order_lines": [\xff\xfe', content_type="application/json")


async def broken(request: web.Request) -> web.StreamResponse:
    """Answer with something that is no HTTP at all, and hang up."""
    if request.transport is not None:
        request.transport.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        request.transport.close()
    return web.Response()


async def redirect(_request: web.Request) -> web.StreamResponse:
    """Answer 302 to the product page."""
    return web.Response(status=302, headers={"Location": "/"})


async def endless(request: web.Request) -> web.StreamResponse:
    """Answer 200 with a body that goes on until Klarna hangs up."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):  # that is how it ends
        while _is_waited_for(request):
            await response.write(_CHUNK)
    return response


async def hang(request: web.Request) -> web.StreamResponse:
    """Do not answer until Klarna hangs up."""
    while _is_waited_for(request):  # noqa: ASYNC110  # aiohttp raises no event when the other side hangs up
        await asyncio.sleep(_LOOK_SECONDS)
    return web.Response()


def _is_waited_for(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


MISBEHAVIOURS: Mapping[str, Misbehaviour] = {
    each.__name__: each for each in (silent, error, garbage, broken, redirect, endless, hang)
}
"""By the name that `then` asks for."""
