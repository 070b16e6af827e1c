"""State in one SQLite file, for one server: it survives restarts and `kill -9`.

Statements run in the event loop: one takes some ten microseconds, less than handing it to a thread would. The file is in WAL
mode with `synchronous=NORMAL`: what was answered survives the death of the process; a power cut may cost what was written
since the last checkpoint. Checkpoints, which wait for the disk, and dumps run in threads with connections of their own.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from pathlib import Path
from typing import Any, TypeVar

from mock_klarna.domain.callbacks import Delivery, read_back
from mock_klarna.domain.journal import Exchange, JournalFilter, Sent, narrowest_filter
from mock_klarna.domain.records import Decision, Job, Merchant, Record
from mock_klarna.errors import WriteConflict
from mock_klarna.store import sql
from mock_klarna.store.in_process import KeyedLocks, RequestCounts, Waiters, Watching
from mock_klarna.store.journal_buffers import DEFAULT_BOUNDS, Bounds
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.sql import SqlStore
from mock_klarna.store.sql_rows import (
    EntryRow,
    RecordRow,
    Row,
    entry_row,
    event_filters,
    event_rows,
    job_of_row,
    record_of,
    record_row,
    storable,
)
from mock_klarna.store.sql_snapshot import read_state
from mock_klarna.store.sqlite_connection import Connection
from mock_klarna.store.sqlite_file import (
    SQLITE_ERRORS,
    FileLock,
    error_at_open,
    migrate,
    require_ours,
    transaction,
    usable_path,
)
from mock_klarna.store.sqlite_session import open_session
from mock_klarna.store.sqlite_states import States, with_state

R = TypeVar("R", bound=Record)

OWNER = "server"
_INSERT = (
    "INSERT INTO record_rows (kind, key, alias, state, subject, version, owner, body) SELECT $1, $2, $3, $4, $5, $6, $7, $8 "
    "WHERE NOT EXISTS (SELECT 1 FROM records WHERE kind = $1 AND key = $2)"
)
_UPDATE = (
    "UPDATE record_rows SET alias = $3, subject = $5, version = $6, owner = $7, body = $8 "
    "WHERE kind = $1 AND key = $2 AND state = $4 AND version = $6 - 1"
)
_CANCEL = "DELETE FROM job_rows WHERE state = $1 AND job_id = $2 AND owner IS NULL"
_FIRST_DUE = (
    "SELECT position, due, merchant, kind, subject, number FROM jobs "
    "WHERE merchant = $1 AND owner IS NULL AND due <= $2 ORDER BY due, position LIMIT 1"
)
_CLAIM = "UPDATE job_rows SET owner = $2 WHERE position = $1"
_FINISH = (
    "DELETE FROM job_rows WHERE state = (SELECT state FROM merchants WHERE name = $1) AND job_id = $2 AND due = $3 "
    "AND number = $4 AND owner IS NOT NULL"
)
_IS_WAITING = "SELECT 1 FROM job_rows WHERE state = $1 AND job_id = $2 AND owner IS NULL"
_RELEASE = (
    """DELETE FROM job_rows WHERE owner IS NOT NULL AND EXISTS (SELECT 1 FROM job_rows AS waiting WHERE waiting.owner IS NULL
        AND waiting.state = job_rows.state AND waiting.job_id = job_rows.job_id)""",
    """DELETE FROM job_rows WHERE owner IS NOT NULL AND position NOT IN (SELECT max(position) FROM job_rows
        WHERE owner IS NOT NULL GROUP BY state, job_id)""",
    "UPDATE job_rows SET owner = NULL WHERE owner IS NOT NULL",
)
_APPEND = (
    "INSERT INTO journal_rows (seq, at, state, kind, name, purchase_id, is_event, size, data) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_COUNT_DROPPED = "UPDATE merchants SET dropped = dropped + $2, newest_dropped = max(newest_dropped, $3) WHERE name = $1"
_COUNT = (
    "INSERT INTO counter_rows (state, name, value) VALUES ($1, $2, 1) "
    "ON CONFLICT (state, name) DO UPDATE SET value = value + 1 RETURNING value"
)
_COUNT_RECORDS = "SELECT coalesce(sum(count), 0) FROM totals JOIN merchants USING (state) WHERE kind = $1"
_COUNT_OF_MERCHANT = f"{_COUNT_RECORDS} AND name = $2"
_COUNT_OF_SHOWN = (
    "(SELECT coalesce(sum(count), 0) FROM totals JOIN merchants USING (state) WHERE name = shown.name AND kind = '{}')"
)
_LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'journal_rows'"


class SqliteStore(SqlStore):
    """A store in an SQLite file that no other server may use; raises `MockKlarnaError` if it cannot be used."""

    count_of_kind = _COUNT_OF_SHOWN

    def __init__(self, path: Path, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        super().__init__(bounds)
        self._path = usable_path(path)
        self._waiters = Waiters()
        self._locks = KeyedLocks()
        self._request_counts = RequestCounts()
        self._lock = FileLock(self._path)
        self._claimed: set[Job] = set()
        try:
            self._connection = self._open()
        except BaseException:
            self._lock.release()
            raise
        self._states = States(self._connection)

    @property
    def statements(self) -> int:
        """How many statements were executed."""
        return self._connection.statements

    def _open(self) -> Connection:
        try:
            connection = Connection(self._path)
        except SQLITE_ERRORS as fault:
            raise error_at_open(self._path, fault) from fault
        try:
            require_ours(connection.raw, self._path)
            migrate(connection.raw)
            self._take_over(connection.raw)
        except SQLITE_ERRORS as fault:
            connection.close()
            raise error_at_open(self._path, fault) from fault
        except BaseException:
            connection.close()
            raise
        return connection

    def _take_over(self, connection: sqlite3.Connection) -> None:
        """Put back the jobs and close the callbacks that were in progress when the last server ended."""
        with transaction(connection):
            for statement in _RELEASE:
                connection.execute(statement)
            open_ = connection.execute("SELECT position, kind, body FROM records WHERE owner IS NOT NULL").fetchall()
            for position, kind, body in open_:
                record = record_of(kind, body)
                jobs = connection.execute("SELECT job_id FROM jobs WHERE merchant = ?", (storable(record.merchant),))
                row = record_row(read_back(record, {job_id for (job_id,) in jobs}), OWNER)
                connection.execute(
                    "UPDATE record_rows SET owner = NULL, body = ? WHERE position = ?", (row.body, position)
                )
            connection.execute("INSERT OR REPLACE INTO server VALUES (1, ?)", (os.getpid(),))
            self._seq = int(connection.execute(_LAST_SEQ).fetchone()[0])

    async def open(self) -> None:
        """Delete what the last server left of old states; the file is open."""
        self._states.begin_deletion()

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""
        return self._execute(statement, *values).fetchall()

    def _execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(statement, *values)

    async def preload(self, merchant: str, *names: str, draws: Sequence[str] = ()) -> None:
        """Do nothing: there is no network."""

    def forget_preloaded(self, *, keep_draws: bool = False) -> None:
        """Do nothing."""

    async def count_records(self, kind: type[Record], merchant: str | None = None) -> int:
        """Return how many records of a kind a merchant has, or all merchants for None."""
        if merchant is None:
            return int(await self.value(_COUNT_RECORDS, kind.kind))
        return int(await self.value(_COUNT_OF_MERCHANT, kind.kind, storable(merchant)))

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Write all of a decision or nothing; return the journal position after it."""
        owner = storable(merchant)
        events = event_rows(owner, decision.events, now)
        rows = [record_row(record, OWNER) for record in decision.writes]
        before = self._seq
        try:
            with self._states.transaction():
                state = self._states.of(owner)
                for row in rows:
                    self._write(row)
                for job_id in decision.cancels:
                    self._execute(_CANCEL, state, storable(job_id))
                for job in decision.finished:
                    self._finish(job)
                for job in decision.jobs:
                    self._states.schedule(self._states.of(storable(job.merchant)), job)
                self._append(state, events)
        except BaseException:
            self._seq = before
            raise
        self._claimed.difference_update(decision.finished)
        self._states.committed(rows)
        callbacks = sum(isinstance(record, Delivery) and record.version == 1 for record in decision.writes)
        await self.drop_excess(owner, sum(row.size for row in events), self._seq, callbacks)
        if self._waiters:
            self._wake(event_filters(owner, decision.events))
        return self._seq

    def _wake(self, entries: Iterable[JournalFilter]) -> None:
        for entry in entries:
            self._waiters.wake(entry)

    def _write(self, row: RecordRow) -> None:
        columns = with_state(row, self._states.of(row.merchant))
        if not self._execute(_INSERT if row.version == 1 else _UPDATE, *columns).rowcount:
            raise WriteConflict(f"{row.kind} {row.key}")

    def _append(self, state: int, rows: Sequence[EntryRow]) -> None:
        for row in rows:
            self._seq += 1
            self._execute(_APPEND, self._seq, row.at, state, *row[2:])

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an exchange or a callback to the journal; return its `seq`."""
        owner = storable(merchant)
        row = entry_row(owner, kind, name, data, at, purchase_id)
        before = self._seq
        try:
            with self._states.transaction():
                self._append(self._states.of(owner), [row])
        except BaseException:
            self._seq = before
            raise
        seq = self._seq
        await self.drop_excess(owner, row.size, seq)
        if self._waiters:
            self._waiters.wake(narrowest_filter(owner, kind, name, purchase_id, data))
        return seq

    async def cut_journal(self, merchant: str, excess: int, newest: int) -> int:
        """Drop entries below `newest` until `excess` bytes are free, exchanges and callbacks first; return the bytes freed."""
        freed = 0
        with self._connection.transaction():
            while freed < excess:
                rows = self._execute(sql.OLDEST_ENTRIES, merchant, newest).fetchall()
                dropped = []
                for seq, size in rows:
                    if freed >= excess:
                        break
                    dropped.append((seq,))
                    freed += size
                if not dropped:
                    break
                self._connection.raw.executemany("DELETE FROM journal_rows WHERE seq = ?", dropped)
                self._execute(_COUNT_DROPPED, merchant, len(dropped), max(seq for (seq,) in dropped))
        return freed

    async def position(self) -> int:
        """Return the `seq` of the newest entry of all."""
        return self._seq

    async def wait(self, journal_filter: JournalFilter, after: int, seconds: float) -> bool:
        """Wait until an entry after a position matches; False when the time ran out first."""
        if self._seq > after and await self.entries(journal_filter, after, 1):
            return True
        return await self._waiters.wait(journal_filter, seconds)

    def watching(self, journal_filter: JournalFilter) -> AbstractContextManager[Watching]:
        """Notice every entry that matches from now on."""
        return self._waiters.watching(journal_filter)

    async def claim(self, merchant: str, until: float) -> Job | None:
        """Take a merchant's first job that is due at `until`; `finish` it when done."""
        job = self._claim(storable(merchant), until)
        if job is not None:
            self._claimed.add(job)
        return job

    def _claim(self, owner: str, until: float) -> Job | None:
        row = self._execute(_FIRST_DUE, owner, until).fetchone()
        if row is None:
            return None
        self._execute(_CLAIM, row[0], OWNER)
        return job_of_row(row[1:])

    async def claim_due(self, merchant: str, real_time: float) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due."""
        jobs = []
        clock = await self.get(Merchant, merchant)
        now = real_time + (clock.clock_offset if clock else 0.0)
        due = await self.next_due(merchant)
        if due is not None and due <= now:
            with self._connection.transaction():
                while job := self._claim(storable(merchant), now):
                    jobs.append(job)
            self._claimed.update(jobs)
            due = await self.next_due(merchant)
        return jobs, None if due is None else due - now

    async def finish(self, job: Job) -> None:
        """Delete a claimed job, unless a decision did so when it was committed."""
        if job in self._claimed:
            self._finish(job)
            self._claimed.discard(job)

    def _finish(self, job: Job) -> bool:
        """Delete a claimed job; return whether it was there."""
        columns = storable(job.merchant), storable(job.job_id), job.due, job.number
        return self._execute(_FINISH, *columns).rowcount > 0

    async def release(self, job: Job) -> None:
        """Put a claimed job back, so that it is claimed again."""
        with self._states.transaction():
            state = self._states.of(storable(job.merchant))
            if self._finish(job) and not self._execute(_IS_WAITING, state, storable(job.job_id)).fetchone():
                self._states.schedule(state, job)
        self._claimed.discard(job)

    async def wait_for_other_servers(self, merchant: str, kinds: Collection[str]) -> None:
        """Do nothing: there is no other server."""

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Wait until no other caller has the lock of this name, and take it."""
        return self._locks.locked(name)

    async def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs another server left: there is no other one."""
        await asyncio.Event().wait()
        yield ""

    async def count(self, merchant: str, name: str) -> int:
        """Increment a counter and return its new value: 1 the first time."""
        owner = storable(merchant)
        with self._states.transaction():
            return int(self._execute(_COUNT, self._states.of(owner), name).fetchone()[0])

    async def count_request(self, merchant: str, limit: str, second: int) -> int:
        """Count a request under a rate limit, and return how many there were in this second."""
        return self._request_counts.count(merchant, limit, second)

    async def clear(self, merchant: str | None) -> None:
        """Delete the state of a merchant, or of all: it is gone at once, and its rows are deleted while others go on."""
        self._states.clear(None if merchant is None else storable(merchant))
        self.forget_sizes()
        self._waiters.cleared(merchant)

    async def dump(self, merchants: Sequence[str] | None = None) -> AsyncGenerator[Portion]:
        """Yield the state of some merchants, or of all, as it was at one moment; other requests go on meanwhile."""
        async with open_session(self._path) as session:
            await session.fetch("BEGIN")
            async with aclosing(read_state(session, merchants)) as portions:
                async for portion in portions:
                    yield portion

    async def load(self, portions: AsyncIterator[Portion]) -> None:
        """Replace the state of the merchants that the portions name by what these contain, all or nothing."""
        for merchant in await self._states.load(portions, self.bounds.most_callbacks):
            self._waiters.cleared(merchant)
        self.forget_sizes()

    async def wait_for_deletion(self) -> None:
        """Wait until the rows of old states are deleted."""
        await self._states.wait_for_deletion()

    async def close(self) -> None:
        """Close the file and release its lock."""
        try:
            await self._states.close()
            await self._connection.end_checkpoint()
        finally:
            self._connection.close()
            self._lock.release()
