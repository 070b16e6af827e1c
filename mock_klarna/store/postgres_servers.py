"""The servers that share a PostgreSQL schema: notifications, locks, the heartbeat, and taking over from a server that is gone.

Waiters on other servers are woken by NOTIFY, in a transaction of its own, because NOTIFY makes commits wait for each other.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

import orjson
from msgspec.structs import astuple

from mock_klarna import __version__
from mock_klarna.domain.callbacks import read_back
from mock_klarna.domain.journal import JournalFilter
from mock_klarna.errors import StoreFailure, WriteConflict
from mock_klarna.store.in_process import Waiters
from mock_klarna.store.postgres_connections import Connections, translated_errors
from mock_klarna.store.sql_rows import record_of, record_row

_log = logging.getLogger(__name__)
_RELEASE = (
    "DELETE FROM jobs j USING jobs w WHERE j.owner = $1 AND w.owner IS NULL AND w.merchant = j.merchant AND w.job_id = j.job_id",
    """DELETE FROM jobs j USING jobs l WHERE j.owner = $1 AND l.owner = $1 AND l.merchant = j.merchant
        AND l.job_id = j.job_id AND l.position > j.position""",
    "UPDATE jobs SET owner = NULL WHERE owner = $1",
)
_SEEN = (
    "INSERT INTO servers (owner, version, seen) VALUES ($1, $2, now()) ON CONFLICT (owner) DO UPDATE SET seen = now() "
    "RETURNING set_config('synchronous_commit', 'off', true)"
)
_SILENT = "SELECT owner FROM servers WHERE seen < now() - make_interval(secs => $1)"
_MAX_PAYLOAD = 7000
"""Bytes of a notification; PostgreSQL takes fewer than 8000."""


class ServerConnection:
    """A connection that a server keeps for notifications and advisory locks; it is opened again when it was lost.

    owner: the id of this server. forget_sizes: called when another server deleted state.
    is_alone: whether no other server was seen.
    """

    def __init__(
        self, connections: Connections, owner: str, waiters: Waiters, forget_sizes: Callable[[], None]
    ) -> None:
        self._connections, self._owner, self._waiters = connections, owner, waiters
        self._forget_sizes = forget_sizes
        self._channel = f"mock_klarna_{blake2b(connections.schema.encode(), digest_size=8).hexdigest()}"
        self._connection: Any = None
        self._turn = asyncio.Lock()
        self._entries: set[JournalFilter] = set()
        self._cleared: set[str | None] = set()
        self._sending: asyncio.Task[None] | None = None
        self.is_alone = False

    async def execute(self, statement: str, *values: Any) -> Any:
        """Execute a statement and return the first value of its row; raises `StoreFailure` if the database cannot be reached."""
        async with self._turn:
            with translated_errors():
                self._connections.statements += 1
                return await (await self._connected()).fetchval(statement, *values)

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            connection = await self._connections.open()
            try:
                await connection.add_listener(self._channel, self._receive)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        return self._connection

    def wake(self, entry: JournalFilter) -> None:
        """Wake the waiters of an entry, which is given as its narrowest filter, on this server and on the others."""
        if self._waiters:
            self._waiters.wake(entry)
        if not self.is_alone:
            self._entries.add(entry)
            self.announce_to_all()

    def cleared(self, *merchants: str | None) -> None:
        """Wake the waiters of merchants whose state was deleted (None for all), on this server and on the others."""
        for merchant in merchants:
            self._waiters.cleared(merchant)
        if not self.is_alone:
            self._cleared.update(merchants)
            self.announce_to_all()

    def announce_to_all(self) -> None:
        """Send a notification even if no other server was seen yet; simultaneous calls share it."""
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while True:
            with contextlib.suppress(StoreFailure):
                await self.execute("SELECT pg_notify($1, $2)", self._channel, self._payload())
            if not (self._entries or self._cleared):
                break

    def _payload(self) -> str:
        """Return the next notification; what does not fit into it follows in another one."""
        cleared: list[str | None] = []
        entries: list[tuple[str | None, ...]] = []
        size = 0
        while self._cleared and size < _MAX_PAYLOAD // 2:
            cleared.append(self._cleared.pop())
            size += len(orjson.dumps(cleared[-1]))
        while self._entries and size < _MAX_PAYLOAD // 2:
            entries.append(astuple(self._entries.pop()))
            size += len(orjson.dumps(entries[-1]))
        message: dict[str, Any] = {"from": self._owner, "entries": entries, "cleared": cleared}
        if size > _MAX_PAYLOAD - 200:
            message |= {"entries": None, "cleared": [None] if cleared else []}
        return orjson.dumps(message).decode()

    def _receive(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        message = orjson.loads(payload)
        if message["from"] == self._owner:
            return
        self.is_alone = False
        if message["cleared"]:
            self._forget_sizes()
        for merchant in message["cleared"]:
            self._waiters.cleared(merchant)
        if message["entries"] is None:
            self._waiters.wake_all()
        else:
            for entry in message["entries"]:
                self._waiters.wake(JournalFilter(**dict(zip(JournalFilter.__struct_fields__, entry, strict=True))))

    async def lock(self, key: int) -> None:
        """Wait until no other server has an advisory lock, and take it; a call that is cancelled or fails does not keep it."""
        pause = 0.002
        try:
            while not await self.execute("SELECT pg_try_advisory_lock($1)", key):
                await asyncio.sleep(pause)
                pause = min(0.05, pause * 1.5)
        except BaseException:
            await self.unlock(key)  # the database may have taken it, and only the answer is missing
            raise

    async def unlock(self, key: int) -> None:
        """Release an advisory lock; a lost connection has released it already."""
        with contextlib.suppress(StoreFailure):
            await self.execute("SELECT pg_advisory_unlock($1)", key)

    async def close(self) -> None:
        """Stop sending, and disconnect."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self._connection is not None and not self._connection.is_closed():
            with contextlib.suppress(Exception):
                await self._connection.close(timeout=1)


