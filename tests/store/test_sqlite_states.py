"""Loads and resets of SQLite: they are visible at once, others go on between their portions, and old rows are deleted."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mock_klarna.domain.journal import EXCHANGE, JournalFilter
from mock_klarna.domain.records import ButtonKey, Decision
from mock_klarna.errors import MockKlarnaError
from mock_klarna.store.journal_buffers import Bounds
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.sqlite import SqliteStore
from tests.store.samples import button, delivery, dumped, exchange, job, writing

MANY = 3000
ROWS = ("record_rows", "job_rows", "counter_rows", "journal_rows", "states", "totals")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store with one record, job, counter and journal entry of a merchant."""
    opened = SqliteStore(tmp_path / "state.db", Bounds(most_callbacks=10))
    await opened.open()
    await fill(opened, "shop", "old", 1)
    yield opened
    await opened.close()


async def fill(store: SqliteStore, merchant: str, name: str, count: int) -> None:
    """Write as many records, and a job, a counter and a journal entry."""
    records = tuple(button(f"{name}-{number}", merchant) for number in range(count))
    await store.commit(merchant, Decision(writes=records, jobs=(job(name, 10, merchant),)), 1.0)
    await store.count(merchant, name)
    await store.record(merchant, EXCHANGE, "get_button", exchange(), 1.0, None)


def portion(name: str, count: int = MANY, merchant: str = "shop") -> Portion:
    """Return a portion with as many records, a job and a counter."""
    records = [button(f"{name}-{number}", merchant) for number in range(count)]
    return Portion(merchant, list(records), [job(name, 10, merchant)], {name: 7})


async def portions(*given: Portion) -> AsyncIterator[Portion]:
    for one in given:
        yield one


async def endless(*given: Portion) -> AsyncIterator[Portion]:
    for one in given:
        yield one
    await asyncio.Event().wait()


def rows(store: SqliteStore) -> dict[str, int]:
    """Return how many rows the tables have, visible or not."""
    return {table: store._execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ROWS}


async def until_rows(store: SqliteStore, count: int) -> None:
    """Let a load write until so many records are there."""
    while rows(store)["record_rows"] < count:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def copied(store: SqliteStore, tmp_path: Path, name: str) -> SqliteStore:
    """Open the files as they are now, as after a crash."""
    opened = SqliteStore(copied_file(tmp_path, name))
    await opened.open()
    return opened


def copied_file(tmp_path: Path, name: str) -> Path:
    """Copy the database and its WAL."""
    folder = tmp_path / name
    folder.mkdir()
    for path in sorted(tmp_path.glob("state.db*"), reverse=True):  # the WAL first: a checkpoint may run in a thread
        if not path.name.endswith("-shm"):
            shutil.copy(path, folder)
    return folder / "state.db"


async def test_commits_of_another_merchant_go_on_while_a_portion_is_loaded(store: SqliteStore) -> None:
    loading, commits = asyncio.create_task(store.load(portions(portion("new")))), 0
    await asyncio.sleep(0)
    while not loading.done():
        await store.commit("other", writing(button(f"b-{commits}", "other")), 1.0)
        commits += 1
        await asyncio.sleep(0)
    await loading
    assert commits > 10
    assert len(await store.records(ButtonKey, "other")) == commits
    assert len(await store.records(ButtonKey, "shop")) == MANY


@pytest.mark.parametrize("merchant", ["shop", None])
async def test_a_reset_is_visible_at_once_and_commits_go_on_while_its_rows_are_deleted(
    store: SqliteStore, merchant: str | None
) -> None:
    await fill(store, "shop", "many", MANY)
    await store.clear(merchant)
    assert (await store.merchants(), await dumped(store)) == ([], {"version": 1, "merchants": {}})
    assert await store.entries(JournalFilter(), 0, 10) == []
    assert await store.count_records(ButtonKey) == 0
    deleting, commits = asyncio.create_task(store.wait_for_deletion()), 0
    while not deleting.done():
        await store.commit("shop", writing(button(f"many-{commits}")), 1.0)
        commits += 1
        await asyncio.sleep(0)
    assert commits > 10
    assert await store.count_records(ButtonKey, "shop") == commits
    found = rows(store)
    assert (found["record_rows"], found["states"], found["job_rows"], found["journal_rows"]) == (commits, 1, 0, 0)


async def test_rows_that_a_load_replaced_are_deleted(store: SqliteStore) -> None:
    await store.load(portions(portion("new", 5)))
    await store.wait_for_deletion()
    expected = dict.fromkeys(ROWS, 1) | {"record_rows": 5, "journal_rows": 0}
    assert rows(store) == expected
    assert await store.count("shop", "new") == 8


@pytest.mark.parametrize("is_cancelled", [True, False], ids=["cancelled", "ended by an error"])
async def test_a_load_that_does_not_end_leaves_nothing(store: SqliteStore, is_cancelled: bool) -> None:
    before, visible = rows(store), await dumped(store)
    twice = portion("twice", 1, "other"), portion("twice", 1, "third")
    loading = asyncio.create_task(store.load(endless(portion("new", 100), *(() if is_cancelled else twice))))
    if is_cancelled:
        await until_rows(store, 101)
        loading.cancel()
    with pytest.raises(asyncio.CancelledError if is_cancelled else MockKlarnaError):
        await loading
    await store.wait_for_deletion()
    assert (rows(store), await dumped(store)) == (before, visible)


