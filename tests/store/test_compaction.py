# ruff: noqa: ASYNC240 -- a test that looks into its own small file keeps nobody waiting
"""The file engine's file while the server runs: bounded, and nothing is lost whenever it is killed."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from mock_klarna.domain.records import ButtonKey, Decision, Merchant
from mock_klarna.store.file import FileStore
from tests.merchants.processes import ROOT
from tests.store.samples import button, dumped, job, writing

GROWTH = 20_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state is kept."""
    return tmp_path / "state.jsonl"


async def change(store: FileStore, first: int, count: int) -> None:
    """Change the same button over and over, as others get their turn."""
    for version in range(first, first + count):
        await store.count("shop", "change")
        await store.commit("shop", Decision(writes=(button(version=version),), jobs=(job(str(version % 5)),)), 1.0)
        await asyncio.sleep(0)


async def compacted() -> None:
    """Write nothing while the file is being compacted."""
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))


async def test_the_file_of_a_long_running_server_stays_within_its_bounds(path: Path) -> None:
    store = FileStore(path, growth=GROWTH)
    largest, written = 0, 0
    for turn in range(300):
        await change(store, 1 + turn * 10, 10)
        await compacted()
        largest = max(largest, path.stat().st_size)
        written += 10 * 200
    assert largest < 2 * GROWTH < written / 10
    before = await dumped(store)
    await store.close()
    assert not path.with_name("state.jsonl.new").exists()
    again = FileStore(path)
    assert await dumped(again) == before
    assert await again.count("shop", "change") == 3001
    await again.close()


async def test_what_is_committed_while_the_file_is_compacted_is_in_the_new_one(path: Path) -> None:
    store = FileStore(path, growth=GROWTH)
    for number in range(400):
        await store.commit("shop", writing(button(f"b-{number}")), 1.0)
        if number % 7 == 0:
            await store.delete(ButtonKey, f"b-{number}")
        await asyncio.sleep(0)
    for number in range(5):
        await store.commit(f"m-{number}", writing(Merchant(merchant=f"m-{number}")), 1.0)
    await store.clear("m-3")
    before = await dumped(store)
    await store.close()
    again = FileStore(path)
    assert await dumped(again) == before
    await again.close()


async def test_a_store_that_is_closed_while_it_compacts_keeps_everything(path: Path) -> None:
    store = FileStore(path, growth=100)
    await store.commit("shop", writing(button()), 1.0)
    await store.commit("shop", writing(button(version=2)), 1.0)
    await asyncio.sleep(0)
    before = await dumped(store)
    await store.close()
    assert not path.with_name("state.jsonl.new").exists()
    again = FileStore(path)
    assert await dumped(again) == before
    await again.close()


async def test_where_no_new_file_can_be_written_the_old_one_goes_on(path: Path) -> None:
    store = FileStore(path, growth=GROWTH)
    path.with_name("state.jsonl.new").mkdir()
    await change(store, 1, 500)
    assert path.stat().st_size > 4 * GROWTH
    before = await dumped(store)
    await store.close()
    path.with_name("state.jsonl.new").rmdir()
    again = FileStore(path)
    assert await dumped(again) == before
    await again.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from mock_klarna.store.file import FileStore
from tests.store.samples import button, writing

async def main():
    store = FileStore(Path(sys.argv[1]), growth=2000)
    held = await store.get(type(button()), "b-1")
    version = held.version if held else 0
    while True:
        version += 1
        await store.commit("shop", writing(button(version=version)), 1.0)
        print(version, flush=True)
        await asyncio.sleep(0)

asyncio.run(main())
"""


async def test_a_server_killed_at_any_moment_has_kept_every_commit_that_returned(path: Path) -> None:
    kept = 0
    for lines in (1, 30, 45, 100, 333, 500):
        writer = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, str(path), cwd=ROOT, stdout=PIPE)
        assert writer.stdout is not None
        for _ in range(lines):
            await writer.stdout.readline()
        writer.kill()
        said = (await writer.communicate())[0].split(b"\n")[:-1]
        returned = int(said[-1]) if said else kept + lines
        store = FileStore(path)
        (held,) = await store.records(ButtonKey, "shop")
        assert returned <= held.version <= returned + 1
        assert path.stat().st_size < 2000
        kept = held.version
        await store.close()
