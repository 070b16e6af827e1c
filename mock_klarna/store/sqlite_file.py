"""The SQLite file of a store: which path may be used, its lock, its schema, and what its errors mean."""

import os
import sqlite3
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mock_klarna.errors import MockKlarnaError, StoreFailure, StoreFull
from mock_klarna.settings import SettingsError

APPLICATION_ID = 0x4D4B4C41
"""`MKLA`: the mark of our files."""
CHECKED_BYTES = 32 << 20
"""Files up to this size are checked as a whole when they are opened; larger ones would take longer than a start may."""
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        "CREATE TABLE states (state INTEGER PRIMARY KEY AUTOINCREMENT)",
        """CREATE TABLE merchants (
            state INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dropped INTEGER NOT NULL DEFAULT 0,
            position INTEGER AS (state))""",
        """CREATE TABLE record_rows (
            position INTEGER PRIMARY KEY, state INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, alias TEXT,
            subject TEXT, version INTEGER NOT NULL, owner TEXT, body BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX records_key ON record_rows (key, kind, state)",
        "CREATE INDEX records_alias ON record_rows (alias) WHERE alias IS NOT NULL",
        "CREATE INDEX records_state ON record_rows (state, kind, position)",
        "CREATE INDEX records_subject ON record_rows (subject, kind, state, position) WHERE subject IS NOT NULL",
        "CREATE INDEX records_owner ON record_rows (owner) WHERE owner IS NOT NULL",
        """CREATE TABLE job_rows (
            position INTEGER PRIMARY KEY, state INTEGER NOT NULL, job_id TEXT NOT NULL, due REAL NOT NULL, kind TEXT NOT NULL,
            subject TEXT NOT NULL, number INTEGER NOT NULL, owner TEXT)""",
        "CREATE UNIQUE INDEX jobs_waiting ON job_rows (state, job_id) WHERE owner IS NULL",
        "CREATE INDEX jobs_due ON job_rows (state, due, position)",
        "CREATE INDEX jobs_claimed ON job_rows (state, job_id) WHERE owner IS NOT NULL",
        """CREATE TABLE counter_rows (
            state INTEGER NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (state, name))""",
        """CREATE TABLE journal_rows (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, state INTEGER NOT NULL, kind TEXT NOT NULL,
            name TEXT NOT NULL, purchase_id TEXT, is_event INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL)""",
        "CREATE INDEX journal_state ON journal_rows (state, is_event, seq, size)",
        "CREATE INDEX journal_purchase ON journal_rows (purchase_id, seq) WHERE purchase_id IS NOT NULL",
        """CREATE VIEW records AS
            SELECT r.position, r.kind, r.key, r.alias, m.name AS merchant, r.subject, r.version, r.owner, r.body
            FROM record_rows AS r JOIN merchants AS m ON m.state = r.state""",
        """CREATE VIEW jobs AS
            SELECT r.position, m.name AS merchant, r.job_id, r.due, r.kind, r.subject, r.number, r.owner
            FROM job_rows AS r JOIN merchants AS m ON m.state = r.state""",
        """CREATE VIEW counters AS
            SELECT m.name AS merchant, r.name, r.value FROM counter_rows AS r JOIN merchants AS m ON m.state = r.state""",
        """CREATE VIEW journal AS
            SELECT r.seq, r.at, m.name AS merchant, r.kind, r.name, r.purchase_id, r.is_event, r.size, r.data
            FROM journal_rows AS r JOIN merchants AS m ON m.state = r.state""",
        """CREATE TRIGGER record_deleted INSTEAD OF DELETE ON records BEGIN
            DELETE FROM record_rows WHERE position = old.position; END""",
        """CREATE TABLE totals (
            kind TEXT, state INTEGER, count INTEGER NOT NULL, PRIMARY KEY (kind, state)) WITHOUT ROWID""",
        """CREATE TRIGGER row_added AFTER INSERT ON record_rows BEGIN
            INSERT INTO totals VALUES (new.kind, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END""",
        """CREATE TRIGGER row_removed AFTER DELETE ON record_rows BEGIN
            UPDATE totals SET count = count - 1 WHERE kind = old.kind AND state = old.state;
            DELETE FROM totals WHERE kind = old.kind AND state = old.state AND count = 0; END""",
        "CREATE TABLE server (id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL)",
    ),
    (
        "CREATE TABLE snapshots (name TEXT PRIMARY KEY, about BLOB NOT NULL, content_id TEXT NOT NULL)",
        """CREATE TABLE snapshot_parts (
            content_id TEXT NOT NULL, part INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (content_id, part))""",
    ),
    ("ALTER TABLE merchants ADD COLUMN newest_dropped INTEGER NOT NULL DEFAULT 0",),
)
"""The statements that lead from each version of the schema to the next one; a file has the number of the last.

Each row belongs to a state. `merchants` says which state each merchant has; the views show the rows of these states only.
`states` has all states of which there may be rows.
"""
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What a statement raises when SQLite fails; messages about a damaged schema quote its bytes, which may not be UTF-8."""
_NUMBERS = tuple(map(str, range(1, 33)))


def connect(path: Path, *, is_shared_by_threads: bool = False) -> sqlite3.Connection:
    """Open a database file that exists."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=5,
        cached_statements=256,
        check_same_thread=not is_shared_by_threads,
    )
    try:
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute("PRAGMA temp_store = MEMORY")
    except SQLITE_ERRORS:  # such as for a file that is no database
        connection.close()
        raise
    return connection


def numbered(statement: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Return a statement with SQLite's `?1` instead of `$1`, and its values by the names of these parameters.

    Python 3.12 warns about values without names for such parameters, and Python 3.14 refuses them.
    """
    return _with_question_marks(statement), dict(zip(_NUMBERS, values, strict=False))


@cache
def _with_question_marks(statement: str) -> str:
    return statement.replace("$", "?")


def require_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `MockKlarnaError` for a database of another application, of a newer version or a damaged one."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version or application):
        raise MockKlarnaError(f"{path} is a database of another application", where="store", hint="name another file")
    if version > len(MIGRATIONS):
        message = f"{path} was written by a newer mock-klarna (schema {version}, this one knows {len(MIGRATIONS)})"
        raise MockKlarnaError(message, where="store", hint="use that version, or name another file")
    if path.stat().st_size <= CHECKED_BYTES:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise _damaged(path, str(found).splitlines()[-1])


def migrate(connection: sqlite3.Connection) -> None:
    """Upgrade the schema in one transaction."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == len(MIGRATIONS):
        return
    with transaction(connection):
        for step in MIGRATIONS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all that is executed inside, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def usable_path(path: Path) -> Path:
    """Return the target of a path: a regular file, or a new name in a folder that exists.

    Raises `SettingsError` for anything else, before anything is opened or written.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return _usable_folder(path, target)
    except OSError as fault:
        raise SettingsError(f"--store: cannot use {path}: {fault.strerror}; name a regular file or a new one") from None
    if not stat.S_ISREG(mode):
        raise SettingsError(f"--store: {path} is {_kind(mode)}; name a regular file, such as sqlite:mock-klarna.db")
    return _usable_folder(path, target)


def _usable_folder(path: Path, target: Path) -> Path:
    folder = target.parent
    if not folder.is_dir():
        raise SettingsError(f"--store: {folder} is not a folder that exists; create it, or name a file in another one")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"--store: {folder} cannot be written; SQLite keeps {target.name}-wal beside the file")
    if target.exists() and not os.access(target, os.R_OK | os.W_OK):
        raise SettingsError(f"--store: {path} cannot be read and written; change its mode, or name another file")
    return target


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISLNK, "a symbolic link that leads in a circle"),
    )
    return next((words for test, words in kinds if test(mode)), "no regular file")


