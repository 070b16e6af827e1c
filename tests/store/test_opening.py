import sys
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from mock_klarna.errors import MockKlarnaError
from mock_klarna.settings import Settings, SettingsError
from mock_klarna.store.base import open_store
from mock_klarna.store.memory import MemoryStore
from mock_klarna.store.sqlite import SqliteStore
from tests.commands import Command
from tests.database import Database


def test_the_default_store_is_memory() -> None:
    assert type(open_store(Settings())) is MemoryStore


async def test_a_file_is_named_by_its_path(tmp_path: Path) -> None:
    store = open_store(Settings(store=f"sqlite:{tmp_path / 'a:b.db'}"))
    assert type(store) is SqliteStore
    await store.close()
    assert (tmp_path / "a:b.db").exists()


@pytest.mark.parametrize(
    "unknown",
    [
        "",
        "sqlite",
        "sqlite:",
        "sqlite: ",
        "sqlite:new/",
        "sqlite::memory:",
        "sqlite:file:x.db",
        "file",
        "file:/tmp/x",
        "redis://db",
        "Memory",
        "memory:",
        "postgresql:",
    ],
)
def test_a_store_that_does_not_exist_is_refused_with_those_that_do(unknown: str) -> None:
    with pytest.raises(SettingsError, match="memory, sqlite:PATH or postgresql://"):
        open_store(Settings(store=unknown))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("klarna:secret@127.0.0.1:99999/klarna", "Port out of range"),
        ("klarna:secret@127.0.0.1:abc/klarna", "Port could not be cast"),
        ("klarna:se#cret@127.0.0.1:5432/klarna", "# as %23"),
        ("klarna:secret@[::1/klarna", "Invalid IPv6 URL"),
        ("klarna:secret@127.0.0.1:5432", "has to end with /DATABASE"),
        ("klarna:secret@127.0.0.1:5432/klarna#x", "has to end with /DATABASE"),
    ],
)
def test_a_url_of_postgresql_that_cannot_be_read_is_refused_without_its_password(place: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as refused:
        open_store(Settings(store=f"postgresql://{place}"))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql+asyncpg://klarna:secret@host/klarna", "mysql://u:secret@host/x"])
def test_a_refused_store_does_not_show_a_password(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(store=url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "store", ["redis://db", "sqlite:/nowhere/state.db", "sqlite:/", "file:/tmp/x", "postgresql://127.0.0.1:1/x"]
)
def test_a_server_that_cannot_open_its_store_ends_with_a_usage_error(command: Command, store: str) -> None:
    ran = command("serve", "--port", "0", "--store", store)
    assert ran.returncode == 2
    assert ran.stderr.startswith("mock-klarna: ")
    assert ran.stderr.count("\n") == 1


def test_a_database_that_does_not_answer_is_named_in_words(command: Command) -> None:
    ran = command("serve", "--port", "0", "--store", "postgresql://a:b@127.0.0.1:1/x")
    assert ran.stderr == (
        "mock-klarna: store: the database cannot be reached: Connection refused; start the database, or name another one\n"
    )


def test_a_server_without_the_driver_of_postgresql_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mock_klarna.store.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(SettingsError, match=r"needs the driver asyncpg; pip install asyncpg, or install"):
        open_store(Settings(store="postgresql://127.0.0.1/x"))


async def _executed(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.url("public").partition("?")[0])
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("query", "said", "hint"),
    [
        ("schema=of_an_app", "schema of_an_app contains tables of another application", "?schema="),
        ("schema=information_schema", "contains tables of another application", "?schema="),
        ("schema=pg_x", "unacceptable schema name", "schema and lease"),
        ("foo=1", "unrecognized configuration parameter", "schema and lease"),
        ("sslmode=blah", "sslmode", "schema and lease"),
    ],
)
async def test_a_database_that_cannot_be_used_is_refused_with_what_to_do(
    database: Database, query: str, said: str, hint: str
) -> None:
    await _executed(database, "CREATE SCHEMA IF NOT EXISTS of_an_app; CREATE TABLE IF NOT EXISTS of_an_app.records ()")
    store = open_store(Settings(store=f"{database.url('x').partition('?')[0]}?{query}"))
    with pytest.raises(MockKlarnaError, match=said) as refused:
        await store.open()
    assert hint in refused.value.hint
    await store.close()


@pytest.mark.parametrize(
    "right", ["GRANT CREATE ON DATABASE postgres TO {user}", "CREATE SCHEMA sandbox_of_{user} AUTHORIZATION {user}"]
)
async def test_a_user_needs_the_right_to_create_a_schema_or_a_schema_of_its_own(database: Database, right: str) -> None:
    user = f"tenant_{uuid4().hex[:12]}"
    await _executed(database, f"CREATE ROLE {user} LOGIN; {right.format(user=user)}")
    store = open_store(Settings(store=database.url(f"sandbox_of_{user}").replace("postgres@", f"{user}@")))
    await store.open()
    await store.close()


async def test_a_user_without_rights_is_refused_with_those_that_are_needed(database: Database) -> None:
    await _executed(database, "DROP ROLE IF EXISTS newcomer; CREATE ROLE newcomer LOGIN")
    store = open_store(Settings(store=database.url("not_there").replace("postgres@", "newcomer@")))
    with pytest.raises(MockKlarnaError) as refused:
        await store.open()
    assert "right to create a schema" in refused.value.hint
    await store.close()
