from pathlib import Path

import pytest

from mock_klarna.settings import Settings, SettingsError
from mock_klarna.store.base import open_store
from mock_klarna.store.file import FileStore
from mock_klarna.store.memory import MemoryStore
from tests.commands import Command


def test_memory_is_what_is_used_when_nothing_is_said() -> None:
    assert type(open_store(Settings())) is MemoryStore


async def test_a_file_is_named_by_its_path(tmp_path: Path) -> None:
    store = open_store(Settings(store=f"file:{tmp_path / 'a:b.jsonl'}"))
    assert type(store) is FileStore
    await store.close()
    assert (tmp_path / "a:b.jsonl").exists()


@pytest.mark.parametrize("unknown", ["", "file", "file:", "redis://db", "Memory", "memory:"])
def test_a_store_that_does_not_exist_is_refused_with_those_that_do(unknown: str) -> None:
    with pytest.raises(SettingsError, match="memory, or file:PATH"):
        open_store(Settings(store=unknown))


@pytest.mark.parametrize("store", ["redis://db", "file:/nowhere/state.jsonl", "file:/"])
def test_a_server_that_cannot_open_its_store_was_held_wrong(command: Command, store: str) -> None:
    ran = command("serve", "--port", "0", "--store", store)
    assert ran.returncode == 2
    assert ran.stderr.startswith("mock-klarna: ")
    assert ran.stderr.count("\n") == 1
