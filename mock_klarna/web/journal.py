"""The journal as server-sent events (`GET /_mock/events`)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import orjson

from mock_klarna.domain.journal import Entry, JournalFilter
from mock_klarna.domain.time import require_reachable
from mock_klarna.errors import InvalidInput, Problem
from mock_klarna.web import query, views
from mock_klarna.web.query import LAST_POSITION
from mock_klarna.web.request import EVENT_STREAM, Call, Reply, Services


async def entries(services: Services, wanted: JournalFilter, after: int, limit: int, seconds: float) -> list[Entry]:
    """Return journal entries after a position, waiting up to so many real seconds for the first one."""
    store = services.emulator.store
    deadline = services.emulator.context.real_time() + seconds
    topic = JournalFilter(merchant=wanted.merchant, purchase_id=wanted.purchase_id)
    while True:
        position = await store.position()
        found = await store.entries(wanted, after, limit)
        left = deadline - services.emulator.context.real_time()
        if found or left <= 0:
            return found
        await store.wait(topic, position, left)


def parsed(text: str) -> float:
    """Return an RFC 3339 time in UTC as seconds; raises `InvalidInput` for one that is none or beyond all clocks."""
    try:
        moment = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        raise InvalidInput([Problem("set", "date", text, "a time such as 2026-01-01T00:00:00Z")]) from None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    require_reachable(seconds, "set", text)
    return seconds


_HEARTBEAT_SECONDS = 15.0
_BATCH = 200
_HEADERS = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def events(services: Services, call: Call) -> Reply:
    """Stream the journal as server-sent events, from `after` or the header `Last-Event-ID` on, until the client goes."""
    wanted = query.watch(call.request)
    after = query.whole(call.request, "after", _last_seen(call), LAST_POSITION)
    return Reply(200, headers=dict(_HEADERS), stream=_told(services, wanted, after))


def _last_seen(call: Call) -> int:
    seen = call.request.headers.get("Last-Event-ID", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else 0


async def _told(services: Services, wanted: JournalFilter, after: int) -> AsyncIterator[bytes]:
    while True:
        found = await entries(services, wanted, after, _BATCH, _HEARTBEAT_SECONDS)
        yield b"".join(map(_event, map(views.entry, found))) or b": still here\n\n"
        after = found[-1].seq if found else after


def _event(entry: dict[str, object]) -> bytes:
    return f"id: {entry['seq']}\nevent: {entry['kind']}\ndata: ".encode() + orjson.dumps(entry) + b"\n\n"
