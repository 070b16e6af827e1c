"""The journal as server-sent events (`GET /_mock/events`)."""

from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.web import moments, query, render
from mock_klarna.web.desk import Desk
from mock_klarna.web.refusals import misuse

_HEARTBEAT_SECONDS = 15.0
_BATCH = 200
_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def stream(desk: Desk) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler that streams the journal from `after` or `Last-Event-ID` on, until the client goes."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            wanted = query.watch(request)
            after = query.whole(request, "after", _last_seen(request), 1 << 62)
        except MockKlarnaError as fault:
            reply = misuse(fault)
            return web.Response(status=reply.status, body=reply.body, content_type="application/json")
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        while request.method != "HEAD":
            found = await moments.entries(desk, wanted, after, _BATCH, _HEARTBEAT_SECONDS)
            await response.write(b"".join(map(_event, map(render.entry, found))) or b": still here\n\n")
            after = found[-1].seq if found else after
        return response

    return handle


def _last_seen(request: web.Request) -> int:
    seen = request.headers.get("Last-Event-ID", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else 0


def _event(entry: dict[str, object]) -> bytes:
    return f"id: {entry['seq']}\nevent: {entry['kind']}\ndata: ".encode() + orjson.dumps(entry) + b"\n\n"
