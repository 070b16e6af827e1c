"""A PostgreSQL store whose statements take long or are cancelled."""

import asyncio
import gc
from functools import partial

import asyncpg
import pytest

from mock_klarna.domain.records import Order, Record
from mock_klarna.errors import StoreFailure
from mock_klarna.store import postgres as postgres_store
from mock_klarna.store import postgres_jobs
from mock_klarna.store.postgres import PostgresStore, RecordCounts
from mock_klarna.store.postgres_connections import Connections, parse_url
from tests.store.samples import dumped, job, load, order, scheduling, writing

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
_JOBS = "SELECT count(*) FROM jobs"


async def test_a_count_that_fails_while_an_earlier_one_is_used_is_no_error_without_a_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres_store, "_SLOW_COUNT_SECONDS", -1)
    is_away, failed, errors = False, asyncio.Event(), []

    async def count(_kind: type[Record]) -> int:
        if is_away:
            failed.set()
            raise StoreFailure("the database cannot be reached")
        return 3

    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    counts = RecordCounts(count)
    assert await counts.of(Order) == 3
    is_away = True
    async with asyncio.timeout(120):
        while not failed.is_set():
            assert await counts.of(Order) == 3
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    assert errors == []
    with pytest.raises(StoreFailure):
        await RecordCounts(count).of(Order)


async def test_a_task_that_waited_reads_records_anew_and_keeps_the_numbers_that_it_drew(postgres: str) -> None:
    first, second = PostgresStore(postgres), PostgresStore(postgres)
    await first.open()
    await second.open()
    try:
        await first.commit("shop", writing(order()), 1.0)
        await first.preload("shop", "o-1", draws=("capture",))
        await second.commit("shop", writing(order(version=2, acknowledged=True)), 1.0)
        before = await first.get(Order, "o-1")
        assert before is not None
        assert not before.acknowledged
        first.forget_preloaded(keep_draws=True)
        after = await first.get(Order, "o-1")
        assert after is not None
        assert after.acknowledged
        assert [await first.count("shop", "capture") for _ in range(2)] == [1, 2]
    finally:
        await first.close()
        await second.close()


async def test_jobs_that_are_finished_while_others_are_being_deleted_are_deleted_too(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_jobs, "_FINISH_SECONDS", 0)
    store = PostgresStore(postgres)
    await store.open()
    address, _, schema = postgres.partition("?schema=")
    database = await asyncpg.connect(address, server_settings={"search_path": schema})
    try:
        await store.commit("shop", scheduling(job("first", 1), job("second", 2)), 1.0)
        first, second = await store.claim("shop", 9), await store.claim("shop", 9)
        assert first is not None
        assert second is not None
        async with database.transaction():
            await database.execute("LOCK TABLE jobs IN SHARE MODE")
            await store.finish(first)
            while not await database.fetchval(_WAITING):
                pass
            await store.finish(second)
            for _ in range(3):  # the timer of the second job expires
                await database.fetchval(_WAITING)
        async with asyncio.timeout(120):
            while await database.fetchval(_JOBS):
                pass
    finally:
        await database.close()
        await store.close()


async def test_a_server_that_was_cancelled_while_it_locked_a_clock_does_not_keep_the_jobs_from_the_others(
    postgres: str,
) -> None:
    first, second = PostgresStore(postgres), PostgresStore(postgres)
    await first.open()
    await second.open()
    try:
        await second.commit("shop", scheduling(job("first", 1)), 1.0)
        async with first.exclusive("clock:shop"):
            assert await second.claim("shop", 9) is None
        sent = first.statements
        locking = asyncio.create_task(first.exclusive("clock:shop").__aenter__())
        while first.statements == sent:  # noqa: ASYNC110
            await asyncio.sleep(0)
        locking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await locking
        async with first.exclusive("clock:other"):  # the connection has executed or cancelled all that was sent before
            pass
        assert await second.claim("shop", 9) == job("first", 1)
    finally:
        await first.close()
        await second.close()


async def test_what_is_written_after_a_transaction_whose_end_was_cancelled_is_committed(postgres: str) -> None:
    url, began = parse_url(postgres), asyncio.Event()
    connections, others = Connections(url), Connections(url)

    async def begin() -> None:
        async with connections.use() as connection, connection.transaction():
            began.set()
            await connection.execute("SELECT pg_sleep(600)")

    beginning = asyncio.create_task(begin())
    await began.wait()
    for _ in range(2):  # the second time before the transaction is rolled back
        beginning.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await beginning
    await connections.fetch(f"CREATE SCHEMA {url.schema}")
    assert await others.fetch("SELECT to_regnamespace($1) IS NOT NULL", url.schema) == [(True,)]
    await connections.close()
    await others.close()


_KEYS = ("o-1", "o-2", "o-3")
_ROWS = {
    "records": "SELECT 1 FROM records WHERE key = $1 FOR UPDATE",
    "counters": "SELECT 1 FROM counters WHERE name = $1 FOR UPDATE",
}


async def test_what_was_in_a_deadlock_with_another_server_is_done_again(postgres: str) -> None:
    """What the store executes has the first row and waits for the third one; the other server has that, and waits for the first."""
    address, _, schema = postgres.partition("?schema=")
    patient = {"search_path": schema, "deadlock_timeout": "1h"}  # so that the database ends what the store executes
    one, other, watching = [await asyncpg.connect(address, server_settings=patient) for _ in range(3)]
    store = PostgresStore(f"{postgres}&deadlock_timeout=1s")  # looks once, when the other server waits again
    await store.open()

    async def waiting(count: int) -> None:
        while await watching.fetchval(_WAITING) != count:
            pass

    try:
        await store.commit("shop", writing(*map(order, _KEYS)), 1.0)
        for key in _KEYS:
            await store.count("shop", key)
        snapshot = await dumped(store)
        cases = (
            ("load", "records", partial(load, store, snapshot)),
            ("preload", "counters", partial(store.preload, "shop", draws=_KEYS)),
            ("clear", "records", partial(store.clear, "shop")),
        )
        for name, table, execute in cases:
            async with asyncio.timeout(120):
                transactions = one.transaction(), other.transaction()
                for transaction in transactions:
                    await transaction.start()
                await one.execute(_ROWS[table], "o-2")
                await other.execute(_ROWS[table], "o-3")
                executing = asyncio.create_task(execute())
                await waiting(1)
                locking = asyncio.create_task(other.execute(_ROWS[table], "o-1"))
                await waiting(2)
                await transactions[0].rollback()
                await locking
                assert not executing.done(), name
                await transactions[1].rollback()
                await executing
        assert await store.records(Order, "shop") == []
    finally:
        for connection in (one, other, watching):
            await connection.close()
        await store.close()