class Heartbeat:
    """Registers this server five times in each lease, and takes over from servers that were silent for a lease.

    check_jobs: called with each heartbeat.
    """

    def __init__(
        self,
        connections: Connections,
        connection: ServerConnection,
        owner: str,
        lease: float,
        check_jobs: Callable[[], Awaitable[None]],
    ) -> None:
        self._connections, self._connection = connections, connection
        self._owner, self._lease, self._check_jobs = owner, lease, check_jobs
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, register, notify the other servers, and repeat the heartbeat from now on."""
        await self._connection.execute("SELECT 1")
        await self.beat()
        self._connection.announce_to_all()
        self._task = asyncio.create_task(self._repeat())

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 5)
            try:
                await self.beat()
                await self._connection.execute("SELECT 1")
            except (StoreFailure, WriteConflict) as fault:
                _log.warning("%s; trying again", fault)
            except Exception:
                _log.exception("the heartbeat failed")

    async def beat(self) -> None:
        """Register this server, take over from silent ones, and check jobs."""
        await self._connections.fetch(_SEEN, self._owner, __version__)
        for (owner,) in await self._connections.fetch(_SILENT, self._lease):
            _log.warning("server %s is silent for %g s; this one takes over its jobs", owner, self._lease)
            await self.take_over(owner)
        ((others,),) = await self._connections.fetch("SELECT count(*) FROM servers WHERE owner <> $1", self._owner)
        self._connection.is_alone = not others
        await self._check_jobs()

    async def take_over(self, owner: str) -> None:
        """Put back the jobs of a server that is gone, and close the callbacks that it was sending."""
        async with self._connections.use() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", self._connections.lock_key("take_over"))
            for statement in _RELEASE:
                await connection.execute(statement, owner)
            rows = await connection.fetch("SELECT kind, key, version, body FROM records WHERE owner = $1", owner)
            for kind, key, version, body in rows:
                record = record_of(kind, body)
                waiting = await connection.fetch("SELECT job_id FROM jobs WHERE merchant = $1", record.merchant)
                row = record_row(read_back(record, {job_id for (job_id,) in waiting}), self._owner)
                statement = "UPDATE records SET owner = NULL, body = $4 WHERE kind = $1 AND key = $2 AND version = $3"
                await connection.execute(statement, kind, key, version, row.body)
            await connection.execute("DELETE FROM servers WHERE owner = $1", owner)

    async def stop(self) -> bool:
        """End the heartbeat; return whether there was one."""
        if self._task is None:
            return False
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return True
