"""Waiting for the journal, and reading points in time."""

from datetime import UTC, datetime

from mock_klarna.domain.clock import require_reachable
from mock_klarna.domain.errors import InvalidInput
from mock_klarna.domain.journal import Entry, Watch
from mock_klarna.domain.problems import Problem
from mock_klarna.web.desk import Desk


async def entries(desk: Desk, wanted: Watch, after: int, limit: int, seconds: float) -> list[Entry]:
    """Return journal entries after a position, waiting up to so many real seconds for the first one."""
    store = desk.emulator.store
    deadline = desk.emulator.context.real_time() + seconds
    topic = Watch(merchant=wanted.merchant, purchase_id=wanted.purchase_id)
    while True:
        position = await store.position()
        found = await store.entries(wanted, after, limit)
        left = deadline - desk.emulator.context.real_time()
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
