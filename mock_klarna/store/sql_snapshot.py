"""Snapshots in the SQL engines: the state is read in portions, and a new one is staged before it replaces the old one.

Both use a connection of their own, so that other requests do not wait for them. Staging tables are temporary.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from mock_klarna.domain.journal import NO_MERCHANT
from mock_klarna.domain.records import Merchant
from mock_klarna.errors import MockKlarnaError
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.sql import MERCHANTS
from mock_klarna.store.sql_rows import Row, job_columns, job_of_row, record_of, record_row, storable

_RECORDS = "SELECT kind, body FROM records WHERE merchant = $1 ORDER BY kind, position"
_JOBS = "SELECT due, merchant, kind, subject, number FROM jobs WHERE merchant = $1 ORDER BY due, position"
_COUNTERS = "SELECT name, value FROM counters WHERE merchant = $1 ORDER BY name"
_COLUMNS: Mapping[str, Sequence[str]] = {
    "records": ("kind", "key", "alias", "merchant", "subject", "version", "owner", "body"),
    "jobs": ("merchant", "job_id", "due", "kind", "subject", "number"),
    "counters": ("merchant", "name", "value"),
    "merchants": ("name", "clock_offset"),
}
_STAGING_TABLES = (
    """CREATE TEMPORARY TABLE staged_records (position {serial_key}, kind TEXT, key TEXT, alias TEXT, merchant TEXT, subject TEXT,
        version {integer}, owner TEXT, body {bytes})""",
    """CREATE TEMPORARY TABLE staged_jobs (position {serial_key}, merchant TEXT, job_id TEXT, due {real}, kind TEXT, subject TEXT,
        number {integer})""",
    "CREATE TEMPORARY TABLE staged_counters (merchant TEXT, name TEXT, value {integer})",
    "CREATE TEMPORARY TABLE staged_merchants (position {serial_key}, name TEXT, clock_offset {real})",
)
_TWICE = """
SELECT kind, name FROM (SELECT kind, key AS name FROM staged_records
    UNION ALL SELECT kind, alias FROM staged_records WHERE alias IS NOT NULL) AS names
GROUP BY kind, name HAVING count(*) > 1 LIMIT 1"""
_DROP_OLD_CALLBACKS = """
DELETE FROM staged_records WHERE position IN (SELECT position FROM (
    SELECT position, row_number() OVER (PARTITION BY merchant ORDER BY position DESC) AS age
    FROM staged_records WHERE kind = 'callback') AS callbacks WHERE age > $1)"""
_TAKEN = " UNION ALL ".join(
    f"SELECT r.kind, s.{staged} AS name, r.merchant FROM staged_records AS s CROSS JOIN records AS r "
    f"WHERE r.kind = s.kind AND r.{stored} = s.{staged} AND r.merchant NOT IN (SELECT name FROM staged_merchants)"
    for staged in ("key", "alias")
    for stored in ("key", "alias")
)
_REPLACE = (
    *(
        f"DELETE FROM {table} WHERE merchant IN (SELECT name FROM staged_merchants)"
        for table in ("records", "jobs", "counters", "journal")
    ),
    "DELETE FROM merchants WHERE name IN (SELECT name FROM staged_merchants)",
)
_INSERT = tuple(
    f"INSERT INTO {table} ({', '.join(_COLUMNS[table])}) SELECT {', '.join(_COLUMNS[table])} FROM staged_{table} {rest}"
    for table, rest in (
        ("records", "ORDER BY position"),
        (
            "jobs",
            "WHERE position IN (SELECT max(position) FROM staged_jobs GROUP BY merchant, job_id) ORDER BY position",
        ),
        ("counters", ""),
    )
)
_BATCH_ROWS, _BATCH_BYTES = 500, 1 << 20


class Session(Protocol):
    """A connection that only one dump or load uses."""

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""
        ...

    def pages(self, statement: str, *values: Any) -> AsyncIterator[Sequence[Row]]:
        """Execute one statement and yield its rows, a few at a time."""
        ...

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows into a staging table."""
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


class Staging:
    """A new state in staging tables.

    types: the engine's names of column types. insert_merchants: its statement that inserts the staged merchants.
    """

    def __init__(self, session: Session, types: Mapping[str, str], insert_merchants: str) -> None:
        self._session = session
        self._types = types
        self._insert_merchants = insert_merchants
        self._rows: dict[str, list[Row]] = {"records": [], "jobs": [], "counters": []}
        self._bytes = 0

    async def fill(self, portions: AsyncIterator[Portion], most_callbacks: int) -> None:
        """Stage portions, of callbacks the newest; raises `MockKlarnaError` if two records have the same key or alias."""
        for table in _STAGING_TABLES:
            await self._session.fetch(table.format_map(self._types))
        clocks: dict[str, float] = {}
        async for portion in portions:
            name = storable(portion.merchant)
            clocks.setdefault(name, 0.0)
            for record in portion.records:
                row = record_row(record, "")
                self._bytes += len(row.body)
                self._rows["records"].append(row)
                if isinstance(record, Merchant):
                    clocks[name] = record.clock_offset
            self._rows["jobs"] += map(job_columns, portion.jobs)
            self._rows["counters"] += [(name, *counter) for counter in portion.counters.items()]
            if self._bytes > _BATCH_BYTES or sum(map(len, self._rows.values())) > _BATCH_ROWS:
                await self._flush()
        await self._flush()
        await self._session.insert("staged_merchants", _COLUMNS["merchants"], list(clocks.items()))
        for kind, key in await self._session.fetch(_TWICE):
            raise MockKlarnaError(f"the snapshot contains {kind} {key} twice", where="merchants")
        await self._session.fetch(_DROP_OLD_CALLBACKS, most_callbacks)

    async def _flush(self) -> None:
        for table, rows in self._rows.items():
            if rows:
                await self._session.insert(f"staged_{table}", _COLUMNS[table], rows)
                self._rows[table] = []
        self._bytes = 0

    async def replace(self) -> None:
        """Replace the state of the staged merchants, in the transaction of the caller.

        Raises `MockKlarnaError` if a key or alias belongs to a merchant that is not replaced.
        """
        for kind, name, merchant in await self._session.fetch(f"{_TAKEN} LIMIT 1"):
            raise MockKlarnaError(f"{kind} {name} already belongs to {merchant!r}")
        for statement in (*_REPLACE, self._insert_merchants, *_INSERT):
            await self._session.fetch(statement)
