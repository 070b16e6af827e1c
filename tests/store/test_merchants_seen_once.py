"""Usernames that were seen once: what the default engine keeps of them is bounded, and gone after a reset."""

import gc
import tracemalloc

from mock_klarna.domain.journal import EXCHANGE
from mock_klarna.store.journal_buffers import Bounds
from mock_klarna.store.memory import MemoryStore
from tests.store.samples import created as button_created
from tests.store.samples import exchange, telling


async def record(store: MemoryStore, merchant: str) -> None:
    await store.record(merchant, EXCHANGE, "get_button", exchange(), 1.0, None)


async def test_merchants_that_only_have_a_journal_are_bounded() -> None:
    store = MemoryStore(Bounds(all_journals_bytes=1 << 20))
    await store.commit("shop", telling(button_created()), 1.0)
    for number in range(5000):
        await record(store, f"seen-once-{number}")
    assert len(await store.merchants()) < 1500
    assert await store.dropped(None) > 4500


async def test_a_merchant_with_state_is_not_forgotten_with_its_journal() -> None:
    store = MemoryStore(Bounds(all_journals_bytes=1 << 20))
    await store.count("shop", "button")
    for number in range(5000):
        await record(store, f"seen-once-{number}")
    assert await store.count("shop", "button") == 2


async def test_clearing_everything_leaves_no_memory() -> None:
    store = MemoryStore()
    for _ in range(2):  # the first round allocates what is allocated once
        gc.collect()
        tracemalloc.start()
        try:
            for number in range(2000):
                await record(store, f"seen-once-{number}")
                await store.count(f"seen-once-{number}", "button")
            await store.clear(None)
            gc.collect()
            ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/mock_klarna/*")])
            left = sum(trace.size for trace in ours.traces)
        finally:
            tracemalloc.stop()
    assert left < 100_000  # 50 bytes of each: servers of other tests may run in other threads
    assert await store.merchants() == []
