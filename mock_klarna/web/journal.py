"""The journal: as a list, one entry, and a stream of server-sent events."""

import asyncio
from collections.abc import AsyncGenerator

import orjson

from mock_klarna.domain.journal import NO_MERCHANT, Entry, JournalFilter
from mock_klarna.errors import UnknownName
from mock_klarna.web import views
from mock_klarna.web.request import EVENT_STREAM, ApiRequest, ApiResponse, Services, json_response, position

_HEARTBEAT_SECONDS = 15.0
_BATCH = 200
_STREAM_HEADERS = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def list_entries(services: Services, request: ApiRequest) -> ApiResponse:
    """Return what happened, in order; with `wait`, wait so many seconds for the first entry that matches."""
    wanted, after = _filter(request), request.query["after"]
    entries = await find_entries(services, wanted, after, request.query["limit"], request.query["wait"])
    return json_response(
        {
            "entries": [views.entry(entry) for entry in entries],
            "position": entries[-1].seq if entries else after,
            "dropped": await services.emulator.store.dropped(wanted.merchant),
        }
    )


async def get_entry(services: Services, request: ApiRequest) -> ApiResponse:
    """Return one entry of the journal, with every problem that was found; another merchant's is not found."""
    seq = position(request.path("seq"))
    entry = await services.emulator.store.entry(seq) if seq is not None else None
    if entry is None or (request.merchant not in (NO_MERCHANT, entry.merchant) and entry.merchant != NO_MERCHANT):
        raise UnknownName(
            f"the journal has no entry {request.path('seq')[:40]!r} any more",
            where="seq",
            hint="GET /_mock/journal lists them",
        )
    return json_response(views.entry(entry))


async def stream_entries(services: Services, request: ApiRequest) -> ApiResponse:
    """Stream the journal as server-sent events, from `after` or the header `Last-Event-ID` on, until the client goes."""
    after = request.query["after"]
    if after is None:
        after = position(request.http.headers.get("Last-Event-ID", "")) or 0
    return ApiResponse(200, headers=dict(_STREAM_HEADERS), stream=_events(services, _filter(request), after))


async def find_entries(
    services: Services, wanted: JournalFilter, after: int, limit: int, seconds: float
) -> list[Entry]:
    """Return journal entries after a position; wait up to so many real seconds for the first one."""
    store, clock = services.emulator.store, asyncio.get_running_loop().time
    deadline = clock() + seconds
    with store.watching(wanted) as watching:
        while True:
            found = await store.entries(wanted, after, limit)
            left = deadline - clock()
            if found or left <= 0:
                return found
            await watching.wait(left)


def _filter(request: ApiRequest) -> JournalFilter:
    return JournalFilter(
        merchant=request.scope,
        purchase_id=request.query["purchase_id"],
        kind=request.query["kind"],
        name=request.query["name"],
        status=request.query["status"],
        correlation_id=request.query["correlation_id"],
    )


async def _events(services: Services, wanted: JournalFilter, after: int) -> AsyncGenerator[bytes, None]:
    while True:
        found = await find_entries(services, wanted, after, _BATCH, _HEARTBEAT_SECONDS)
        yield b"".join(map(_event, map(views.entry, found))) or b": still here\n\n"
        after = found[-1].seq if found else after


def _event(entry: dict[str, object]) -> bytes:
    return f"id: {entry['seq']}\nevent: {entry['kind']}\ndata: ".encode() + orjson.dumps(entry) + b"\n\n"