class FileLock:
    """The operating system's lock on the database file, which ends with the process. SQLite's own locks are separate.

    Creates the file, readable by its owner only, where there is none.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as fault:
            raise MockKlarnaError(f"cannot open {path}: {fault.strerror}", where="store") from None
        try:
            _take(self._file)
        except OSError:
            os.close(self._file)
            holder = _holder(path)
            raise MockKlarnaError(
                f"{path} is in use by another server{holder}", where="store", hint="stop that one, or name another file"
            ) from None

    def release(self) -> None:
        """Release the lock."""
        os.close(self._file)


def _take(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, 1 << 40, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: Path) -> str:
    """Return the process id of the server that has a file, in words, or "" if it cannot be read."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)
        try:
            (pid,) = connection.execute("SELECT pid FROM server").fetchone()
        finally:
            connection.close()
    except (sqlite3.Error, TypeError):
        return ""
    return f" (pid {pid})"


def _damaged(path: Path, message: str) -> MockKlarnaError:
    hint = "restore it from a copy, or name another file"
    return MockKlarnaError(f"{path} is damaged: {message}", where="store", hint=hint)


def error_at_open(path: Path, fault: Exception) -> MockKlarnaError:
    """Return the error for a database that cannot be opened."""
    if isinstance(fault, UnicodeDecodeError):
        return _damaged(path, "its schema is not readable text")
    code = fault.sqlite_errorcode & 0xFF if hasattr(fault, "sqlite_errorcode") else 0
    match code:
        case sqlite3.SQLITE_NOTADB:
            return MockKlarnaError(f"{path} is not an SQLite database", where="store", hint="name another file")
        case sqlite3.SQLITE_CORRUPT:
            return _damaged(path, str(fault))
        case sqlite3.SQLITE_FULL:
            return MockKlarnaError(f"the disk of {path} is full", where="store", hint="make room")
        case _:
            return MockKlarnaError(f"cannot use {path}: {fault}", where="store", hint="name another file")


def error_while_running(path: Path, fault: Exception) -> Exception:
    """Return the error that a request raises when SQLite fails; an error that only a bug causes is returned unchanged."""
    if isinstance(fault, UnicodeDecodeError):
        return StoreFailure(f"the store {path.name} cannot be used: it is damaged")
    code = fault.sqlite_errorcode & 0xFF if hasattr(fault, "sqlite_errorcode") else 0
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"the disk of {path.name} is full; nothing was changed")
    if code in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_PERM,
    ):
        return StoreFailure(f"the store {path.name} cannot be used: {fault}")
    return fault
