import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mock_klarna.domain.journal import EXCHANGE, JournalFilter, narrowest_filter
from mock_klarna.store.base import Store
from mock_klarna.store.in_process import Waiters
from tests.store.samples import created, dumped, exchange, load, purchase, telling, writing

LONG = 120.0
"""Seconds that no test waits in fact."""


async def begun(store: Store, journal_filter: JournalFilter, after: int = 0) -> "asyncio.Task[bool]":
    """Start to wait, and return once the waiting has begun."""
    task = asyncio.create_task(store.wait(journal_filter, after, LONG))
    await asyncio.sleep(0)
    return task


WATCHES = [
    JournalFilter(),
    JournalFilter(merchant="shop"),
    JournalFilter(purchase_id="p-1"),
    JournalFilter(merchant="shop", purchase_id="p-1"),
]


@pytest.mark.parametrize("journal_filter", WATCHES)
async def test_an_entry_wakes_every_caller_that_waits_for_it(store: Store, journal_filter: JournalFilter) -> None:
    waiting = [await begun(store, journal_filter) for _ in range(3)]
    await store.commit("shop", telling(created(purchase_id="p-1")), 1.0)
    assert await asyncio.gather(*waiting) == [True] * 3


async def test_an_exchange_wakes_a_caller_like_an_event(store: Store) -> None:
    waiting = await begun(store, JournalFilter(merchant="shop"))
    await store.record("shop", EXCHANGE, "get_button", exchange(), 1.0, None)
    assert await waiting


@pytest.mark.parametrize(
    "journal_filter",
    [
        JournalFilter(merchant="other"),
        JournalFilter(purchase_id="p-2"),
        JournalFilter(merchant="shop", purchase_id="p-2"),
    ],
)
async def test_an_entry_of_another_merchant_or_purchase_wakes_no_caller(
    store: Store, journal_filter: JournalFilter
) -> None:
    waiting = await begun(store, journal_filter)
    await store.commit("shop", telling(created(purchase_id="p-1")), 1.0)
    await asyncio.sleep(0)
    assert not waiting.done()
    await store.commit("other", telling(created(purchase_id="p-2")), 1.0)
    await store.commit("shop", telling(created(purchase_id="p-2")), 1.0)
    assert await waiting


EXCHANGES = [
    JournalFilter(merchant="shop", name="get_button"),
    JournalFilter(kind=EXCHANGE),
    JournalFilter(merchant="shop", status="200"),
    JournalFilter(status="2xx", name="get_button"),
    JournalFilter(correlation_id="c"),
    JournalFilter(
        merchant="shop", purchase_id="p-1", kind=EXCHANGE, name="get_button", status="2xx", correlation_id="c"
    ),
]


@pytest.mark.parametrize("journal_filter", EXCHANGES)
async def test_an_exchange_wakes_those_whose_whole_filter_matches(store: Store, journal_filter: JournalFilter) -> None:
    waiting = await begun(store, journal_filter)
    await store.commit("shop", telling(created(purchase_id="p-1")), 1.0)
    await store.record("shop", EXCHANGE, "get_button", exchange(), 1.0, "p-1")
    assert await waiting


OTHERS = [
    JournalFilter(merchant="shop", name="create_button"),
    JournalFilter(merchant="shop", kind="callback"),
    JournalFilter(merchant="shop", status="404"),
    JournalFilter(merchant="shop", status="4xx"),
    JournalFilter(merchant="shop", correlation_id="d"),
    JournalFilter(name="get_button", status="404"),
]


@pytest.mark.parametrize("journal_filter", OTHERS)
async def test_an_entry_wakes_nobody_whose_filter_does_not_match(store: Store, journal_filter: JournalFilter) -> None:
    waiting = await begun(store, journal_filter)
    await store.commit("shop", telling(created(purchase_id="p-1")), 1.0)
    await store.record("shop", EXCHANGE, "get_button", exchange(), 1.0, "p-1")
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


def test_waiters_cost_one_look_up_for_each_set_of_members() -> None:
    looked_up: list[JournalFilter] = []

    class Counted(dict[Any, Any]):
        def __contains__(self, journal_filter: object) -> bool:
            looked_up.append(cast(JournalFilter, journal_filter))
            return super().__contains__(journal_filter)

    async def wait_and_wake() -> None:
        waiters = Waiters()
        for number in range(1000):
            waiters.add(JournalFilter(merchant="shop", name=f"n-{number}"))
            waiters.add(JournalFilter(merchant="shop", correlation_id=f"c-{number}"))
        waiters._futures = Counted(waiters._futures)
        waiters.wake(narrowest_filter("shop", EXCHANGE, "get_button", None, exchange()))

    asyncio.run(wait_and_wake())
    assert looked_up == [
        JournalFilter(merchant="shop", name="get_button"),
        JournalFilter(merchant="shop", correlation_id="c"),
    ]


@pytest.mark.parametrize("journal_filter", WATCHES)
async def test_a_caller_does_not_wait_for_an_entry_that_exists(store: Store, journal_filter: JournalFilter) -> None:
    newest = await store.commit("shop", telling(created(purchase_id="p-1"), created(purchase_id="p-1")), 1.0)
    assert await store.wait(journal_filter, newest - 1, LONG)


async def test_waiting_ends_after_the_given_seconds(store: Store) -> None:
    newest = await store.commit("shop", telling(created()), 1.0)
    assert not await store.wait(JournalFilter(merchant="shop"), newest, 0.001)
    assert not await store.wait(JournalFilter(merchant="shop"), newest, 0)


async def test_a_cancelled_wait_leaves_nothing(store: Store) -> None:
    waiting = await begun(store, JournalFilter(merchant="shop"))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await store.commit("shop", telling(created()), 1.0)
    assert await store.wait(JournalFilter(merchant="shop"), 0, LONG)


async def delete_shop(store: Store) -> None:
    await store.clear("shop")


async def delete_all(store: Store) -> None:
    await store.clear(None)


async def load_shop(store: Store) -> None:
    await load(store, await dumped(store))


DELETIONS = [delete_shop, delete_all, load_shop]


@pytest.mark.parametrize("delete", DELETIONS)
@pytest.mark.parametrize("journal_filter", [JournalFilter(merchant="shop"), JournalFilter(purchase_id="p-1")])
async def test_a_wait_for_entries_of_a_state_that_is_deleted_or_replaced_ends(
    store: Store, delete: Callable[[Store], Awaitable[None]], journal_filter: JournalFilter
) -> None:
    """A wait for entries of any merchant looks again then, and goes on unless all are deleted."""
    await store.commit("shop", writing(purchase()), 1.0)
    with store.watching(journal_filter) as watching:
        waiting = asyncio.create_task(watching.wait(LONG))
        await delete(store)
        assert await waiting
        assert watching.is_cleared == (journal_filter.merchant == "shop" or delete is delete_all)


@pytest.mark.parametrize("delete", [delete_shop, load_shop])
async def test_a_wait_for_entries_of_another_merchant_goes_on(
    store: Store, delete: Callable[[Store], Awaitable[None]]
) -> None:
    await store.commit("shop", writing(purchase()), 1.0)
    with store.watching(JournalFilter(merchant="other")) as watching:
        waiting = asyncio.create_task(watching.wait(LONG))
        await delete(store)
        await asyncio.sleep(0)
        assert not waiting.done()
        await store.commit("other", telling(created()), 1.0)
        assert await waiting
        assert not watching.is_cleared
