"""The state in the SQL engines as the portions of a snapshot. It is read with a connection of its own, so that nothing waits."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Protocol

from mock_klarna.domain.journal import NO_MERCHANT
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.sql import MERCHANTS
from mock_klarna.store.sql_rows import Row, job_of_row, record_of, storable

_RECORDS = "SELECT kind, body FROM records WHERE merchant = $1 ORDER BY kind, position"
_JOBS = "SELECT due, merchant, kind, subject, number FROM jobs WHERE merchant = $1 ORDER BY due, position"
_COUNTERS = "SELECT name, value FROM counters WHERE merchant = $1 ORDER BY name"


class Session(Protocol):
    """A connection that only one dump uses."""

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""
        ...

    def pages(self, statement: str, *values: Any) -> AsyncIterator[Sequence[Row]]:
        """Execute one statement and yield its rows, a few at a time."""
        ...


async def read_state(session: Session, merchants: Sequence[str] | None) -> AsyncGenerator[Portion]:
    """Yield the state of some merchants, or of all; the session must show it as it was at one moment."""
    wanted = None if merchants is None else set(map(storable, merchants))
    for name in [NO_MERCHANT, *(row[0] for row in await session.fetch(MERCHANTS))]:
        if wanted is None or name in wanted:
            has_records = False
            async for page in session.pages(_RECORDS, name):
                has_records = True
                yield Portion(name, [record_of(kind, body) for kind, body in page])
            if has_records or name != NO_MERCHANT:
                async for page in session.pages(_JOBS, name):
                    yield Portion(name, jobs=list(map(job_of_row, page)))
                yield Portion(name, counters=dict(map(tuple, await session.fetch(_COUNTERS, name))))
