"""State in PostgreSQL, for any number of servers: together they are one sandbox.

A commit is one statement. The `seq` of a journal entry contains the id of the transaction that wrote it, and entries are read
up to the oldest transaction that still runs. So a reader misses none, and no two servers wait for each other.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from itertools import chain
from secrets import token_hex
from typing import Any, TypeVar

import asyncpg

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.journal import Entry, Exchange, JournalFilter, Sent, narrowest_filter
from mock_klarna.domain.records import Decision, Fault, Job, Merchant, Record
from mock_klarna.errors import MockKlarnaError, StoreFailure, WriteConflict
from mock_klarna.store import sql
from mock_klarna.store.in_process import KeyedLocks, Waiters, Watching
from mock_klarna.store.journal_buffers import DEFAULT_BOUNDS, Bounds
from mock_klarna.store.postgres_connections import (
    DEADLOCK_TRIES,
    DEADLOCKS,
    Connections,
    PostgresSession,
    hint_at_open,
    parse_url,
)
from mock_klarna.store.postgres_jobs import JobQueue, clock_lock
from mock_klarna.store.postgres_schema import prepare_schema
from mock_klarna.store.postgres_servers import Heartbeat, ServerConnection
from mock_klarna.store.postgres_snapshot import Staging
from mock_klarna.store.postgres_statements import (
    CLEAR,
    COUNT,
    COUNT_REQUEST,
    CUT_JOURNAL,
    MAX_ENTRIES,
    MAX_ENTRY_ROWS,
    append_statement,
    commit_statement,
    with_shift,
)
from mock_klarna.store.preload import PRELOAD, Preloaded, Preloads
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.sql import SqlStore
from mock_klarna.store.sql_rows import (
    EntryRow,
    RecordRow,
    Row,
    decoded,
    entry_of_row,
    entry_row,
    event_filters,
    event_rows,
    job_columns,
    record_row,
    storable,
)
from mock_klarna.store.sql_snapshot import read_state

R = TypeVar("R", bound=Record)

_SLOW_COUNT_SECONDS = 0.05
POLL = 2.0
"""Seconds after which a waiter looks again, in case its NOTIFY was lost with the server that would have sent it."""


class RecordCounts:
    """How many records of each kind there are. PostgreSQL reads them all to count them.

    If that took long, the number is used again, and counted anew at most in a twentieth of the time.
    """

    def __init__(self, count: Callable[[type[Record]], Awaitable[int]]) -> None:
        self._count = count
        self._known: dict[type[Record], tuple[int, float]] = {}
        self._counting: dict[type[Record], asyncio.Task[int]] = {}

    async def of(self, kind: type[Record]) -> int:
        """Return the number of a kind: exact where counting is fast, else a recent one."""
        known, until = self._known.get(kind, (None, 0.0))
        if known is not None and (kind in self._counting or asyncio.get_running_loop().time() < until):
            return known
        task = self._counting.get(kind)
        if task is None:
            task = self._counting[kind] = asyncio.create_task(self._count_anew(kind))
            task.add_done_callback(_ignore_error)
        return await asyncio.shield(task) if known is None else known

    async def _count_anew(self, kind: type[Record]) -> int:
        time = asyncio.get_running_loop().time
        started = time()
        try:
            count = await self._count(kind)
        finally:
            del self._counting[kind]
        ended = time()
        if ended - started > _SLOW_COUNT_SECONDS:
            self._known[kind] = count, ended + 20 * (ended - started)
        else:
            self._known.pop(kind, None)
        return count


def _ignore_error(task: asyncio.Task[int]) -> None:
    """Take the error of a count, which nobody reads if an earlier number is used meanwhile."""
    if not task.cancelled():
        task.exception()


class PostgresStore(SqlStore):
    """A store in a schema of a PostgreSQL database that other servers may use too.

    `url` is `postgresql://USER:PASSWORD@HOST/DATABASE`, with `?schema=NAME` for a sandbox of its own.
    """

    is_shared = True

    def __init__(self, url: str, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        super().__init__(bounds)
        address = parse_url(url)
        self._owner = token_hex(8)
        self._connections = Connections(address)
        self._waiters = Waiters()
        self._locks = KeyedLocks()
        self._taken: set[int] = set()
        self._preloads = Preloads()
        self._record_counts = RecordCounts(super().count_records)
        self._jobs = JobQueue(self._connections, self._owner)
        self._server_connection = ServerConnection(self._connections, self._owner, self._waiters, self.forget_sizes)
        self._lease = address.lease
        self._heartbeat = Heartbeat(
            self._connections, self._server_connection, self._owner, self._lease, self._jobs.check
        )
        self._shift = 0
        self._pending: list[tuple[EntryRow, JournalFilter, asyncio.Future[int]]] = []
        self._appending: asyncio.Task[None] | None = None
        self.journal_statements = 0
        """How many statements wrote the entries of requests that ended together."""

    async def open(self) -> None:
        """Create or upgrade the schema and join the servers that use it; raises `MockKlarnaError` if it cannot."""
        try:
            self._shift = await prepare_schema(self._connections, self._lease)
            await self._heartbeat.start()
        except StoreFailure as failure:
            raise MockKlarnaError(failure.error_message, where="store", hint=hint_at_open(failure)) from None
        except asyncpg.PostgresError as error:
            raise MockKlarnaError(f"the database refuses: {error}", where="store", hint=hint_at_open(error)) from None

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""
        return await self._connections.fetch(statement, *values)

    @property
    def statements(self) -> int:
        """How many statements were executed outside transactions."""
        return self._connections.statements

    async def count_records(self, kind: type[Record], merchant: str | None = None) -> int:
        """Return how many records of a kind a merchant has; of very many of all merchants, the number of some seconds ago."""
        return await (self._record_counts.of(kind) if merchant is None else super().count_records(kind, merchant))

    async def preload(self, merchant: str, *names: str, draws: Sequence[str] = ()) -> None:
        """Load at once what the running task will need: records by key or alias, the merchant's clock and faults, numbers."""
        wanted = [storable(name) for name in names if name]
        owner = storable(merchant)
        self._preloads.keep(Preloaded(owner, wanted, await self.fetch(PRELOAD, owner, wanted, sorted(draws))))

    def forget_preloaded(self, *, keep_draws: bool = False) -> None:
        """Let the running task read everything again; with `keep_draws`, numbers that it drew are still used."""
        if keep_draws:
            self._preloads.forget_records()
        else:
            self._preloads.forget()

    async def get(self, kind: type[R], key: str) -> R | None:
        """Load a record of any merchant by its key or alias, or None."""
        preloaded = self._preloads.current()
        if preloaded is not None:
            is_known, body = preloaded.get(kind.kind, key)
            if is_known:
                return decoded(kind, body) if body is not None else None
        return await super().get(kind, key)

    async def newest(self, kind: type[R], merchant: str) -> R | None:
        """Return a merchant's newest record of a kind, or None."""
        preloaded = self._preloads.current()
        if preloaded is not None:
            is_known, body = preloaded.newest(kind.kind, merchant)
            if is_known:
                return decoded(kind, body) if body is not None else None
        return await super().newest(kind, merchant)

    async def records(self, kind: type[R], merchant: str | None, *, subject: str | None = None) -> list[R]:
        """Return a merchant's records of a kind (all merchants' for None), oldest first, or those of one purchase."""
        preloaded = self._preloads.current()
        if preloaded is not None and merchant is not None:
            of = merchant if kind is Fault and subject is None else subject if kind is Delivery else None
            bodies = preloaded.listed(kind.kind, of)
            if bodies is not None:
                return [decoded(kind, body) for body in bodies]
        return await super().records(kind, merchant, subject=subject)

    async def delete(self, kind: type[Record], key: str) -> None:
        """Delete a record."""
        self._preloads.forget()
        await super().delete(kind, key)

    def _with_shift(self, statement: str) -> str:
        return with_shift(statement, self._shift)

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Write all of a decision or nothing, in one statement; return the journal position after it."""
        owner = storable(merchant)
        events = event_rows(owner, decision.events, now)
        statement, values = self._commit_statement(owner, decision, events)
        try:
            ((_, newest),) = await self.fetch(statement, *values)
        except asyncpg.DivisionByZeroError:
            self._preloads.forget()
            raise WriteConflict(", ".join(f"{record.kind} {record.key}" for record in decision.writes)) from None
        except BaseException:
            self._preloads.forget()
            raise
        await self._after_commit(owner, decision, events, newest)
        return int(newest or 0)

    def _commit_statement(self, owner: str, decision: Decision, events: list[EntryRow]) -> tuple[str, list[Any]]:
        """Return the statement that commits a decision, and its values."""
        rescheduled = {job.job_id for job in decision.jobs}
        clock = next((record.clock_offset for record in decision.writes if isinstance(record, Merchant)), None)
        rows = self._rows(decision.writes)
        parts: tuple[Sequence[tuple[Any, ...]], ...] = (
            [row for row in rows if row.version == 1],
            [row for row in rows if row.version != 1],
            [(storable(job_id),) for job_id in decision.cancels if job_id not in rescheduled],
            [(storable(job.job_id), job.due, job.number, self._owner) for job in decision.finished],
            list(map(job_columns, decision.jobs)),
            events,
        )
        values: list[Any] = [owner] if clock is None else [owner, clock]
        for part in parts:
            for row in part:
                values += row
        return self._with_shift(commit_statement(clock is not None, tuple(map(len, parts)))), values

    def _rows(self, writes: Sequence[Record]) -> list[RecordRow]:
        """Return the rows of records to write, and keep the records for the running task, which reads its own writes."""
        rows = [record_row(record, self._owner) for record in writes]
        preloaded = self._preloads.current()
        if preloaded is not None:
            for record, row in zip(writes, rows, strict=True):
                preloaded.write(record, row.body)
        return rows

    async def _after_commit(self, owner: str, decision: Decision, events: list[EntryRow], newest: int | None) -> None:
        if decision.events and (self._waiters or not self._server_connection.is_alone):
            self._wake(event_filters(owner, decision.events))
        for job in decision.finished:
            self._jobs.was_finished(job)
        callbacks = sum(isinstance(record, Delivery) and record.version == 1 for record in decision.writes)
        await self.drop_excess(owner, sum(row.size for row in events), newest or 0, callbacks)

    def _wake(self, entries: Iterable[JournalFilter]) -> None:
        for entry in entries:
            self._server_connection.wake(entry)

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an exchange or a callback to the journal; return its `seq`. Simultaneous entries share a statement."""
        owner, purchase_id = storable(merchant), purchase_id and storable(purchase_id)
        row = entry_row(owner, kind, name, data, at, purchase_id)
        written: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((row, narrowest_filter(owner, kind, name, purchase_id, data), written))
        if self._appending is None or self._appending.done():
            self._appending = asyncio.create_task(self._append_pending())
        return await written

    async def _append_pending(self) -> None:
        while self._pending:
            batch, self._pending = self._pending[:MAX_ENTRIES], self._pending[MAX_ENTRIES:]
            try:
                seqs = await self._append([(row, entry) for row, entry, _ in batch])
            except Exception as fault:
                for *_, written in batch:
                    if not written.done():
                        written.set_exception(fault)
                continue
            for (*_, written), seq in zip(batch, seqs, strict=True):
                if not written.done():
                    written.set_result(seq)

    async def _append(self, entries: list[tuple[EntryRow, JournalFilter]]) -> list[int]:
        rows = [row for row, _ in entries]
        seqs = sorted(row[0] for row in await self._insert_entries(rows))
        self._wake({entry for _, entry in entries})
        sizes: defaultdict[str, int] = defaultdict(int)
        newest: dict[str, int] = {}
        for row, seq in zip(rows, seqs, strict=True):
            sizes[row.merchant] += row.size
            newest[row.merchant] = seq
        for merchant, size in sizes.items():
            await self.drop_excess(merchant, size, newest[merchant])
        return seqs

    async def _insert_entries(self, rows: list[EntryRow]) -> list[Row]:
        self.journal_statements += 1
        statement = self._with_shift(append_statement(len(rows)))
        if len(rows) > MAX_ENTRY_ROWS:
            return await self.fetch(statement, *zip(*rows, strict=True))
        return await self.fetch(statement, *chain.from_iterable(rows))

    async def cut_journal(self, merchant: str, excess: int, newest: int) -> int:
        """Drop entries below `newest` until `excess` bytes are free, exchanges and callbacks first; return the bytes freed."""
        return int(await self.value(CUT_JOURNAL, merchant, newest, excess))

    async def position(self) -> int:
        """Return a position up to which the journal is complete; every entry that is still to come is after it."""
        self._preloads.forget()
        return int(await self.value(self._with_shift("SELECT HORIZON - 1")))

    async def _page(self, journal_filter: JournalFilter, after: int, before: int | None, limit: int) -> list[Entry]:
        """Return entries in order; wait for the end of the transactions that are older than the newest of them."""
        conditions, values = sql.entries_query(journal_filter, after, before)
        order = "seq" if before is None else "seq DESC"
        select = f"SELECT HORIZON, {sql.ENTRY_COLUMNS} FROM journal WHERE {conditions}"
        end = f"ORDER BY {order} LIMIT {limit}"
        target = None
        for pause in _PAUSES:
            rows = await self.fetch(self._with_shift(f"{select} {end}"), *values)
            complete = [row for row in rows if row[1] < row[0]]
            if len(complete) == len(rows):
                break
            target = target or max(row[1] for row in rows)
            if rows[0][0] > target:
                break
            await asyncio.sleep(pause)
        if before is not None and len(complete) < len(
            rows
        ):  # there are older ones in place of those that are not complete
            complete = await self.fetch(self._with_shift(f"{select} AND seq < HORIZON {end}"), *values)
        return [entry_of_row(row[1:]) for row in complete]

    async def wait(self, journal_filter: JournalFilter, after: int, seconds: float) -> bool:
        """Wait until an entry after a position matches; False when the time ran out first."""
        self._preloads.forget()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            left = deadline - loop.time()
            waiting = asyncio.ensure_future(self._waiters.wait(journal_filter, min(POLL, max(left, 0))))
            try:
                await asyncio.sleep(0)
                if await self.entries(journal_filter, after, 1):
                    return True
                if await waiting:
                    return True
            finally:
                waiting.cancel()
            if loop.time() >= deadline:
                return False

    def watching(self, journal_filter: JournalFilter) -> AbstractContextManager[Watching]:
        """Notice every entry that matches from now on."""
        return self._waiters.watching(journal_filter, POLL)

    async def claim(self, merchant: str, until: float) -> Job | None:
        """Take a merchant's first job that is due at `until`, unless another server moves its clock; `finish` it when done."""
        return await self._jobs.claim(merchant, until, moves_clock=self._moves_clock(merchant))

    async def claim_due(self, merchant: str, real_time: float) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due."""
        return await self._jobs.claim_due(merchant, real_time, moves_clock=self._moves_clock(merchant))

    def _moves_clock(self, merchant: str) -> bool:
        return self._connections.lock_key(clock_lock(merchant)) in self._taken

    async def finish(self, job: Job) -> None:
        """Delete a claimed job a little later, unless a decision did so when it was committed; a crash before that repeats it."""
        self._jobs.finish(job)

    async def release(self, job: Job) -> None:
        """Put a claimed job back, so that it is claimed again; if the database cannot be reached, a later heartbeat does it."""
        await self._jobs.release(job)

    async def wait_for_other_servers(self, merchant: str, kinds: Collection[str]) -> None:
        """Wait until no other server has claimed jobs of a merchant that are of these kinds."""
        await self._jobs.wait_for_other_servers(merchant, kinds)

    def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs this server should look at, because another one left them."""
        return self._jobs.overdue()

    async def count(self, merchant: str, name: str) -> int:
        """Increment a counter and return its new value: 1 the first time."""
        drawn = self._preloads.draw(merchant, name)
        if drawn is not None:
            return drawn
        return int(await self.value(COUNT, storable(merchant), name))

    async def count_request(self, merchant: str, limit: str, second: int) -> int:
        """Count a request under a rate limit, and return how many all servers counted in this second of the database's clock."""
        return int(await self.value(COUNT_REQUEST, storable(merchant), limit))

    async def clear(self, merchant: str | None) -> None:
        """Delete the state of a merchant, or of all."""
        self._preloads.forget()
        conditions = ("", "") if merchant is None else ("WHERE merchant = $1", "WHERE name = $1")
        values = () if merchant is None else (storable(merchant),)
        await self.fetch(CLEAR.format(*conditions), *values)
        self.forget_sizes()
        self._server_connection.cleared(merchant)

    async def dump(self, merchants: Sequence[str] | None = None) -> AsyncGenerator[Portion]:
        """Yield the state of some merchants, or of all, as it was at one moment, with a connection of its own."""
        await self._jobs.finish_all()
        async with (
            self._connections.session() as session,
            session.transaction(isolation="repeatable_read", readonly=True),
            aclosing(read_state(session, merchants)) as portions,
        ):
            async for portion in portions:
                yield portion

    async def load(self, portions: AsyncIterator[Portion]) -> None:
        """Replace the state of the merchants that the portions name by what these contain, all or nothing."""
        async with self._connections.session() as session:
            staging = Staging(session)
            merchants = await staging.fill(portions, self.bounds.most_callbacks)
            await session.fetch("ANALYZE staged_records")
            for _ in range(DEADLOCK_TRIES - 1):
                # after a deadlock, or where a key was taken after the check: the next check names it
                with contextlib.suppress(asyncpg.UniqueViolationError, *DEADLOCKS):
                    await self._replace(session, staging)
                    break
            else:
                await self._replace(session, staging)
            self.forget_sizes()
            self._server_connection.cleared(*merchants)
            with contextlib.suppress(OSError, asyncpg.InterfaceError, asyncpg.PostgresError):  # the state is replaced
                await session.fetch("ANALYZE records")  # plans that were made for a small table would read all of it

    async def _replace(self, session: PostgresSession, staging: Staging) -> None:
        async with session.transaction():
            await session.fetch("SELECT pg_advisory_xact_lock($1)", self._connections.lock_key("load"))
            await staging.replace()

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[None]:
        """Wait until no other caller, on any server, has the lock of this name, and take it."""
        key = self._connections.lock_key(name)
        async with self._locks.locked(name):
            await self._server_connection.lock(key)
            self._taken.add(key)
            try:
                yield
            finally:
                self._taken.discard(key)
                await self._server_connection.unlock(key)

    async def close(self) -> None:
        """Leave what is in progress to the other servers, and disconnect."""
        if self._appending is not None:
            await asyncio.wait([self._appending])
        await self._jobs.close()
        was_registered = await self._heartbeat.stop()
        await self._server_connection.close()
        if was_registered:
            with contextlib.suppress(StoreFailure, WriteConflict, asyncpg.PostgresError):
                await self._heartbeat.take_over(self._owner)
        await self._connections.close()


_PAUSES = (0.001, 0.002, 0.004, 0.008, *[0.015] * 60)
