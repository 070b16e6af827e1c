"""What both SQL engines share: the statements that both understand, and the journal's limits.

Statements are written with PostgreSQL's `$1`; SQLite gets `?1`. What they read are tables in PostgreSQL and views in SQLite.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.journal import Entry, JournalFilter
from mock_klarna.domain.records import ButtonKey, Job, Merchant, MerchantSummary, Order, Purchase, Record
from mock_klarna.errors import StoreFailure, WriteConflict
from mock_klarna.store.journal_buffers import Bounds
from mock_klarna.store.snapshot import SavedSnapshot
from mock_klarna.store.sql_rows import (
    ALIASED,
    Row,
    decoder,
    encoded,
    entry_of_row,
    job_of_row,
    storable,
)

R = TypeVar("R", bound=Record)
_log = logging.getLogger(__name__)

GET = "SELECT body FROM records WHERE kind = $1 AND key = $2"
GET_ALIASED = (
    "SELECT body FROM records WHERE kind = $1 AND key = $2 "
    "UNION ALL SELECT body FROM records WHERE kind = $1 AND alias = $2 LIMIT 1"
)
NEWEST = "SELECT body FROM records WHERE merchant = $2 AND kind = $1 ORDER BY position DESC LIMIT 1"
OF_ALL = "SELECT body FROM records WHERE kind = $1 ORDER BY position"
OF_MERCHANT = "SELECT body FROM records WHERE merchant = $2 AND kind = $1 ORDER BY position"
OF_PURCHASE = "SELECT body FROM records WHERE subject = $2 AND kind = $1 ORDER BY position"
OF_MERCHANTS_PURCHASE = "SELECT body FROM records WHERE subject = $2 AND kind = $1 AND merchant = $3 ORDER BY position"
COUNT_RECORDS = "SELECT count(*) FROM records WHERE kind = $1"
_PAGE_OF_RECORDS = (
    "SELECT position, body FROM records WHERE kind = $1 AND position < $2{} ORDER BY position DESC LIMIT 200"
)
DELETE = "DELETE FROM records WHERE kind = $1 AND key = $2"
ENTRY_COLUMNS = "seq, at, merchant, kind, name, purchase_id, size, data"
ENTRY = f"SELECT {ENTRY_COLUMNS} FROM journal WHERE seq = $1"
DROPPED = "SELECT coalesce(sum(dropped), 0) FROM merchants WHERE name = $1"
DROPPED_OF_ALL = "SELECT coalesce(sum(dropped), 0) FROM merchants"
_NEWEST_DROPPED_OF_ALL = "SELECT coalesce(max(newest_dropped), 0) FROM merchants"
_NEWEST_DROPPED = f"{_NEWEST_DROPPED_OF_ALL} WHERE name = $1"
NEXT_DUE = "SELECT min(due) FROM jobs WHERE merchant = $1 AND owner IS NULL"
_WAITING_OF_ALL = "SELECT due, merchant, kind, subject, number FROM jobs WHERE owner IS NULL ORDER BY due, position"
_WAITING = _WAITING_OF_ALL.replace("WHERE", "WHERE merchant = $1 AND")
MERCHANTS = "SELECT name FROM merchants WHERE name <> '' ORDER BY position"
_NEWEST_ENTRY = "SELECT (SELECT seq FROM journal WHERE merchant = m.name AND is_event = {} ORDER BY seq DESC LIMIT 1)"
_SUMMARIES = f"""
SELECT shown.total, shown.name, {{counts}}, (SELECT body FROM records WHERE kind = '{Merchant.kind}' AND key = shown.name),
    shown.seq, (SELECT at FROM journal WHERE seq = shown.seq)
FROM (SELECT name, count(*) OVER () AS total,
        (SELECT max(seq) FROM ({_NEWEST_ENTRY.format(0)} AS seq UNION ALL {_NEWEST_ENTRY.format(1)}) AS newest) AS seq
    FROM merchants AS m WHERE name <> '' {{condition}} ORDER BY seq DESC NULLS LAST, name LIMIT $1) AS shown
