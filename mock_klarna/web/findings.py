"""What the rules find in the journals of merchants."""

import asyncio
from collections.abc import Sequence

from mock_klarna.domain.journal import Entry, JournalFilter
from mock_klarna.web import views
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response

_PAGE = 1000


async def find(services: Services, request: ApiRequest) -> ApiResponse:
    """Judge the merchant's journal, or the journals of all merchants, by the rules of `certify`."""
    from mock_klarna.certify import Gaps, Traffic, judge, report  # only few tests ask for findings

    store = services.emulator.store
    merchants = [request.scope] if request.scope is not None else await store.merchants()
    results = []
    for merchant in sorted(merchants):
        entries = await _entries(services, merchant)
        dropped = await store.dropped(merchant)
        shown = await asyncio.to_thread(_shown, entries)
        results += await asyncio.to_thread(judge, Traffic(merchant, shown, Gaps(dropped=dropped)))
    return json_response(report(results))


async def _entries(services: Services, merchant: str) -> list[Entry]:
    found: list[Entry] = []
    while page := await services.emulator.store.entries(
        JournalFilter(merchant=merchant), found[-1].seq if found else 0, _PAGE
    ):
        found += page
    return found


def _shown(entries: Sequence[Entry]) -> list[dict[str, object]]:
    return [views.entry(entry) for entry in entries]
