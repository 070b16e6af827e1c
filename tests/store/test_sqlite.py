import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from mock_klarna.client import Client
from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.journal import EXCHANGE, JournalFilter
from mock_klarna.domain.records import ButtonKey, Decision
from mock_klarna.errors import MockKlarnaError, StoreFull
from mock_klarna.settings import SettingsError
from mock_klarna.store import sql
from mock_klarna.store.journal_buffers import Bounds
from mock_klarna.store.sqlite import SqliteStore
from mock_klarna.store.sqlite_connection import Connection
from mock_klarna.store.sqlite_file import APPLICATION_ID, MIGRATIONS
from tests.commands import Command
from tests.merchants.pages import urls
from tests.merchants.processes import environment
from tests.merchants.running import emulator
from tests.store.samples import button, created, delivery, exchange, job, purchase, scheduling, telling, writing


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what a folder has, with mode and size."""
    return {path.name: (path.lstat().st_mode, path.lstat().st_size) for path in folder.iterdir()}


def a_folder(path: Path) -> None:
    path.mkdir()


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the address of a socket may not be as long as a test's folder
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(here)


UNUSABLE = {"a folder": a_folder, "a FIFO": a_fifo, "a socket": a_socket}


@pytest.mark.parametrize("is_link", [False, True], ids=["itself", "by a symlink"])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_path_that_is_not_a_regular_file_is_refused_and_nothing_is_written(
    command: Command, tmp_path: Path, kind: str, is_link: bool
) -> None:
    target = tmp_path / "target"
    UNUSABLE[kind](target)
    path = tmp_path / "link" if is_link else target
    if is_link:
        path.symlink_to(target)
    before = listing(tmp_path)
    ran = command("serve", "--port", "0", "--store", f"sqlite:{path}")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert f"{path} is {kind}; name a regular file" in ran.stderr
    assert listing(tmp_path) == before


def test_a_symlink_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(SettingsError, match="a symbolic link that leads in a circle"):
        SqliteStore(tmp_path / "a")


def test_a_new_name_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a folder that exists"):
        SqliteStore(tmp_path / "no" / "state.db")
    assert listing(tmp_path) == {}


async def test_a_symlink_to_a_file_stays_a_symlink_and_the_file_keeps_its_mode_and_owner(tmp_path: Path) -> None:
    real, link = tmp_path / "real.db", tmp_path / "link.db"
    store = SqliteStore(real)
    await store.close()
    real.chmod(0o640)
    before = real.stat()
    link.symlink_to(real)
    store = SqliteStore(link)
    await store.commit("shop", writing(button()), 1.0)
    await store.close()
    after = real.stat()
    assert link.is_symlink()
    assert (after.st_mode, after.st_uid, after.st_gid, after.st_ino) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
        before.st_ino,
    )


async def test_a_new_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    await store.close()
    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o600


async def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch(mode=0o644)
    store = SqliteStore(path)
    await store.commit("shop", writing(button()), 1.0)
    await store.close()
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
async def test_a_file_of_an_earlier_version_is_upgraded(tmp_path: Path, version: int) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in chain.from_iterable(MIGRATIONS[:version]):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
    store = SqliteStore(path, Bounds(journal_bytes=65536))
    for _ in range(20):
        await store.record("shop", EXCHANGE, "get_button", exchange(9000), 1.0, None)
    assert await store.newest_dropped("shop") > 0
    await store.close()


def of_another_application(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE addresses (name TEXT)")
    connection.close()


def of_a_newer_version(path: Path) -> None:
    asyncio.run(SqliteStore(path).close())
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()


def not_a_database(path: Path) -> None:
    path.write_text("These are notes, and no database.\n" * 100)


def damaged(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(200):
        store._connection.execute(
            "INSERT INTO record_rows (kind, key, state, version, body) VALUES ('button', $1, 1, 1, zeroblob(500))",
            f"b-{number}",
        )
    asyncio.run(store.close())
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 8192 * 4096, len(content), 4096):
        content[at : at + 64] = b"\xff" * 64
    path.write_bytes(content)


def with_an_unreadable_schema(path: Path) -> None:
    asyncio.run(SqliteStore(path).close())
    content = bytearray(path.read_bytes())
    at = content.index(b"CREATE TABLE")
    content[at : at + 12] = b"\xff" * 12
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (of_another_application, "is a database of another application"),
        (of_a_newer_version, "was written by a newer mock-klarna"),
        (not_a_database, "is not an SQLite database"),
        (damaged, "is damaged"),
        (with_an_unreadable_schema, "is damaged"),
    ],
)
def test_a_file_that_is_not_a_store_of_this_version_is_refused_in_one_sentence(
    command: Command, tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "state.db"
    make(path)
    before = path.read_bytes()
    ran = command("serve", "--port", "0", "--store", f"sqlite:{path}")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert said in ran.stderr
    assert path.read_bytes() == before


async def test_a_file_that_this_process_uses_is_refused_with_its_pid(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    with pytest.raises(MockKlarnaError, match=rf"in use by another server \(pid {os.getpid()}\)"):
        SqliteStore(tmp_path / "state.db")
    await store.commit("shop", writing(button()), 1.0)
    await store.close()
    again = SqliteStore(tmp_path / "state.db")
    assert await again.get(ButtonKey, "b-1") is not None
    await again.close()


async def test_on_a_full_disk_nothing_changes_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    await store.commit("shop", writing(purchase()), 1.0)
    position = await store.position()
    await fill(store)
    assert await store.position() == position
    store._connection.execute("PRAGMA max_page_count = 1000000")
    await store.commit("shop", telling(created()), 1.0)
    await store.close()


async def test_a_request_is_answered_507_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[SqliteStore] = []
    connect = SqliteStore._open

    def remembered(store: SqliteStore) -> Connection:
        opened.append(store)
        return connect(store)

    monkeypatch.setattr(SqliteStore, "_open", remembered)
    async with emulator(store=f"sqlite:{tmp_path / 'state.db'}") as client:
        await fill(opened[0])
        answer = await client.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls("http://shop.test")})
        assert (answer.status, answer.body["error_code"]) == (507, "insufficient_storage")
        assert "full" in answer.body["error_message"]
        assert answer.headers["Retry-After"] == "1"
        opened[0]._connection.execute("PRAGMA max_page_count = 1000000")
        assert (await place_button(client)) == 201


async def test_a_commit_is_no_error_if_there_is_no_room_to_cut_the_journal_after_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(tmp_path / "state.db", Bounds(journal_bytes=2000, most_callbacks=3))
    store._connection.execute("CREATE TABLE filler (content BLOB)")
    for table in ("journal_rows", "record_rows"):
        store._connection.execute(
            f"CREATE TRIGGER full_{table} BEFORE DELETE ON {table} "
            "BEGIN INSERT INTO filler VALUES (zeroblob(100000000)); END"
        )
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    for number in range(30):
        both = Decision(writes=(delivery(f"c-{number}", state="failed"),), events=(created(f"b-{number}"),))
        await store.commit("shop", both, 1.0)
        await store.record("shop", EXCHANGE, "get_button", exchange(), 1.0, None)
    assert len(await store.records(Delivery, "shop")) == 30
    assert len(await store.entries(JournalFilter(), 0, 100)) == 60
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert "the disk of state.db is full" in caplog.text
    for table in ("journal_rows", "record_rows"):
        store._connection.execute(f"DROP TRIGGER full_{table}")
    await store.commit("shop", Decision(writes=(delivery("c-30", state="failed"),), events=(created(),)), 1.0)
    assert [found.key for found in await store.records(Delivery, "shop")] == ["c-28", "c-29", "c-30"]
    assert await store.journal_size("shop") <= 2000
    await store.close()


async def test_a_job_whose_commit_failed_can_still_be_finished(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    await store.commit("shop", scheduling(job()), 1.0)
    claimed = await store.claim("shop", 10.0)
    assert claimed is not None
    store._connection.execute(
        "CREATE TRIGGER failing BEFORE INSERT ON journal_rows BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(sqlite3.IntegrityError):
        await store.commit("shop", Decision(finished=(claimed,), events=(created(),)), 1.0)
    await store.finish(claimed)
    assert await store.value("SELECT count(*) FROM job_rows") == 0
    await store.close()


async def test_what_a_server_remembers_of_merchants_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MAX_KNOWN", 50)
    store = SqliteStore(tmp_path / "state.db", Bounds(journal_bytes=2000))
    for number in range(200):
        name = f"seen-once-{number}"
        await store.commit(name, writing(button(f"b-{number}", name), delivery(f"c-{number}", name)), 1.0)
        await store.record(name, EXCHANGE, "get_button", exchange(), 1.0, None)
    limits = store._limits
    assert max(len(limits._sizes), len(limits._unmeasured), len(store._counts), len(store._states._known)) <= 51
    assert await store.count_records(ButtonKey) == 200
    for _ in range(30):
        await store.record("seen-once-0", EXCHANGE, "get_button", exchange(), 1.0, None)
    assert await store.journal_size("seen-once-0") <= 2000
    await store.close()


async def test_no_job_is_claimed_if_one_of_those_that_are_due_cannot_be(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    first, second = job("first", 10), job("second", 20)
    await store.commit("shop", scheduling(first, second), 1.0)
    store._connection.execute(
        "CREATE TRIGGER failing BEFORE UPDATE ON job_rows WHEN new.due = 20 BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(sqlite3.IntegrityError):
        await store.claim_due("shop", 30.0)
    store._connection.execute("DROP TRIGGER failing")
    assert (await store.claim_due("shop", 30.0))[0] == [first, second]
    await store.close()


async def place_button(client: Client) -> int:
    """Create a button key and return the status."""
    body = {"merchant_urls": urls("http://127.0.0.1:9")}
    return int((await client.send("POST", "/instantshopping/v1/buttons", body)).status)


async def fill(store: SqliteStore) -> None:
    """Leave no room in a store's file."""
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull):
        await commit_many(store)


async def commit_many(store: SqliteStore) -> None:
    """Write more than there is room for."""
    for number in range(1000):
        await store.commit("shop", writing(button(f"b-{number}", body=b"x" * 400)), 1.0)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)  # root may write everywhere
    with pytest.raises(SettingsError, match="cannot be written"):
        SqliteStore(tmp_path / "state.db")
    assert listing(tmp_path) == {}


@pytest.mark.process
def test_importing_the_package_imports_no_database_driver() -> None:
    code = "import sys, mock_klarna, mock_klarna.server; print(sorted({'sqlite3', 'asyncpg'} & set(sys.modules)))"
    # coverage, which may measure this process, imports sqlite3 itself
    unmeasured = {name: value for name, value in environment().items() if not name.startswith("COVERAGE_")}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unmeasured)
    assert ran.stdout.strip() == "[]"
