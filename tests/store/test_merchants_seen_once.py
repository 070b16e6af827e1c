"""Usernames that were seen once: what the default engine keeps of them is bounded, and gone after a reset."""

import gc
from types import ModuleType
from typing import Any

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


def count_objects(store: MemoryStore) -> int:
    """Return how many objects a store refers to, directly or through others, without classes and modules."""
    found: dict[int, Any] = {}
    referred: list[Any] = [store]
    while referred:
        each = referred.pop()
        if id(each) not in found and not isinstance(each, type | ModuleType):
            found[id(each)] = each
            if not hasattr(each, "__globals__"):  # a function refers to its module
                referred += gc.get_referents(each)
    return len(found)


async def test_clearing_everything_leaves_nothing_of_any_merchant() -> None:
    store, new = MemoryStore(), MemoryStore()
    for number in range(100):
        await record(store, f"seen-once-{number}")
        await store.count(f"seen-once-{number}", "button")
    assert count_objects(store) > 1000
    await store.clear(None)
    assert count_objects(store) <= count_objects(new) + 10
    assert await store.merchants() == []