ORDER BY shown.seq DESC NULLS LAST, shown.name"""
JOURNAL_SIZE = "SELECT coalesce(sum(size), 0) FROM journal WHERE merchant = $1"
JOURNAL_SIZES = "SELECT merchant, sum(size), max(seq) FROM journal GROUP BY merchant"
OLDEST_ENTRIES = "SELECT seq, size FROM journal WHERE merchant = $1 AND seq < $2 ORDER BY is_event, seq LIMIT 500"
COUNT_KIND = "SELECT count(*) FROM records WHERE merchant = $1 AND kind = $2"
DELETE_OLDEST = (
    "DELETE FROM records WHERE position IN "
    "(SELECT position FROM records WHERE merchant = $1 AND kind = $2 ORDER BY position LIMIT $3)"
)
_SAVE_PART = "INSERT INTO snapshot_parts (content_id, part, content) VALUES ($1, $2, $3)"
_SAVE_SNAPSHOT = (
    "INSERT INTO snapshots (name, about, content_id) VALUES ($1, $2, $3) "
    "ON CONFLICT (name) DO UPDATE SET about = excluded.about, content_id = excluded.content_id"
)
_SAVED_SNAPSHOTS = "SELECT about FROM snapshots"
_SNAPSHOT_PARTS = (
    "SELECT p.content_id, p.part FROM snapshot_parts AS p JOIN snapshots AS s ON s.content_id = p.content_id "
    "WHERE s.name = $1 ORDER BY p.part"
)
_PART = "SELECT content FROM snapshot_parts WHERE content_id = $1 AND part = $2"
_DELETE_SNAPSHOT = "DELETE FROM snapshots WHERE name = $1"
_UNUSED_PARTS = "SELECT content_id, part FROM snapshot_parts WHERE content_id NOT IN (SELECT content_id FROM snapshots)"
_DELETE_PART = "DELETE FROM snapshot_parts WHERE content_id = $1 AND part = $2"
_PART_BYTES = 256 << 10
"""Bytes of a saved snapshot that are read or written at once; other tasks run between them."""
_PAGE = 500
MAX_KNOWN = 10_000
"""Merchants of which a server remembers sizes, counts or states; of more, it reads them again."""


def entries_query(journal_filter: JournalFilter, after: int, before: int | None) -> tuple[str, list[Any]]:
    """Return the conditions on the journal's columns that a filter names, and their values; order and limit come after them."""
    conditions, values = ["seq > $1"], list[Any]([after])
    if before is not None:
        values.append(before)
        conditions.append("seq < $2")
    for column in ("merchant", "purchase_id", "kind", "name"):
        value = getattr(journal_filter, column)
        if value is not None:
            values.append(storable(value))
            conditions.append(f"{column} = ${len(values)}")
    return " AND ".join(conditions), values


def _summary(
    name: str, buttons: int, purchases: int, orders: int, clock: bytes | None, seq: int | None, at: float | None
) -> MerchantSummary:
    offset = decoder(Merchant)(clock).clock_offset if clock is not None else 0.0
    return MerchantSummary(name, buttons, purchases, orders, offset, seq, at)


