"""The journal as server-sent events (`GET /_mock/events`)."""

from collections.abc import AsyncIterator

import orjson

from mock_klarna.domain.journal import Watch
from mock_klarna.web import moments, query, render
from mock_klarna.web.call import EVENT_STREAM, Call, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.parameters import LAST_POSITION

_HEARTBEAT_SECONDS = 15.0
_BATCH = 200
_HEADERS = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def events(desk: Desk, call: Call) -> Reply:
    """Stream the journal as server-sent events, from `after` or the header `Last-Event-ID` on, until the client goes."""
    wanted = query.watch(call.request)
    after = query.whole(call.request, "after", _last_seen(call), LAST_POSITION)
    return Reply(200, headers=dict(_HEADERS), stream=_told(desk, wanted, after))


def _last_seen(call: Call) -> int:
    seen = call.request.headers.get("Last-Event-ID", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else 0


async def _told(desk: Desk, wanted: Watch, after: int) -> AsyncIterator[bytes]:
    while True:
        found = await moments.entries(desk, wanted, after, _BATCH, _HEARTBEAT_SECONDS)
        yield b"".join(map(_event, map(render.entry, found))) or b": still here\n\n"
        after = found[-1].seq if found else after


def _event(entry: dict[str, object]) -> bytes:
    return f"id: {entry['seq']}\nevent: {entry['kind']}\ndata: ".encode() + orjson.dumps(entry) + b"\n\n"
