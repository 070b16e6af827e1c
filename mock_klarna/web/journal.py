"""The journal: as a list, one entry, and a stream of server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator

import orjson

from mock_klarna.domain.journal import NO_MERCHANT, Entry, JournalFilter
from mock_klarna.errors import UnknownName
from mock_klarna.web import views
from mock_klarna.web.request import EVENT_STREAM, JSON, ApiRequest, ApiResponse, Services, json_response, position
from mock_klarna.web.streams import PART_BYTES

_HEARTBEAT_SECONDS = 15.0
_FIRST_PAGE = 20
_LARGEST_PAGE = 200
_PAGE_BYTES = 256 << 10
"""About how large the entries of a page are; a client that does not read keeps one page in this process."""
_STREAM_HEADERS = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_LAST_EVENT = (
    b'event: disconnected\ndata: {"reason":"the client reads too slowly; connect again with Last-Event-ID"}\n\n'
)


async def list_entries(services: Services, request: ApiRequest) -> ApiResponse:
    """Return what happened, in order; with `wait`, wait so many seconds for the first entry that matches."""
    wanted, after, limit = _filter(request), request.query["after"], request.query["limit"]
    first = await find_entries(services, wanted, after, min(limit, _LARGEST_PAGE), request.query["wait"])
    is_all = len(first) == limit or len(first) < _LARGEST_PAGE
    if not is_all or sum(entry.size for entry in first) > _PAGE_BYTES:
        return ApiResponse(200, headers={"Content-Type": JSON}, stream=_listed(services, wanted, after, limit))
    return json_response(
        {
            "entries": [views.entry(entry) for entry in first],
            "position": first[-1].seq if first else after,
            "dropped": await services.emulator.store.dropped(wanted.merchant),
        }
    )


async def _listed(services: Services, wanted: JournalFilter, after: int, limit: int) -> AsyncGenerator[bytes]:
    """Yield the parts of a long list of entries."""
    start, count = b'{"entries":[', _FIRST_PAGE
    while limit > 0 and (page := await services.emulator.store.entries(wanted, after, min(limit, count))):
        after, limit, count = page[-1].seq, limit - len(page), _next_page(page)
        for part in _joined(orjson.dumps(views.entry(entry)) for entry in page):
            yield start + b",".join(part)
            start = b","
    dropped = await services.emulator.store.dropped(wanted.merchant)
    yield (b"" if start == b"," else start) + b'],"position":%d,"dropped":%d}' % (after, dropped)


def _next_page(page: list[Entry]) -> int:
    """Return how many entries of the size of these are a page."""
    size = sum(entry.size for entry in page)
    return max(1, min(_LARGEST_PAGE, len(page) * _PAGE_BYTES // size)) if size else _FIRST_PAGE


def _joined(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield texts in groups of about the size that is written at once."""
    group, size = list[bytes](), 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size >= PART_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


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
    return ApiResponse(
        200, headers=dict(_STREAM_HEADERS), stream=_events(services, _filter(request), after), last=_LAST_EVENT
    )


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


async def _events(services: Services, wanted: JournalFilter, after: int) -> AsyncGenerator[bytes]:
    count, seen = _FIRST_PAGE, after
    while True:
        page = await find_entries(services, wanted, after, count, _HEARTBEAT_SECONDS)
        if page:
            after, count = page[-1].seq, _next_page(page)
            for part in _joined(_event(views.entry(entry)) for entry in page):
                yield b"".join(part)
        else:
            yield b": still here\n\n"
            after = max(after, seen)
            seen = await services.emulator.store.position()  # no entry up to it matches, unless the next look finds one


def _event(entry: dict[str, object]) -> bytes:
    return f"id: {entry['seq']}\nevent: {entry['kind']}\ndata: ".encode() + orjson.dumps(entry) + b"\n\n"
