"""The journal: as a list, one entry, and a stream of server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

import orjson

from mock_klarna.domain.journal import (
    EXCHANGE,
    LAST_POSITION,
    NO_MERCHANT,
    Entry,
    Exchange,
    JournalFilter,
    in_order_of_time,
)
from mock_klarna.domain.records import Purchase
from mock_klarna.domain.time import moment
from mock_klarna.errors import UnknownName
from mock_klarna.store.base import Store
from mock_klarna.web import views
from mock_klarna.web.request import EVENT_STREAM, JSON, ApiRequest, ApiResponse, Services, json_response, position
from mock_klarna.web.streams import PART_BYTES

_Show = Callable[[Entry], views.Json]


@dataclass(frozen=True, slots=True)
class _Notice:
    """An event of a stream that is no entry; a client that connects again goes on after `position`."""

    position: int
    name: str
    data: views.Json


_Pages = AsyncGenerator[list[Entry] | _Notice]
_HEARTBEAT_SECONDS = 15.0
FIRST_PAGE = 20
"""How many entries are read first, when nothing is known of their size."""
_LARGEST_PAGE = 200
_PAGE_BYTES = 256 << 10
"""About how large the entries of a page are; a client that does not read keeps one page in this process."""
_MAX_OF_INTERVAL = 100
"""How many entries the stream sends for each interval; of more it sends only the position after them."""
_STREAM_HEADERS = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_LAST_EVENT = (
    b'event: disconnected\ndata: {"reason":"the client reads too slowly; connect again with Last-Event-ID"}\n\n'
)


async def list_entries(services: Services, request: ApiRequest) -> ApiResponse:
    """Return what happened, in order; with `wait`, wait so many seconds for the first entry that matches.

    The parameters `after`, `limit` and `order` select entries by when they were recorded, and those of an answer are sorted by when
    they began: a request and a callback are recorded when they end.
    """
    wanted, after, limit = _filter(request), request.query["after"], request.query["limit"]
    show, before = _shown(request), request.query["before"]
    if before is None and request.query["order"] == "newest":
        before = LAST_POSITION
    newest_dropped = await services.emulator.store.newest_dropped(wanted.merchant)
    first = await find_entries(services, wanted, after, min(limit, _LARGEST_PAGE), request.query["wait"], before)
    is_all = len(first) == limit or len(first) < _LARGEST_PAGE
    if not is_all or sum(entry.size for entry in first) > _PAGE_BYTES:
        stream = _listed(services, wanted, after, limit, before, show, newest_dropped)
        return ApiResponse(200, headers={"Content-Type": JSON}, stream=stream)
    return json_response(
        {
            "entries": [show(entry) for entry in sorted_entries(first, before)],
            "position": max((entry.seq for entry in first), default=after),
            "dropped": await services.emulator.store.dropped(wanted.merchant),
            "newest_dropped": newest_dropped,
            "complete": _is_unfiltered(wanted, after) and len(first) < limit,
        }
    )


def _is_unfiltered(wanted: JournalFilter, after: int) -> bool:
    return after == 0 and wanted == JournalFilter(merchant=wanted.merchant)


def sorted_entries(entries: list[Entry], before: int | None) -> list[Entry]:
    """Return entries sorted by when they began, in the direction in which they are given: `before` is None for oldest first."""
    if before is None:
        return in_order_of_time(entries, _when)
    return in_order_of_time(reversed(entries), _when)[::-1]


def _when(entry: Entry) -> tuple[str, str, float]:
    return entry.kind, entry.name, entry.at


async def _listed(
    services: Services,
    wanted: JournalFilter,
    after: int,
    limit: int,
    before: int | None,
    show: _Show,
    newest_dropped: int,
) -> AsyncGenerator[bytes]:
    """Yield the parts of a long list of entries; a page is sorted together with the one that follows it."""
    start, count, position = b'{"entries":[', FIRST_PAGE, after
    is_unfiltered = _is_unfiltered(wanted, after)
    entries, sorted_page = services.emulator.store.entries, list[Entry]()
    while limit > 0 and (page := await entries(wanted, after, min(limit, count), before=before)):
        position = max(position, page[0].seq, page[-1].seq)
        after, before = (page[-1].seq, None) if before is None else (after, page[-1].seq)
        limit, count = limit - len(page), next_page(page)
        both = sorted_entries([*sorted_page, *page], before)
        complete, sorted_page = both[: len(sorted_page)], both[len(sorted_page) :]
        for part in _joined(orjson.dumps(show(entry)) for entry in complete):
            yield start + b",".join(part)
            start = b","
    for part in _joined(orjson.dumps(show(entry)) for entry in sorted_page):
        yield start + b",".join(part)
        start = b","
    dropped = await services.emulator.store.dropped(wanted.merchant)
    is_complete = b"true" if is_unfiltered and limit > 0 else b"false"
    yield (b"" if start == b"," else start) + b'],"position":%d,"dropped":%d,"newest_dropped":%d,"complete":%b}' % (
        position,
        dropped,
        newest_dropped,
        is_complete,
    )


def next_page(page: list[Entry]) -> int:
    """Return how many entries of the size of these are a page."""
    size = sum(entry.size for entry in page)
    return max(1, min(_LARGEST_PAGE, len(page) * _PAGE_BYTES // size)) if size else FIRST_PAGE


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
            f"the journal has no entry {request.path('seq')[:40]!r}",
            where="seq",
            hint="it may have been dropped or reset; GET /_mock/journal lists those that there are",
        )
    return json_response(views.entry(entry))


PAGE_CALLS = ("sdk_load", "sdk_problem")
"""Calls of the page that are about a button, and so about no purchase."""
_BEFORE_PURCHASE = 3600.0
"""Seconds before a purchase from which on calls of the page belong to it."""
_MAX_CALLS = 200
_MAX_EARLIER = 5


def is_of_page(entry: views.Json, purchase: Purchase) -> bool:
    """Return whether a call or a problem of the page is about the button of a purchase, and not long before the purchase."""
    body = entry["request_body"]
    if not isinstance(body, dict) or entry["at"] < moment(purchase.created_at - _BEFORE_PURCHASE):
        return False
    options = body.get("options")
    setup = options.get("setup") if isinstance(options, dict) else body
    return isinstance(setup, dict) and setup.get("key") == purchase.button_key


async def page_calls(store: Store, purchase: Purchase) -> list[Entry]:
    """Return the last calls of the page before a purchase, and those after it that went wrong, by position.

    The entries of the journal name no purchase: they are about its button.
    """
    key = purchase.button_key.encode()
    earlier, later = list[Entry](), list[Entry]()
    for name in PAGE_CALLS:
        wanted = JournalFilter(merchant=purchase.merchant, kind=EXCHANGE, name=name)
        for entry in await store.entries(wanted, 0, _MAX_CALLS, before=LAST_POSITION):
            data = entry.data
            if (
                not isinstance(data, Exchange)
                or key not in data.request_body
                or not is_of_page(views.entry(entry), purchase)
            ):
                continue
            if entry.at <= purchase.created_at:
                earlier.append(entry)
            elif data.status >= 400 or data.problems or name == "sdk_problem":
                later.append(entry)
    earlier.sort(key=lambda entry: entry.seq)
    return sorted([*earlier[-_MAX_EARLIER:], *later], key=lambda entry: entry.seq)


async def list_page_calls(services: Services, request: ApiRequest) -> ApiResponse:
    """Return what the page called for the button of a purchase: the last calls before it, and later ones that went wrong."""
    purchase = await services.emulator.checkout.find(request.scope, request.path("purchase_id"))
    found = await page_calls(services.emulator.store, purchase)
    position = max((entry.seq for entry in found), default=0)
    return json_response({"entries": [views.entry(entry) for entry in found], "position": position})


async def stream_entries(services: Services, request: ApiRequest) -> ApiResponse:
    """Stream the journal as server-sent events, from `after` or the header `Last-Event-ID` on, until the client goes."""
    after = request.query["after"]
    if after is None:
        after = await _last_seen(services.emulator.store, request)
    wanted, interval = _filter(request), request.query["interval"]
    pages = _portions(services, wanted, after, interval) if interval else _pages(services, wanted, after)
    return ApiResponse(200, headers=dict(_STREAM_HEADERS), stream=_events(pages, _shown(request)), last=_LAST_EVENT)


async def _last_seen(store: Store, request: ApiRequest) -> int:
    """Return the position in `Last-Event-ID`, or 0 for one that is still to come: it is of a server that was started again."""
    seen = position(request.http.headers.get("Last-Event-ID", "")) or 0
    return seen if seen and seen <= await store.position() else 0


async def find_entries(
    services: Services, wanted: JournalFilter, after: int, limit: int, seconds: float, before: int | None = None
) -> list[Entry]:
    """Return journal entries as the store does; wait up to so many real seconds for the first one, or for a reset."""
    store, clock = services.emulator.store, asyncio.get_running_loop().time
    deadline = clock() + seconds
    with store.watching(wanted) as watching:
        while True:
            found = await store.entries(wanted, after, limit, before=before)
            left = deadline - clock()
            if found or left <= 0 or watching.is_cleared:
                return found
            await watching.wait(left)


def _shown(request: ApiRequest) -> _Show:
    """Return what shows an entry in the requested detail."""
    return views.entry if request.query["detail"] == "full" else views.entry_summary


def _filter(request: ApiRequest) -> JournalFilter:
    return JournalFilter(
        merchant=request.scope,
        purchase_id=request.query["purchase_id"],
        kind=request.query["kind"],
        name=request.query["name"],
        status=request.query["status"],
        correlation_id=request.query["correlation_id"],
    )


async def _events(pages: _Pages, show: _Show) -> AsyncGenerator[bytes]:
    async with aclosing(pages):
        async for page in pages:
            if isinstance(page, _Notice):
                yield _event(page.position, page.name, page.data)
            elif page:
                for part in _joined(_event(entry.seq, entry.kind, show(entry)) for entry in page):
                    yield b"".join(part)
            else:
                yield b": still here\n\n"


class _Losses:
    """What the journal drops of a merchant, or of all, before a stream has sent it: its client reads too slowly."""

    def __init__(self, services: Services, wanted: JournalFilter) -> None:
        self._store, self._merchant = services.emulator.store, wanted.merchant
        self._known = 0

    async def notice(self, after: int) -> _Notice | None:
        """Return what tells a client that entries after a position were dropped, once for each."""
        newest = await self._store.newest_dropped(self._merchant)
        if newest <= max(after, self._known):
            return None
        self._known = newest
        dropped = await self._store.dropped(self._merchant)
        return _Notice(after, "dropped", {"after": after, "newest_dropped": newest, "dropped": dropped})

    async def ignore(self) -> None:
        """Ignore what was dropped up to now: nothing of it was to be sent."""
        self._known = await self._store.newest_dropped(self._merchant)


async def _pages(services: Services, wanted: JournalFilter, after: int) -> _Pages:
    """Yield the entries after a position as soon as they are recorded, and an empty page if there are none for a while."""
    count, seen, losses = FIRST_PAGE, after, _Losses(services, wanted)
    while True:
        if lost := await losses.notice(after):
            yield lost
        page = await find_entries(services, wanted, after, count, _HEARTBEAT_SECONDS)
        if not page:
            await losses.ignore()
        yield page
        if page:
            after, count = page[-1].seq, next_page(page)
        else:
            after = max(after, seen)
            seen = await services.emulator.store.position()  # no entry up to it matches, unless the next look finds one


async def _portions(services: Services, wanted: JournalFilter, after: int, interval: float) -> _Pages:
    """Yield what was recorded after a position, at most once in each interval; of too many entries the position of the last.

    Between two portions nothing waits for entries, so that they cost nothing when they are recorded.
    """
    losses = _Losses(services, wanted)
    while True:
        if lost := await losses.notice(after):
            yield lost
        newest = await find_entries(
            services, wanted, after, _MAX_OF_INTERVAL + 1, _HEARTBEAT_SECONDS, before=LAST_POSITION
        )
        if not newest:
            await losses.ignore()
        after = newest[0].seq if newest else after
        yield _Notice(after, "skipped", {"position": after}) if len(newest) > _MAX_OF_INTERVAL else newest[::-1]
        await asyncio.sleep(interval if newest else 0)


def _event(seq: int, kind: str, data: views.Json) -> bytes:
    return f"id: {seq}\nevent: {kind}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"
