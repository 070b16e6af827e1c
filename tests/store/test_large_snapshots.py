"""A large snapshot takes the place of what is there at once, and holds up nobody while it is read."""

import asyncio
from typing import Any

import pytest

from mock_klarna.domain.records import ButtonKey, Decision
from mock_klarna.errors import MockKlarnaError
from mock_klarna.store.base import Store
from mock_klarna.store.memory import MemoryStore
from mock_klarna.store.postgres import PostgresStore
from tests.store.samples import button, delivery, dumped, job, load, writing

MANY = 3000


@pytest.fixture
async def large() -> Any:
    """A snapshot of many keys of two merchants."""
    store = MemoryStore()
    for number in range(MANY):
        await store.commit("shop", writing(button(f"b-{number}")), 1.0)
    await store.commit(
        "other", Decision(writes=(button("b-x", "other"),), jobs=(job("a", 1, "other"), job("b", 2, "other"))), 1.0
    )
    await store.count("other", "order")
    return await dumped(store)


async def test_reads_during_the_loading_of_a_large_snapshot_see_the_old_state_or_the_new(
    store: Store, large: Any
) -> None:
    await store.commit("shop", writing(button("old")), 1.0)
    loading, seen = asyncio.create_task(load(store, large)), []
    while not loading.done():
        keys = [record.key for record in await store.records(ButtonKey, "shop")]
        found = [await store.get(ButtonKey, key) for key in ("old", "b-0", f"b-{MANY - 1}", "b-x")]
        seen.append((len(keys), [one is not None for one in found]))
        await asyncio.sleep(0)
    await loading
    assert seen.count((1, [True, False, False, False])) > 1
    assert {count for count, _ in seen} <= {1, MANY}
    assert await dumped(store) == large


async def test_commits_during_the_loading_of_a_snapshot_are_replaced_for_its_merchants_and_kept_for_others(
    store: Store, large: Any
) -> None:
    loading = asyncio.create_task(load(store, large))
    await asyncio.sleep(0)
    late = [f"late-{number}" for number in range(20)]
    for number, key in enumerate(late):
        await store.commit("shop", writing(button(key)), 1.0)
        await store.commit("third", writing(button(f"third-{number}", "third")), 1.0)
    await loading
    kept = {record.key for record in await store.records(ButtonKey, "shop")}
    survivors = [key for key in late if key in kept]
    assert len(kept) == MANY + len(survivors)
    assert survivors == late[len(late) - len(survivors) :], "what is committed after the replacement stays"
    assert not survivors or isinstance(store, PostgresStore)  # the others replace between two commits
    assert len(await store.records(ButtonKey, "third")) == 20


async def test_a_snapshot_is_refused_if_another_merchant_takes_one_of_its_keys_meanwhile(
    store: Store, large: Any
) -> None:
    loading = asyncio.create_task(load(store, large))
    await asyncio.sleep(0)
    await store.commit("other-shop", writing(button("b-7", "other-shop")), 1.0)
    with pytest.raises(MockKlarnaError, match="b-7 already belongs to 'other-shop'"):
        await loading
    assert await store.merchants() == ["other-shop"]


async def test_a_snapshot_with_more_callbacks_than_are_kept_keeps_the_newest(store: Store) -> None:
    other = MemoryStore()
    for number in range(15):
        await other.commit("shop", writing(delivery(f"c-{number}", state="failed")), 1.0)
    await load(store, await dumped(other))
    kept = await store.records(type(delivery()), "shop")
    assert [one.key for one in kept] == [f"c-{number}" for number in range(5, 15)]
    assert await store.get(type(delivery()), "c-4") is None