class JournalLimits:
    """Keeps journals within bounds: counts what this server adds, and measures in the database when that is too much.

    Journals of a mebibyte or more are cut to fifteen sixteenths, so that a full journal is not cut at every entry.
    Other servers' entries are counted whenever a sixteenth of the bound was added here.
    """

    def __init__(self, bounds: Bounds, store: "SqlStore") -> None:
        self._bounds = bounds
        self._store = store
        self._sizes: dict[str, int] = {}
        self._unmeasured: dict[str, int] = {}
        self._total: int | None = None

    def forget(self) -> None:
        """Measure again, after journals were deleted."""
        self._sizes.clear()
        self._total = None

    async def add(self, merchant: str, size: int, newest: int) -> None:
        """Count entries that were just written, the last of them at `newest`; drop entries if that is too much."""
        if max(len(self._sizes), len(self._unmeasured)) > MAX_KNOWN:
            self._sizes.clear()
            self._unmeasured.clear()
        known = self._sizes.get(merchant)
        self._unmeasured[merchant] = self._unmeasured.get(merchant, 0) + size
        if known is None or (self._store.is_shared and self._unmeasured[merchant] > self._bounds.journal_bytes // 16):
            known = await self._store.journal_size(merchant)
            self._unmeasured[merchant] = size
        else:
            known += size
        self._sizes[merchant] = known
        most = self._bounds.journal_bytes
        if known > most:
            slack = most // 16 if most >= 1 << 20 else 0
            self._sizes[merchant] = known - await self._store.cut_journal(merchant, known - (most - slack), newest)
        if self._total is not None:
            self._total += size
        if self._total is None or self._total > self._bounds.all_journals_bytes:
            await self._limit_all()

    async def _limit_all(self) -> None:
        """Halve the largest journals until there is room; if that is not enough, empty those without recent entries."""
        journals = {name: (size, newest) for name, size, newest in await self._store.journal_sizes()}
        total = sum(size for size, _ in journals.values())
        most = self._bounds.all_journals_bytes
        if total > most:
            target = most - most // 16
            for name in sorted(journals, key=lambda name: journals[name][0], reverse=True):
                size, newest = journals[name]
                if total > target:
                    freed = await self._store.cut_journal(name, min(total - target, size - size // 2), newest)
                    journals[name], total = (size - freed, newest), total - freed
            for name in sorted(journals, key=lambda name: journals[name][1])[:-1]:
                size, newest = journals[name]
                if total > target:
                    freed = await self._store.cut_journal(name, min(total - target, size), newest + 1)
                    journals[name], total = (size - freed, newest), total - freed
        self._sizes = {name: size for name, (size, _) in journals.items()}
        self._unmeasured.clear()
        self._total = total


class SqlStore(ABC):
    """The methods of `Store` that are the same statements in every SQL engine."""

    is_shared = False
    """Whether other servers may write to the same database."""
    count_of_kind = "(SELECT count(*) FROM records WHERE merchant = shown.name AND kind = '{}')"
    """Counts records in the statement of `merchant_summaries`."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._limits = JournalLimits(bounds, self)
        self._counts: dict[tuple[str, str], tuple[int | None, int]] = {}

    @abstractmethod
    async def open(self) -> None:
        """Connect to the engine; raises `MockKlarnaError` where it cannot be used."""

    @abstractmethod
    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""

    async def value(self, statement: str, *values: Any) -> Any:
        """Execute a statement and return the first column of its only row."""
        rows = await self.fetch(statement, *values)
        return rows[0][0] if rows else None

    async def get(self, kind: type[R], key: str) -> R | None:
        """Load a record of any merchant by its key or alias, or None."""
        statement = GET_ALIASED if kind.kind in ALIASED else GET
        return self._first(kind, await self.fetch(statement, kind.kind, storable(key)))

    def _first(self, kind: type[R], rows: list[Row]) -> R | None:
        return decoder(kind)(rows[0][0]) if rows else None

    async def records(self, kind: type[R], merchant: str | None, *, subject: str | None = None) -> list[R]:
        """Return a merchant's records of a kind (all merchants' for None), oldest first, or those of one purchase."""
        if subject is None:
            rows = await (
                self.fetch(OF_ALL, kind.kind)
                if merchant is None
                else self.fetch(OF_MERCHANT, kind.kind, storable(merchant))
            )
        elif merchant is None:
            rows = await self.fetch(OF_PURCHASE, kind.kind, storable(subject))
        else:
            rows = await self.fetch(OF_MERCHANTS_PURCHASE, kind.kind, storable(subject), storable(merchant))
        decode = decoder(kind)
        return [decode(row[0]) for row in rows]

    async def newest_first(
        self, kind: type[R], merchant: str | None, *, subject: str | None = None
    ) -> AsyncGenerator[R, None]:
        """Yield the records that `records` returns, newest first, in portions between which others run."""
        conditions, values = "", []
        for column, value in (("merchant", merchant), ("subject", subject)):
            if value is not None:
                values.append(storable(value))
                conditions += f" AND {column} = ${len(values) + 2}"
        statement, decode, before = _PAGE_OF_RECORDS.format(conditions), decoder(kind), 2**63 - 1
        while rows := await self.fetch(statement, kind.kind, before, *values):
            for _, body in rows:
                yield decode(body)
            before = rows[-1][0]
            await asyncio.sleep(0)

    async def newest(self, kind: type[R], merchant: str) -> R | None:
        """Return a merchant's newest record of a kind, or None."""
        return self._first(kind, await self.fetch(NEWEST, kind.kind, storable(merchant)))

    async def count_records(self, kind: type[Record], merchant: str | None = None) -> int:
        """Return how many records of a kind a merchant has, or all merchants for None."""
        if merchant is None:
            return int(await self.value(COUNT_RECORDS, kind.kind))
        return int(await self.value(COUNT_KIND, storable(merchant), kind.kind))

    async def delete(self, kind: type[Record], key: str) -> None:
        """Delete a record."""
        await self.fetch(DELETE, kind.kind, storable(key))
        self._counts = {counted: known for counted, known in self._counts.items() if counted[0] != kind.kind}

    async def entries(
        self, journal_filter: JournalFilter, after: int, limit: int, *, before: int | None = None
    ) -> list[Entry]:
        """Return up to `limit` journal entries after a position, oldest first; those before `before`, if given, newest first."""
        found: list[Entry] = []
        while len(found) < limit:
            page = await self._page(journal_filter, after, before, min(_PAGE, limit))
            found += filter(journal_filter.matches, page)
            if len(page) < min(_PAGE, limit):
                break
            after, before = (page[-1].seq, None) if before is None else (after, page[-1].seq)
        return found[:limit]

    async def _page(self, journal_filter: JournalFilter, after: int, before: int | None, limit: int) -> list[Entry]:
        conditions, values = entries_query(journal_filter, after, before)
        order = "seq" if before is None else "seq DESC"
        statement = f"SELECT {ENTRY_COLUMNS} FROM journal WHERE {conditions} ORDER BY {order} LIMIT {limit}"
        return list(map(entry_of_row, await self.fetch(statement, *values)))

    async def entry(self, seq: int) -> Entry | None:
        """Return one journal entry, or None when there is none or it was dropped."""
        rows = await self.fetch(ENTRY, seq)
        return entry_of_row(rows[0]) if rows else None

    async def dropped(self, merchant: str | None) -> int:
        """Return how many journal entries were dropped to stay within bounds."""
        if merchant is None:
            return int(await self.value(DROPPED_OF_ALL))
        return int(await self.value(DROPPED, storable(merchant)))

    async def newest_dropped(self, merchant: str | None) -> int:
        """Return the `seq` of the newest entry that was dropped, 0 for none."""
        if merchant is None:
            return int(await self.value(_NEWEST_DROPPED_OF_ALL))
        return int(await self.value(_NEWEST_DROPPED, storable(merchant)))

    async def next_due(self, merchant: str) -> float | None:
        """Return when a merchant's first job is due, or None."""
        due: float | None = await self.value(NEXT_DUE, storable(merchant))
        return due

    async def jobs(self, merchant: str | None) -> list[Job]:
        """Return the jobs of a merchant, or of all, that are not claimed, first due first."""
        rows = self.fetch(_WAITING_OF_ALL) if merchant is None else self.fetch(_WAITING, storable(merchant))
        return list(map(job_of_row, await rows))

    async def merchants(self) -> list[str]:
        """Return the names of all merchants that have any state."""
        return [row[0] for row in await self.fetch(MERCHANTS)]

    async def merchant_summaries(self, merchant: str | None, limit: int) -> tuple[list[MerchantSummary], int]:
        """Return what merchants have, or one of them, the last active one first, and how many there are."""
        counts = ", ".join(self.count_of_kind.format(kind.kind) for kind in (ButtonKey, Purchase, Order))
        condition, values = ("", []) if merchant is None else ("AND name = $2", [storable(merchant)])
        rows = await self.fetch(_SUMMARIES.format(counts=counts, condition=condition), max(1, limit), *values)
        found = [_summary(*row[1:]) for row in rows[:limit]]
        return found, rows[0][0] if rows else 0

    async def save_snapshot(self, about: SavedSnapshot, content: bytes) -> None:
        """Keep a snapshot under its name, in place of an earlier one."""
        content_id = uuid4().hex
        for part, start in enumerate(range(0, len(content), _PART_BYTES)):
            await self.fetch(_SAVE_PART, content_id, part, content[start : start + _PART_BYTES])
            await asyncio.sleep(0)
        await self.fetch(_SAVE_SNAPSHOT, about.name, encoded(about), content_id)
        await self._delete_unused_parts()

    async def _delete_unused_parts(self) -> None:
        """Delete the content of snapshots that were replaced or deleted, or not saved to the end."""
        for content_id, part in await self.fetch(_UNUSED_PARTS):
            await self.fetch(_DELETE_PART, content_id, part)
            await asyncio.sleep(0)

    async def saved_snapshots(self) -> list[SavedSnapshot]:
        """Return the snapshots that are kept, by name."""
        found: list[SavedSnapshot] = [decoder(SavedSnapshot)(row[0]) for row in await self.fetch(_SAVED_SNAPSHOTS)]
        return sorted(found, key=lambda about: about.name)

    async def snapshot_content(self, name: str) -> bytes | None:
        """Return the content of a snapshot that is kept, or None; the new one if it is replaced meanwhile."""
        while rows := await self.fetch(_SNAPSHOT_PARTS, name):
            parts = []
            for content_id, part in rows:
                content = await self.value(_PART, content_id, part)
                if content is None:
                    break
                parts.append(content)
                await asyncio.sleep(0)
            else:
                return b"".join(parts)
        return None

    async def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot that is kept."""
        await self.fetch(_DELETE_SNAPSHOT, name)
        await self._delete_unused_parts()

    async def journal_size(self, merchant: str) -> int:
        """Return how many bytes a merchant's journal has."""
        return int(await self.value(JOURNAL_SIZE, storable(merchant)))

    async def journal_sizes(self) -> list[tuple[str, int, int]]:
        """Return each merchant with the bytes of its journal and its newest entry."""
        return [(name, int(size), newest) for name, size, newest in await self.fetch(JOURNAL_SIZES)]

    @abstractmethod
    async def cut_journal(self, merchant: str, excess: int, newest: int) -> int:
        """Drop entries below `newest` until `excess` bytes are free, exchanges and callbacks first; return the bytes freed."""

    async def drop_excess(self, merchant: str, size: int, newest: int, callbacks: int = 0) -> None:
        """Drop the oldest entries and callbacks of a merchant beyond the bounds, after some were committed.

        `size` is how many bytes of entries were committed, the last of them at `newest`.
        """
        with self._logged_failure(merchant):
            if size:
                await self._limits.add(merchant, size, newest)
            if callbacks:
                await self.limit_records(Delivery, merchant, self.bounds.most_callbacks, callbacks)

    @contextmanager
    def _logged_failure(self, merchant: str) -> Iterator[None]:
        """Log a failure of the store while something old is dropped: what was committed before that stays so."""
        try:
            yield
        except (StoreFailure, WriteConflict) as failure:
            _log.warning("what is too old of %s is dropped after its next commit: %s", merchant, failure)
            self.forget_sizes()

    def forget_sizes(self) -> None:
        """Measure journals and count records again, after some were deleted."""
        self._limits.forget()
        self._counts.clear()

    async def keep_newest(self, kind: type[Record], merchant: str, most: int) -> None:
        """Delete a merchant's oldest records of a kind beyond about the `most` newest; called after each new record."""
        with self._logged_failure(merchant):
            await self.limit_records(kind, storable(merchant), most, 1)

    async def limit_records(self, kind: type[Record], merchant: str, most: int, added: int) -> None:
        """Count records of a kind that were just written, and delete the oldest beyond `most`.

        Other servers' records are counted whenever a sixteenth of `most` was added here.
        """
        if len(self._counts) > MAX_KNOWN:
            self._counts.clear()
        known, unmeasured = self._counts.get((kind.kind, merchant), (None, 0))
        unmeasured += added
        if known is None or (self.is_shared and unmeasured > most // 16):
            known, unmeasured = int(await self.value(COUNT_KIND, merchant, kind.kind)), 0
        else:
            known += added
        if known > most:
            excess = known - most + (most // 16 if most >= 1000 else 0)
            await self.fetch(DELETE_OLDEST, merchant, kind.kind, excess)
            known -= excess
        self._counts[kind.kind, merchant] = known, unmeasured
