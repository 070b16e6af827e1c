"""The connection of an SQLite store: statements and transactions in the event loop, checkpoints in a thread."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mock_klarna.store.sqlite_file import SQLITE_ERRORS, connect, error_while_running, numbered, transaction

CHECKPOINT_PAGES = 2000
"""Commits, or pages that a portion writes, after which a checkpoint begins."""


class Connection:
    """The only connection that writes to a file; raises `StoreFull` and `StoreFailure`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._checkpoint: asyncio.Future[None] | None = None
        self._pages = 0
        self.statements = 0
        """How many statements were executed."""

    @property
    def raw(self) -> sqlite3.Connection:
        """SQLite's connection, for what is executed before the store is open."""
        return self._connection

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement."""
        self.statements += 1
        try:
            return self._connection.execute(*numbered(statement, values))
        except SQLITE_ERRORS as fault:
            raise error_while_running(self._path, fault) from fault

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is executed inside, or nothing."""
        try:
            with transaction(self._connection):
                yield
        except SQLITE_ERRORS as fault:
            raise error_while_running(self._path, fault) from fault
        self._pages += 1
        if self._pages >= CHECKPOINT_PAGES and (self._checkpoint is None or self._checkpoint.done()):
            with suppress(RuntimeError):
                self._begin_checkpoint()

    async def checkpoint(self) -> None:
        """Write the whole WAL into the file, so that it begins anew: after many pages were written."""
        await self.end_checkpoint()
        await asyncio.shield(self._begin_checkpoint())

    def _begin_checkpoint(self) -> "asyncio.Future[None]":
        self._checkpoint = asyncio.get_running_loop().run_in_executor(None, self._run_checkpoint)
        self._pages = 0
        return self._checkpoint

    def _run_checkpoint(self) -> None:
        with suppress(sqlite3.Error):
            connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            try:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                connection.close()

    async def end_checkpoint(self) -> None:
        """Wait for the checkpoint that is running."""
        if self._checkpoint is not None:
            await asyncio.shield(self._checkpoint)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
