"""A connection to an SQLite file whose statements execute in a thread of their own: for dumps, which take long."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mock_klarna.store.sql_rows import Row
from mock_klarna.store.sqlite_file import SQLITE_ERRORS, connect, error_while_running, numbered

T = TypeVar("T")
_PAGE = 64
"""Rows that are fetched at a time."""


class SqliteSession:
    """The connection. It is interrupted and closed at the end of `open_session`, whatever it is doing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "mock-klarna-sqlite")
        self._connection: Any = None

    async def _run(self, function: Callable[..., T], *values: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *values)
        except SQLITE_ERRORS as fault:
            raise error_while_running(self._path, fault) from fault

    async def connect(self) -> None:
        """Open the file."""
        self._connection = await self._run(partial(connect, self._path, is_shared_by_threads=True))

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Execute one statement and return its rows."""
        return await self._run(lambda: self._connection.execute(*numbered(statement, values)).fetchall())

    async def pages(self, statement: str, *values: Any) -> AsyncGenerator[Sequence[Row]]:
        """Execute one statement and yield its rows, a few at a time."""
        cursor = await self._run(lambda: self._connection.execute(*numbered(statement, values)))
        while page := await self._run(cursor.fetchmany, _PAGE):
            yield page

    async def close(self) -> None:
        """Interrupt what still executes, and close."""
        if self._connection is not None:
            self._connection.interrupt()
            with suppress(sqlite3.Error):
                await asyncio.shield(self._run(self._connection.close))
        self._thread.shutdown(wait=False)


@asynccontextmanager
async def open_session(path: Path) -> AsyncIterator[SqliteSession]:
    """Open a connection of its own for a dump; raises `StoreFailure`."""
    session = SqliteSession(path)
    try:
        await session.connect()
        yield session
    finally:
        await session.close()