async def test_a_load_that_fails_at_once_takes_nothing_from_the_merchants_that_are_new_after_it(
    store: SqliteStore,
) -> None:
    for number, merchant in enumerate(("first", "second")):
        twice = [button("twice", "other"), button("twice", "other")]
        with pytest.raises(MockKlarnaError, match="contains button twice twice"):
            await store.load(portions(Portion("other", list(twice))))
        await fill(store, merchant, f"of-{merchant}", 20)
        await store.wait_for_deletion()
        assert await store.count_records(ButtonKey, merchant) == len(await store.records(ButtonKey, merchant)) == 20
        assert rows(store)["states"] == number + 2


async def test_a_crash_during_a_load_leaves_the_old_state_and_nothing_of_the_new(
    store: SqliteStore, tmp_path: Path
) -> None:
    before, visible = rows(store), await dumped(store)
    loading = asyncio.create_task(store.load(endless(portion("new", 100))))
    await until_rows(store, 101)
    again = await copied(store, tmp_path, "again")
    loading.cancel()
    assert await dumped(again) == visible
    await again.wait_for_deletion()
    assert rows(again) == before
    await again.close()


async def test_a_crash_at_any_moment_of_a_load_leaves_one_of_the_states_complete(
    store: SqliteStore, tmp_path: Path
) -> None:
    await fill(store, "shop", "many", 300)
    await store.commit("other", writing(button("kept", "other")), 1.0)
    old, found, number = await dumped(store), [], 0
    new = SqliteStore(tmp_path / "new.db")
    await new.load(portions(portion("new", 400)))
    expected: Any = {**old, "merchants": {**old["merchants"], **(await dumped(new))["merchants"]}}
    await new.close()

    async def load_and_delete() -> None:
        await store.load(portions(portion("new", 400)))
        await store.wait_for_deletion()

    loading = asyncio.create_task(load_and_delete())
    while not loading.done():
        for _ in range(2):
            await asyncio.sleep(0)
        again = await copied(store, tmp_path, f"crash-{number}")
        found.append(await dumped(again))
        await again.wait_for_deletion()
        count = rows(again)["record_rows"]
        assert count == len(found[-1]["merchants"]["shop"]["records"]["button"]) + 1
        await again.close()
        number += 1
    last = await copied(store, tmp_path, "last")  # the load may have ended while an earlier copy was looked at
    found.append(await dumped(last))
    await last.close()
    assert all(one in (old, expected) for one in found)
    assert found[0] == old
    assert found[-1] == expected


async def test_a_key_is_looked_up_in_the_current_state_only(store: SqliteStore) -> None:
    loading = asyncio.create_task(store.load(endless(portion("old", 100))))
    await until_rows(store, 101)
    await store.commit("shop", writing(button("old-0", version=2, body=b"changed")), 1.0)
    found = await store.get(ButtonKey, "old-0")
    assert found is not None
    assert found.body == b"changed"
    assert await store.get(ButtonKey, "old-1") is None
    await store.delete(ButtonKey, "old-0")
    assert await store.get(ButtonKey, "old-0") is None
    await store.commit("shop", writing(button("old-0")), 1.0)
    assert await store.count_records(ButtonKey) == 1
    loading.cancel()


async def test_of_two_loads_with_the_same_key_the_second_that_ends_is_refused(store: SqliteStore) -> None:
    first = asyncio.create_task(store.load(endless(portion("same", 1, "first"))))
    await until_rows(store, 2)
    first.cancel()
    is_ended = asyncio.Event()

    async def until_it_may_end() -> AsyncIterator[Portion]:
        yield portion("same", 2, "second")
        await is_ended.wait()

    second = asyncio.create_task(store.load(until_it_may_end()))
    await until_rows(store, 3)
    await store.load(portions(portion("same", 1, "third")))
    is_ended.set()
    with pytest.raises(MockKlarnaError, match="button same-0 already belongs to 'third'"):
        await second
    assert await store.merchants() == ["shop", "third"]


async def test_a_key_that_a_replaced_merchant_has_may_belong_to_another_one_after_the_load(store: SqliteStore) -> None:
    await store.load(portions(portion("old", 1, "other"), portion("new", 1, "shop")))
    found = await store.get(ButtonKey, "old-0")
    assert found is not None
    assert found.merchant == "other"


async def test_of_the_callbacks_of_a_loaded_state_the_newest_are_kept(store: SqliteStore) -> None:
    given = [delivery(f"c-{number}", state="failed") for number in range(25)]
    await store.load(portions(Portion("shop", list(given[:12])), Portion("shop", list(given[12:]))))
    assert [one.key for one in await store.records(type(given[0]), "shop")] == [one.key for one in given[15:]]


async def test_a_claimed_job_of_a_merchant_that_was_reset_is_not_put_back(store: SqliteStore) -> None:
    claimed = await store.claim("shop", 20)
    assert claimed is not None
    await store.clear("shop")
    await store.release(claimed)
    assert await store.jobs("shop") == []
