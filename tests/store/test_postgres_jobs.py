"""Jobs of a PostgreSQL store while its database is slow."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from mock_klarna.store import postgres_jobs
from mock_klarna.store.postgres import PostgresStore
from tests.store.samples import job, scheduling

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
_JOBS = "SELECT count(*) FROM jobs"


async def test_jobs_that_are_finished_while_others_are_being_deleted_are_deleted_too(
    new_store: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_jobs, "_FINISH_SECONDS", 0)
    url = new_store("postgres")
    store = PostgresStore(url)
    await store.open()
    address, _, schema = url.partition("?schema=")
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
