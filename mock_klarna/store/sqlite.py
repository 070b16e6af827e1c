"""State in one SQLite file, for one server: it survives restarts and `kill -9`.

Statements run in the event loop: one takes some ten microseconds, less than handing it to a thread would. The file is in WAL
mode with `synchronous=NORMAL`: what was answered survives the death of the process; a power cut may cost what was written
since the last checkpoint. Checkpoints, which wait for the disk, and large dumps run in threads with connections of their own.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from pathlib import Path
from typing import Any, TypeVar

from mock_klarna.domain.callbacks import Delivery, read_back
from mock_klarna.domain.journal import NO_MERCHANT, Exchange, JournalFilter, Sent, narrowest_filter
from mock_klarna.domain.records import Decision, Job, Merchant, Record
from mock_klarna.errors import WriteConflict
from mock_klarna.store import sql
from mock_klarna.store.in_process import KeyedLocks, RequestCounts, Waiters, Watching
from mock_klarna.store.journal import DEFAULT_BOUNDS, Bounds
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.sql import SqlStore
from mock_klarna.store.sql_rows import (
    EntryRow,
    RecordRow,
    Row,
    entry_row,
    event_filters,
    event_rows,
    job_columns,
    job_of_row,
    record_of,
    record_row,
    storable,
)
from mock_klarna.store.sql_snapshot import Staging, read_state
from mock_klarna.store.sqlite_file import (
    TYPES,
    FileLock,
    connect,
    error_at_open,
    error_while_running,
    migrate,
    numbered,
    require_ours,
    transaction,
    usable_path,
)
from mock_klarna.store.sqlite_session import open_session

R = TypeVar("R", bound=Record)

OWNER = "server"
CHECKPOINT_PAGES = 2000
_NEW_MERCHANT = "INSERT INTO merchants (name, position) SELECT $1, coalesce(max(position), 0) + 1 FROM merchants"
_INSERT_STAGED_MERCHANTS = (
    "INSERT INTO merchants (name, position) SELECT name, position + (SELECT coalesce(max(position), 0) FROM merchants) "
    "FROM staged_merchants ORDER BY position"
)
_IS_MERCHANT = "SELECT 1 FROM merchants WHERE name = $1"
_INSERT = (
    "INSERT INTO records (kind, key, alias, merchant, subject, version, owner, body) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
)
_UPDATE = (
    "UPDATE records SET alias = $3, merchant = $4, subject = $5, version = $6, owner = $7, body = $8 "
    "WHERE kind = $1 AND key = $2 AND version = $6 - 1"
)
_CANCEL = "DELETE FROM jobs WHERE merchant = $1 AND job_id = $2 AND owner IS NULL"
_SCHEDULE = "INSERT OR REPLACE INTO jobs (merchant, job_id, due, kind, subject, number) VALUES ($1, $2, $3, $4, $5, $6)"
_FIRST_DUE = (
    "SELECT position, due, merchant, kind, subject, number FROM jobs "
    "WHERE merchant = $1 AND owner IS NULL AND due <= $2 ORDER BY due, position LIMIT 1"
)
_CLAIM = "UPDATE jobs SET owner = $2 WHERE position = $1"
_FINISH = "DELETE FROM jobs WHERE merchant = $1 AND job_id = $2 AND due = $3 AND number = $4 AND owner IS NOT NULL"
_IS_WAITING = "SELECT 1 FROM jobs WHERE merchant = $1 AND job_id = $2 AND owner IS NULL"
_RELEASE = (
    """DELETE FROM jobs WHERE owner IS NOT NULL AND EXISTS (SELECT 1 FROM jobs AS waiting WHERE waiting.owner IS NULL
        AND waiting.merchant = jobs.merchant AND waiting.job_id = jobs.job_id)""",
    """DELETE FROM jobs WHERE owner IS NOT NULL AND position NOT IN (SELECT max(position) FROM jobs WHERE owner IS NOT NULL
        GROUP BY merchant, job_id)""",
    "UPDATE jobs SET owner = NULL WHERE owner IS NOT NULL",
)
_APPEND = (
    "INSERT INTO journal (seq, at, merchant, kind, name, purchase_id, is_event, size, data) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_COUNT_RECORDS = "SELECT coalesce(sum(count), 0) FROM totals WHERE kind = $1"
_COUNT_OF_MERCHANT = f"{_COUNT_RECORDS} AND merchant = $2"
_LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'journal'"
_CHECKPOINT_BEGINS = 0.01
"""Seconds until the checkpoint of a loaded snapshot runs in its thread; the next commit would else run it in the loop."""
_PAGES_OF_ROW = 6
"""Pages that deleting a record changes: its own, and one of each index."""
_FIRST_PORTION, _PORTION_SECONDS = 20, 0.002
"""Rows that are deleted at first before other requests run, and how long deleting a portion should take."""


class SqliteStore(SqlStore):
    """A store in an SQLite file that no other server may use; raises `MockKlarnaError` if it cannot be used."""

    def __init__(self, path: Path, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        super().__init__(bounds)
        self.statements = 0
        """How many statements were executed."""
        self._path = usable_path(path)
        self._waiters = Waiters()
        self._locks = KeyedLocks()
        self._request_counts = RequestCounts()
        self._lock = FileLock(self._path)
        self._checkpoint: asyncio.Future[None] | None = None
        self._pages = 0
        self._merchants: set[str] = set()
        self._writable = asyncio.Event()
        self._writable.set()
        self._claimed: set[Job] = set()
        try:
            self._connection = self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> sqlite3.Connection:
        try:
            connection = connect(self._path)
        except sqlite3.Error as fault:
            raise error_at_open(self._path, fault) from fault
        try:
            require_ours(connection, self._path)
            migrate(connection)
            self._take_over(connection)
        except sqlite3.Error as fault:
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
            open_ = connection.execute("SELECT kind, key, body FROM records WHERE owner IS NOT NULL").fetchall()
            for kind, key, body in open_:
                record = record_of(kind, body)
                jobs = connection.execute("SELECT job_id FROM jobs WHERE merchant = ?", (record.merchant,))
                row = record_row(read_back(record, {job_id for (job_id,) in jobs}), OWNER)
                connection.execute(
                    "UPDATE records SET owner = NULL, body = ? WHERE kind = ? AND key = ?", (row.body, kind, key)
                )
            connection.execute("INSERT OR REPLACE INTO server VALUES (1, ?)", (os.getpid(),))
            self._seq = int(connection.execute(_LAST_SEQ).fetchone()[0])

    async def open(self) -> None:
        """Do nothing: the file is open."""

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""
        if not statement.startswith("SELECT"):
            await self._may_write()
        return self._execute(statement, *values).fetchall()

    def _execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self.statements += 1
        try:
            return self._connection.execute(*numbered(statement, values))
        except sqlite3.Error as fault:
            raise error_while_running(self._path, fault) from fault

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with transaction(self._connection):
                yield
        except BaseException as fault:
            self._merchants.clear()  # a new one is gone with the transaction
            if isinstance(fault, sqlite3.Error):
                raise error_while_running(self._path, fault) from fault
            raise
        self._consider_checkpoint()

    async def preload(self, merchant: str, *names: str, draws: Sequence[str] = ()) -> None:
        """Do nothing: there is no network."""

    def forget_preloaded(self) -> None:
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
        await self._may_write()
        before = self._seq
        try:
            with self._transaction():
                self._require_merchant(owner)
                for record in decision.writes:
                    self._write(record_row(record, OWNER))
                for job_id in decision.cancels:
                    self._execute(_CANCEL, owner, storable(job_id))
                for job in decision.finished:
                    self._finish(job)
                for job in decision.jobs:
                    self._schedule(job)
                self._append(events)
        except BaseException:
            self._seq = before
            raise
        await self._limit_journal(owner, sum(row.size for row in events))
        callbacks = sum(isinstance(record, Delivery) and record.version == 1 for record in decision.writes)
        if callbacks:
            await self.limit_records(Delivery, owner, self.bounds.most_callbacks, callbacks)
        if self._waiters:
            self._wake(event_filters(owner, decision.events))
        return self._seq

    def _wake(self, entries: Iterable[JournalFilter]) -> None:
        for entry in entries:
            self._waiters.wake(entry)

    def _require_merchant(self, merchant: str) -> None:
        if merchant not in self._merchants:
            if self._execute(_IS_MERCHANT, merchant).fetchone() is None:
                self._execute(_NEW_MERCHANT, merchant)
            self._merchants.add(merchant)

    def _write(self, row: RecordRow) -> None:
        if not self._execute(_INSERT if row.version == 1 else _UPDATE, *row).rowcount:
            raise WriteConflict(f"{row.kind} {row.key}")

    def _schedule(self, job: Job) -> None:
        self._execute(_SCHEDULE, *job_columns(job))

    def _append(self, rows: Sequence[EntryRow]) -> None:
        for row in rows:
            self._seq += 1
            self._execute(_APPEND, self._seq, *row)

    async def _limit_journal(self, merchant: str, size: int) -> None:
        if size:
            await self._limits.add(merchant, size, self._seq)

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an exchange or a callback to the journal; return its `seq`."""
        owner = storable(merchant)
        row = entry_row(owner, kind, name, data, at, purchase_id)
        await self._may_write()
        before = self._seq
        try:
            with self._transaction():
                self._require_merchant(owner)
                self._append([row])
        except BaseException:
            self._seq = before
            raise
        seq = self._seq
        await self._limit_journal(owner, row.size)
        if self._waiters:
            self._waiters.wake(narrowest_filter(owner, kind, name, purchase_id, data))
        return seq

    async def cut_journal(self, merchant: str, excess: int, newest: int) -> int:
        """Drop entries below `newest` until `excess` bytes are free, exchanges and callbacks first; return the bytes freed."""
        freed = 0
        await self._may_write()
        with self._transaction():
            while freed < excess:
                rows = self._execute(sql.OLDEST_ENTRIES, merchant, newest).fetchall()
                gone = []
                for seq, size in rows:
                    if freed >= excess:
                        break
                    gone.append((seq,))
                    freed += size
                if not gone:
                    break
                self._connection.executemany("DELETE FROM journal WHERE seq = ?", gone)
                self._execute("UPDATE merchants SET dropped = dropped + $2 WHERE name = $1", merchant, len(gone))
        return freed

    async def position(self) -> int:
        """Return the `seq` of the newest entry of all."""
        return self._seq

    async def wait(self, watch: JournalFilter, after: int, seconds: float) -> bool:
        """Wait until an entry after a position matches; False when the time ran out first."""
        if self._seq > after and await self.entries(watch, after, 1):
            return True
        return await self._waiters.wait(watch, seconds)

    def watching(self, watch: JournalFilter) -> AbstractContextManager[Watching]:
        """Notice every entry that matches from now on."""
        return self._waiters.watching(watch)

    async def claim(self, merchant: str, until: float) -> Job | None:
        """Take a merchant's first job that is due at `until`; `finish` it when done."""
        await self._may_write()
        row = self._execute(_FIRST_DUE, storable(merchant), until).fetchone()
        if row is None:
            return None
        self._execute(_CLAIM, row[0], OWNER)
        job = job_of_row(row[1:])
        self._claimed.add(job)
        return job

    async def claim_due(self, merchant: str, real_time: float) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due."""
        jobs = []
        clock = await self.get(Merchant, merchant)
        now = real_time + (clock.clock_offset if clock else 0.0)
        while job := await self.claim(merchant, now):
            jobs.append(job)
        due = await self.next_due(merchant)
        return jobs, None if due is None else due - now

    async def finish(self, job: Job) -> None:
        """Delete a claimed job, unless a decision did so when it was committed."""
        await self._may_write()
        if job in self._claimed:
            self._finish(job)

    def _finish(self, job: Job) -> None:
        self._execute(_FINISH, storable(job.merchant), storable(job.job_id), job.due, job.number)
        self._claimed.discard(job)

    async def release(self, job: Job) -> None:
        """Put a claimed job back, so that it is claimed again."""
        await self._may_write()
        with self._transaction():
            if not self._execute(_IS_WAITING, storable(job.merchant), storable(job.job_id)).fetchone():
                self._schedule(job)
            self._finish(job)

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
        await self._may_write()
        with self._transaction():
            self._require_merchant(owner)
            return int(self._execute(sql.COUNT, owner, name).fetchone()[0])

    async def count_request(self, merchant: str, limit: str, second: int) -> int:
        """Count a request under a rate limit, and return how many there were in this second."""
        return self._request_counts.count(merchant, limit, second)

    async def clear(self, merchant: str | None) -> None:
        """Delete the state of a merchant, or of all, in portions that take a few milliseconds, so that others do not wait."""
        names = [NO_MERCHANT, *await self.merchants()] if merchant is None else [storable(merchant)]
        for name in names:
            for table in ("jobs", "records", "journal"):
                await self._delete_in_portions(table, name)
        await self._may_write()
        with self._transaction():
            for name in names:
                for table in ("records", "jobs", "counters", "journal"):
                    self._execute(f"DELETE FROM {table} WHERE merchant = $1", name)
                self._execute("DELETE FROM merchants WHERE name = $1", name)
        self._forget_sizes()

    async def _delete_in_portions(self, table: str, merchant: str) -> None:
        statement = f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE merchant = $1 LIMIT $2)"
        time, rows = asyncio.get_running_loop().time, _FIRST_PORTION
        while True:
            await self._may_write()
            started = time()
            deleted = self._execute(statement, merchant, rows).rowcount
            if deleted < rows:
                return
            self._consider_checkpoint(deleted * _PAGES_OF_ROW)
            ended = time()
            rows = max(_FIRST_PORTION, int(rows * min(2, _PORTION_SECONDS / max(ended - started, 1e-4))))
            await asyncio.sleep(0)
            if time() - ended > _PORTION_SECONDS / 8:  # other requests did something: they get more time than this
                await asyncio.sleep(2 * _PORTION_SECONDS)

    def _forget_sizes(self) -> None:
        self._merchants.clear()
        self._limits.forget()
        self._counts.clear()

    async def dump(self, merchants: Sequence[str] | None = None) -> AsyncGenerator[Portion]:
        """Yield the state of some merchants, or of all, as it was at one moment; other requests go on meanwhile."""
        async with open_session(self._path) as session:
            await session.fetch("BEGIN")
            async with aclosing(read_state(session, merchants)) as portions:
                async for portion in portions:
                    yield portion

    async def load(self, portions: AsyncIterator[Portion]) -> None:
        """Replace the state of the merchants that the portions name by what these contain, all or nothing.

        SQLite has one writer: other writes wait while the new state replaces the old one. Reads do not.
        """
        async with open_session(self._path) as session:
            staging = Staging(session, TYPES, _INSERT_STAGED_MERCHANTS)
            await staging.fill(portions, self.bounds.most_callbacks)
            async with self._only_writer():
                await session.fetch("BEGIN IMMEDIATE")
                await staging.replace()
                await session.fetch("COMMIT")
                self._forget_sizes()
                checkpoint = asyncio.ensure_future(session.fetch("PRAGMA wal_checkpoint(PASSIVE)"))
                await asyncio.sleep(_CHECKPOINT_BEGINS)
            await checkpoint

    @asynccontextmanager
    async def _only_writer(self) -> AsyncIterator[None]:
        """Let the other writes of this store wait."""
        await self._may_write()
        self._writable.clear()
        try:
            yield
        finally:
            self._writable.set()

    async def _may_write(self) -> None:
        """Wait while the state is being replaced."""
        while not self._writable.is_set():
            await self._writable.wait()

    def _consider_checkpoint(self, pages: int = 1) -> None:
        """Write the WAL into the file in a thread after many commits; the loop does not wait for the disk."""
        self._pages += pages
        if self._pages < CHECKPOINT_PAGES or (self._checkpoint is not None and not self._checkpoint.done()):
            return
        self._pages = 0
        with suppress(RuntimeError):
            self._checkpoint = asyncio.get_running_loop().run_in_executor(None, self._run_checkpoint)

    def _run_checkpoint(self) -> None:
        with suppress(sqlite3.Error):
            connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            try:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                connection.close()

    async def close(self) -> None:
        """Close the file and release its lock."""
        if self._checkpoint is not None:
            await self._checkpoint
        self._connection.close()
        self._lock.release()
