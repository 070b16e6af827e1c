"""A purchase as a file: the dashboard's view of it in one HTML file, and an HTTP Archive.

Both have the journal of the purchase as the API returns it. Programs can read it: docs/dashboard.md describes the data.
"""

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any

import orjson

from mock_klarna import __version__
from mock_klarna.domain.journal import LAST_POSITION, Entry, JournalFilter
from mock_klarna.domain.time import moment
from mock_klarna.store.base import Store
from mock_klarna.validation import write_json
from mock_klarna.web import har, views
from mock_klarna.web.access import control_url
from mock_klarna.web.journal import FIRST_PAGE, next_page, page_calls, sorted_entries
from mock_klarna.web.request import HTML, JSON, ApiRequest, ApiResponse, Services
from mock_klarna.web.static_files import BUNDLER

Json = dict[str, Any]
MAX_ENTRIES = 1000
MAX_BYTES = 2 << 20
"""Bounds of the entries in a file; half of each is for the first entries, half for the last."""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body class="exported">
<noscript>This file needs JavaScript. The text of the element with the id "export" has its data as JSON.</noscript>
<script type="application/json" id="export">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class _Recording:
    """What a file has of a purchase: the entries of its journal, and the members beside them."""

    entries: list[Entry]
    about: Json

    @property
    def purchase_id(self) -> str:
        """The id of the purchase."""
        return str(self.about["purchase"]["purchase_id"])


async def as_html(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a purchase as one HTML file with the dashboard's view of it, which needs neither network nor server."""
    recording = await _record(services, request)
    files = (await BUNDLER.current()).files
    script, style = (files[f"dashboard/{name}"].plain.decode() for name in ("exported.js", "dashboard.css"))
    policy = _POLICY.format(script=_digest(script), style=_digest(style))
    data = await asyncio.to_thread(_embedded, recording)
    title = escape(f"Purchase {recording.purchase_id}")
    page = _PAGE.format(policy=policy, title=title, style=style, data=data, script=script)
    headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'", "Referrer-Policy": "no-referrer"}
    return _file(page.encode(), f"{HTML}; charset=utf-8", f"{recording.purchase_id}.html", headers)


async def as_har(services: Services, request: ApiRequest) -> ApiResponse:
    """Return every exchange of a purchase and every callback as an HTTP Archive (HAR) 1.2."""
    recording = await _record(services, request)
    about, left_out = recording.about, recording.about["left_out"]
    comment = f"purchase {recording.purchase_id}; times are those of the merchant's clock"
    if left_out:
        comment += f"; {left_out['count']} entries are left out: {left_out['reason']}"
    log = await asyncio.to_thread(har.archive, recording.entries, about, about["url"], comment)
    return _file(write_json(log), JSON, f"{recording.purchase_id}.har")


def _file(content: bytes, media: str, name: str, headers: dict[str, str] | None = None) -> ApiResponse:
    disposition = {"Content-Disposition": f'inline; filename="purchase-{name}"', "Cache-Control": "no-store"}
    return ApiResponse(200, content, {"Content-Type": media, **disposition, **(headers or {})})


def _digest(text: str) -> str:
    """Return the hash by which a policy allows an inline script or style sheet."""
    return b64encode(sha256(text.encode()).digest()).decode()


def _embedded(recording: _Recording) -> str:
    """Return the data as JSON that can stand in an HTML script element: nothing in it ends the element or starts a comment."""
    entries = [views.entry(entry) for entry in recording.entries]
    text = orjson.dumps({"entries": entries, **recording.about}).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


async def _record(services: Services, request: ApiRequest) -> _Recording:
    """Return the recording of the purchase in the path; raises `UnknownName`."""
    emulator = services.emulator
    purchase = await emulator.checkout.find(request.scope, request.path("purchase_id"))
    wanted = JournalFilter(merchant=purchase.merchant, purchase_id=purchase.purchase_id)
    calls = await page_calls(emulator.store, purchase)
    entries, left_out = await _entries(emulator.store, wanted, calls)
    about = {
        "position": max((entry.seq for entry in entries), default=0),
        "dropped": await emulator.store.dropped(purchase.merchant),
        "complete": False,
        "left_out": left_out,
        "purchase": views.purchase(purchase, *await emulator.checkout.with_callbacks(purchase)),
        "url": control_url(request.http, services.settings),
        "version": __version__,
        "exported_at": moment(emulator.context.real_time()),
    }
    return _Recording(entries, about)


async def _entries(store: Store, wanted: JournalFilter, calls: list[Entry]) -> tuple[list[Entry], Json | None]:
    """Return the entries with calls of the page in their order, or the first and the last ones with what is left out between."""
    first, is_all = await _half(store, wanted)
    if is_all:
        return _ordered(first, calls), None
    last, is_all = await _half(store, wanted, after=first[-1].seq, before=LAST_POSITION)
    if is_all:
        return _ordered([*first, *last], calls), None
    start, end = first[-1].seq, last[-1].seq
    count = await _count(store, wanted, start, end)
    first = _ordered(first, [call for call in calls if call.seq < end])
    last = _ordered(last, [call for call in calls if call.seq > end])
    reason = f"a file has at most {MAX_ENTRIES:,} entries and about {MAX_BYTES >> 20} MB of the journal"
    return [*first, *last], {"count": count, "after": first[-1].seq, "reason": reason}


def _ordered(entries: list[Entry], calls: list[Entry]) -> list[Entry]:
    return sorted_entries(sorted([*entries, *calls], key=lambda entry: entry.seq), None)


async def _half(
    store: Store, wanted: JournalFilter, after: int = 0, before: int | None = None
) -> tuple[list[Entry], bool]:
    """Return entries up to half of the bounds, and whether there are no more; the newest come first if `before` is given."""
    found: list[Entry] = []
    size, count = 0, FIRST_PAGE
    while True:
        page = await store.entries(wanted, after, count, before=before)
        for entry in page:
            size += entry.size
            if found and (len(found) == MAX_ENTRIES // 2 or size > MAX_BYTES // 2):
                return found, False
            found.append(entry)
        if len(page) < count:
            return found, True
        after, before = (found[-1].seq, None) if before is None else (after, found[-1].seq)
        count = next_page(page)


async def _count(store: Store, wanted: JournalFilter, after: int, before: int) -> int:
    """Return how many entries there are between two positions."""
    number, count = 0, FIRST_PAGE
    while page := [entry for entry in await store.entries(wanted, after, count) if entry.seq < before]:
        number, after, count = number + len(page), page[-1].seq, next_page(page)
    return number
