"""Connections to PostgreSQL: the URL of a store, the connections that its statements share, and what errors mean."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from mock_klarna import __version__
from mock_klarna.connection_errors import cause_of
from mock_klarna.errors import StoreFailure, StoreFull, TooManyConflicts
from mock_klarna.settings import SettingsError
from mock_klarna.store.sql_rows import Row

LEASE = 10.0
"""Seconds without a heartbeat after which a server counts as gone; `?lease=` of the URL changes it."""
MAX_CONNECTIONS = 8
DEFAULT_SCHEMA = "mock_klarna"
_ESCAPED = "write # as %23, @ as %40, / as %2F and other special characters of user and password likewise"
DEADLOCKS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""What ends a statement that waits for one of another server which waits for it; executed again, it succeeds."""
DEADLOCK_TRIES = 10
_PAGE = 64
"""Rows of a dump that are fetched at a time."""


class StoreUrl(NamedTuple):
    """The URL of a store: the database without our own parameters, the schema, and the lease in seconds."""

    database: str
    schema: str
    lease: float


def parse_url(url: str) -> StoreUrl:
    """Return the parts of `postgresql://USER:PASSWORD@HOST/DATABASE?schema=NAME&lease=SECONDS`; raises `SettingsError`."""
    try:
        parts = urlsplit(url)
        port, database = parts.port, parts.path.strip("/")
    except ValueError as error:
        raise SettingsError(f"--store: the URL of PostgreSQL is not readable: {error}; {_ESCAPED}") from None
    if parts.fragment or not database or port == 0:
        raise SettingsError(
            f"--store: the URL of PostgreSQL has to end with /DATABASE, or with parameters after it; {_ESCAPED}"
        )
    pairs = dict(parse_qsl(parts.query))
    schema, lease = pairs.pop("schema", DEFAULT_SCHEMA), pairs.pop("lease", str(LEASE))
    if not schema.replace("_", "a").isalnum() or not schema.isascii() or len(schema) > 60:
        raise SettingsError(f"--store: {schema!r} is not a schema name; letters, digits and _ make one")
    try:
        seconds = float(lease)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise SettingsError(f"--store: lease={lease} is not a number of seconds from 1 to 3600")
    return StoreUrl(urlunsplit(parts._replace(scheme="postgresql", query=urlencode(pairs))), schema, seconds)


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise `StoreFailure` if the database cannot be reached or written, or was in a deadlock, `StoreFull` if it is full."""
    try:
        yield
    except (TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as fault:
        raise StoreFailure(f"the database cannot be reached: {cause_of(fault)}") from fault
    except (asyncpg.OperatorInterventionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as fault:
        raise StoreFailure(f"the database cannot be reached: {fault}") from fault
    except (asyncpg.DiskFullError, asyncpg.OutOfMemoryError) as fault:
        raise StoreFull(f"the database is full: {fault}") from fault
    except (asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientPrivilegeError) as fault:
        raise StoreFailure(f"the database cannot be written: {fault}") from fault
    except DEADLOCKS as fault:
        raise TooManyConflicts(f"the database ended a statement: {fault}") from fault


def hint_at_open(fault: BaseException) -> str:
    """Return what to do about the error with which a store could not be opened."""
    match fault.__cause__ or fault:
        case asyncpg.InsufficientPrivilegeError():
            return "give the user the right to create a schema, or name one that belongs to the user with ?schema="
        case asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.InvalidCatalogNameError():
            return "check user, password and database"
        case asyncpg.InterfaceError() | asyncpg.SyntaxOrAccessError():
            return "correct the parameters of the URL: schema and lease are mock-klarna's, all others are PostgreSQL's"
        case _:
            return "start the database, or name another one"


class Connections:
    """A few connections to the schema of a store; the one that was used last is used next.

    asyncpg's own pool resets a connection after each use, which is one more statement. statements: how many were executed
    outside transactions.
    """

    def __init__(self, url: StoreUrl) -> None:
        self.schema = url.schema
        self._database = url.database
        self._idle: list[Any] = []
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self.statements = 0

    async def open(self, command_timeout: float | None = 60) -> Any:
        """Open a connection that only the caller uses; raises `StoreFailure` if the database cannot be reached."""
        settings = {"search_path": self.schema, "application_name": f"mock-klarna {__version__}", "jit": "off"}
        with translated_errors():
            return await asyncpg.connect(
                self._database, timeout=5, command_timeout=command_timeout, server_settings=settings
            )

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Any]:
        """Lend a connection; raises `StoreFailure` if the database cannot be reached."""
        async with self._slots:
            with translated_errors():
                connection = self._take() or await self.open()
                try:
                    yield connection
                finally:
                    if connection.is_in_transaction():  # its end was cancelled or timed out: nothing else may run in it
                        connection.terminate()
                    self._give_back(connection)

    @asynccontextmanager
    async def session(self) -> AsyncIterator["PostgresSession"]:
        """Open a connection for a dump or a load, which may take long; raises `StoreFailure` if the database cannot be reached."""
        connection = await self.open(command_timeout=None)
        try:
            with translated_errors():
                yield PostgresSession(connection)
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=1)

    def _take(self) -> Any:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _give_back(self, connection: Any) -> None:
        if not connection.is_closed():
            self._idle.append(connection)

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows; one that was in a deadlock is executed again."""
        for _ in range(DEADLOCK_TRIES - 1):
            with contextlib.suppress(TooManyConflicts):
                return await self._fetch(statement, *values)
        return await self._fetch(statement, *values)

    async def _fetch(self, statement: str, *values: Any) -> list[Row]:
        self.statements += 1
        async with self._slots:
            with translated_errors():
                connection = self._take() or await self.open()
                try:
                    rows: list[Row] = await connection.fetch(statement, *values)
                    return rows
                finally:
                    self._give_back(connection)

    def lock_key(self, name: str) -> int:
        """Return the number of a name among the database's advisory locks."""
        return int.from_bytes(
            blake2b(f"{self.schema}\0{name}".encode(errors="replace"), digest_size=8).digest(), signed=True
        )

    async def close(self) -> None:
        """Close the connections that nothing uses."""
        for connection in self._idle:
            with contextlib.suppress(Exception):
                await connection.close(timeout=1)
        self._idle.clear()


class PostgresSession:
    """A connection that only one dump or load uses."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.transaction = connection.transaction

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""
        rows: list[Row] = await self._connection.fetch(statement, *values)
        return rows

    async def pages(self, statement: str, *values: Any) -> AsyncGenerator[Sequence[Row]]:
        """Execute one statement and yield its rows, a few at a time."""
        cursor = await self._connection.cursor(statement, *values)
        while page := await cursor.fetch(_PAGE):
            yield page

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows into a staging table."""
        await self._connection.copy_records_to_table(table, records=rows, columns=columns)
