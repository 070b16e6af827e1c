"""What the rules find in the journals of merchants."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mock_klarna.domain.journal import Entry, JournalFilter
from mock_klarna.web import views
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response

if TYPE_CHECKING:
    from mock_klarna.certify import Gaps, RuleResult

_PAGE = 1000
_AT_ONCE = 50
"""So many entries are made readable before other threads may run."""
_PAUSE_SECONDS = 0.0005


async def find(services: Services, request: ApiRequest) -> ApiResponse:
    """Judge the merchant's journal, or the journals of all merchants, by the rules of `certify`."""
    from mock_klarna.certify import Gaps, report  # only few tests ask for findings

    store = services.emulator.store
    merchants = [request.scope] if request.scope is not None else await store.merchants()
    results = []
    for merchant in sorted(merchants):
        entries = await _entries(services, merchant)
        gaps = Gaps(dropped=await store.dropped(merchant))
        results += await asyncio.to_thread(_judge, merchant, entries, gaps)
    return json_response(await asyncio.to_thread(report, results))


async def _entries(services: Services, merchant: str) -> list[Entry]:
    found: list[Entry] = []
    while page := await services.emulator.store.entries(
        JournalFilter(merchant=merchant), found[-1].seq if found else 0, _PAGE
    ):
        found += page
    return found


def _judge(merchant: str, entries: Sequence[Entry], gaps: "Gaps") -> "list[RuleResult]":
    """Return the results of the rules. The thread pauses often, so that the event loop need not wait until it is interrupted."""
    from mock_klarna.certify import RULES, Traffic, judge

    traffic = Traffic(merchant, _shown(entries), gaps)
    results = []
    for rule in RULES:
        results += judge(traffic, [rule])
        time.sleep(_PAUSE_SECONDS)
    return results


def _shown(entries: Sequence[Entry]) -> Iterable[dict[str, object]]:
    for at in range(0, len(entries), _AT_ONCE):
        yield from map(views.entry, entries[at : at + _AT_ONCE])
        time.sleep(_PAUSE_SECONDS)
