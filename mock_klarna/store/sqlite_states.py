"""The states of an SQLite store: rows are visible while their state is the one that `merchants` has for their merchant.

A snapshot is written as new states in small transactions, and one short transaction gives them to its merchants. A reset takes
the state of a merchant away. The rows of states that no merchant has are deleted slowly, in portions between other requests.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.records import Job, Record
from mock_klarna.errors import MockKlarnaError, StoreFailure, StoreFull
from mock_klarna.store import sql
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.sql_rows import RecordRow, job_columns, record_row, storable
from mock_klarna.store.sqlite_connection import Connection

SCHEDULE = "INSERT OR REPLACE INTO job_rows (state, job_id, due, kind, subject, number) VALUES ($1, $2, $3, $4, $5, $6)"
_MERCHANT_OF = "SELECT name FROM merchants WHERE state = $1"
_STATE_OF = "SELECT state FROM merchants WHERE name = $1"
_NEW_STATE = "INSERT INTO states DEFAULT VALUES"
_GIVE_STATE = "INSERT INTO merchants (state, name) VALUES ($1, $2)"
_TAKE_STATE = "DELETE FROM merchants WHERE name = $1 RETURNING state"
_TAKE_ALL_STATES = "DELETE FROM merchants RETURNING state"
_UNUSED = "SELECT state FROM states WHERE state NOT IN (SELECT state FROM merchants) ORDER BY state"
_STATES_WITH_NAME = (
    "SELECT state FROM record_rows WHERE kind = $1 AND key = $2 "
    "UNION ALL SELECT state FROM record_rows WHERE kind = $1 AND alias = $2"
)
_STAGE = (
    "INSERT INTO record_rows (kind, key, alias, state, subject, version, owner, body) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
_DROP_OLDEST = (
    "DELETE FROM record_rows WHERE position = "
    "(SELECT min(position) FROM record_rows WHERE state = $1 AND kind = 'callback')"
)
_STAGE_COUNTER = "INSERT OR REPLACE INTO counter_rows (state, name, value) VALUES ($1, $2, $3)"
_ROWS_OF_STEP = 10
_DELETE_ROWS = tuple(
    f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE state = $1 LIMIT {_ROWS_OF_STEP})"
    for table in ("job_rows", "record_rows", "journal_rows", "counter_rows")
)
_FORGET_STATE = "DELETE FROM states WHERE state = $1"
_PORTION_SECONDS = 0.001
"""How long the statements of a portion execute; its commit takes about as long again."""
_DELETION_PAUSE = 0.02
"""Seconds between two portions of rows that are deleted."""
_PAGES_OF_ROW = 6
"""Pages that a row of `record_rows` changes: its own, and one of each index."""
_WAL_PAGES = 32000
"""Pages after which loading and deleting wait for a checkpoint, so that the WAL does not grow without end."""


def with_state(row: RecordRow, state: int) -> tuple[Any, ...]:
    """Return the columns of a record: kind, key, alias, state, subject, version, owner, body."""
    return (*row[:3], state, *row[4:])


class _Load:
    """A snapshot that is being loaded: its states by merchant, and the records that have one of its names in other states."""

    def __init__(self) -> None:
        self.states: dict[str, int] = {}
        self.taken: dict[int, tuple[str, str]] = {}
        self.callbacks: dict[int, int] = {}


class States:
    """The state of each merchant, snapshots that are being loaded, and the deletion of old states."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, int] = {}
        self._loads: dict[int, _Load] = {}
        self._unused = deque(state for (state,) in connection.execute(_UNUSED))
        self._deleting: asyncio.Task[None] | None = None
        self._written = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is executed inside, or nothing: then the states that merchants got inside do not exist."""
        try:
            with self._connection.transaction():
                yield
        except BaseException:
            self._known.clear()
            raise

    def of(self, merchant: str) -> int:
        """Return the state of a merchant, inside `transaction`; a new merchant gets an empty one."""
        state = self._known.get(merchant)
        if state is not None:
            return state
        row = self._connection.execute(_STATE_OF, merchant).fetchone()
        if row is None:
            state = self._new_state()
            self._connection.execute(_GIVE_STATE, state, merchant)
            return state
        if len(self._known) > sql.MAX_KNOWN:
            self._known.clear()
        self._known[merchant] = row[0]
        return int(row[0])

    def _new_state(self) -> int:
        return self._connection.execute(_NEW_STATE).lastrowid or 0

    def committed(self, rows: Sequence[RecordRow]) -> None:
        """Look whether snapshots that are being loaded have the names of records that were just committed."""
        if self._loads:
            for row in rows:
                self._find_names(row, self.of(row.merchant))

    def _find_names(self, row: RecordRow, state: int, load: _Load | None = None) -> None:
        """Note that a record of a state has the names of records in other states, for the loads of both."""
        for name in filter(None, (row.key, row.alias)):
            for (other,) in self._connection.execute(_STATES_WITH_NAME, row.kind, name).fetchall():
                if load is not None:
                    if self._loads.get(other) is load:
                        raise MockKlarnaError(f"the snapshot contains {row.kind} {name} twice", where="merchants")
                    load.taken.setdefault(other, (row.kind, name))
                if other in self._loads:
                    self._loads[other].taken.setdefault(state, (row.kind, name))

    def clear(self, merchant: str | None) -> None:
        """Take away the state of a merchant, or of all; its rows are deleted later."""
        statement, values = (_TAKE_ALL_STATES, ()) if merchant is None else (_TAKE_STATE, (merchant,))
        with self._connection.transaction():
            taken = self._connection.execute(statement, *values).fetchall()
        self._known.clear()
        self._delete_rows(state for (state,) in taken)

    async def load(self, portions: AsyncIterator[Portion], most_callbacks: int) -> list[str]:
        """Write portions as new states, of callbacks the newest, and give these to their merchants; return those.

        Raises `MockKlarnaError` if two records have the same key or alias, or one of a merchant that is not replaced has it.
        """
        load = _Load()
        unused: list[int] = []
        try:
            async for portion in portions:
                self._add_state(load, storable(portion.merchant))
                await self._write(self._stage(load, portion, most_callbacks), 0)
            with self._connection.transaction():
                self._require_names(load)
                for merchant, state in load.states.items():
                    unused += (old for (old,) in self._connection.execute(_TAKE_STATE, merchant).fetchall())
                    self._connection.execute(_GIVE_STATE, state, merchant)
            return list(load.states)
        except BaseException:
            unused = list(load.states.values())
            raise
        finally:
            self._known.clear()
            for state in load.states.values():
                del self._loads[state]
            self._delete_rows(unused)

    def _add_state(self, load: _Load, merchant: str) -> None:
        """Make the state of a merchant, unless it has one.

        This is committed before anything else: SQLite gives the number of a state that is rolled back to the next one.
        """
        if merchant not in load.states:
            with self._connection.transaction():
                state = self._new_state()
            load.states[merchant] = state
            self._loads[state] = load

    def _stage(self, load: _Load, portion: Portion, most_callbacks: int) -> Iterator[int]:
        """Write a portion; yield after each row."""
        state = load.states[storable(portion.merchant)]
        for record in portion.records:
            self._stage_record(load, state, record)
            yield 1
            if isinstance(record, Delivery):
                count = load.callbacks[state] = load.callbacks.get(state, 0) + 1
                if count > most_callbacks:
                    self._connection.execute(_DROP_OLDEST, state)
                    yield 1
        for job in portion.jobs:
            self.schedule(state, job)
            yield 1
        for name, value in portion.counters.items():
            self._connection.execute(_STAGE_COUNTER, state, name, value)
            yield 1

    def _stage_record(self, load: _Load, state: int, record: Record) -> None:
        row = record_row(record, "")
        self._find_names(row, state, load)
        self._connection.execute(_STAGE, *with_state(row, state))

    def schedule(self, state: int, job: Job) -> None:
        """Write a job that is not claimed."""
        _, *columns = job_columns(job)
        self._connection.execute(SCHEDULE, state, *columns)

    def _require_names(self, load: _Load) -> None:
        for state, (kind, name) in load.taken.items():
            for (merchant,) in self._connection.execute(_MERCHANT_OF, state).fetchall():
                if merchant not in load.states:
                    raise MockKlarnaError(f"{kind} {name} already belongs to {merchant!r}", where="merchants")

    def _delete_rows(self, states: Iterable[int]) -> None:
        self._unused += states
        self.begin_deletion()

    def begin_deletion(self) -> None:
        """Delete the rows of states that no merchant has, in a task."""
        if self._unused and (self._deleting is None or self._deleting.done()):
            self._deleting = asyncio.get_running_loop().create_task(self._delete())

    async def _delete(self) -> None:
        with suppress(StoreFull, StoreFailure):  # the next load or reset, or the next start, begins again
            await self._write(self._deletions(), _DELETION_PAUSE)

    def _deletions(self) -> Iterator[int]:
        """Delete the rows of all states that are not used; yield after each few rows."""
        while self._unused:
            state = self._unused[0]
            for statement in _DELETE_ROWS:
                while deleted := self._connection.execute(statement, state).rowcount:
                    yield deleted
            self._connection.execute(_FORGET_STATE, state)
            self._unused.popleft()

    async def _write(self, steps: Iterator[int], pause: float) -> None:
        """Execute steps in transactions that take a few milliseconds; other requests go on between them."""
        time = asyncio.get_running_loop().time
        is_done = False
        while not is_done:
            started = time()
            with self._connection.transaction():
                for rows in steps:
                    self._written += rows * _PAGES_OF_ROW
                    if time() - started > _PORTION_SECONDS:
                        break
                else:
                    is_done = True
            if self._written > _WAL_PAGES:
                self._written = 0
                await self._connection.checkpoint()
            ended = time()
            await asyncio.sleep(pause)
            if (
                time() - ended > pause + _PORTION_SECONDS / 8
            ):  # other requests did something: they get more time than this
                await asyncio.sleep(2 * _PORTION_SECONDS)

    async def wait_for_deletion(self) -> None:
        """Wait until no rows are left that no merchant has."""
        while self._deleting is not None and not self._deleting.done():
            await asyncio.shield(self._deleting)

    async def close(self) -> None:
        """Stop deleting."""
        if self._deleting is not None:
            self._deleting.cancel()
            await asyncio.wait([self._deleting])
