from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace as struct_replace

from mock_klarna.domain.events import event_name
from mock_klarna.domain.journal import EVENT, EVENT_BYTES, EXCHANGE, KINDS, LAST_POSITION, JournalFilter
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from tests.store.samples import created, exchange, telling

EVERYTHING = JournalFilter()


async def seen(
    store: Store, journal_filter: JournalFilter = EVERYTHING, after: int = 0, limit: int = 1000
) -> list[int]:
    return [entry.seq for entry in await store.entries(journal_filter, after, limit)]


@pytest.mark.parametrize("injected", [None, {"fault_id": "f-1", "status": 503, "delay": 0.5, "drop": True}], ids=str)
async def test_what_was_injected_is_kept(store: Store, injected: dict[str, Any] | None) -> None:
    data = struct_replace(exchange(), injected=injected)
    seq = await store.record("shop", EXCHANGE, "get_button", data, 1.0, None)
    entry = await store.entry(seq)
    assert entry is not None
    assert entry.data == data


async def test_events_and_exchanges_of_all_merchants_are_in_the_order_of_their_commits(store: Store) -> None:
    await store.commit("shop", telling(created("b-1")), 1.0)
    await store.record("other", EXCHANGE, "get_button", exchange(), 2.0, "p-1")
    position = await store.commit("shop", telling(created("b-2"), created("b-3")), 3.0)
    entries = await store.entries(EVERYTHING, 0, 10)
    assert [(entry.merchant, entry.kind, entry.name, entry.at) for entry in entries] == [
        ("shop", EVENT, "button_created", 1.0),
        ("other", EXCHANGE, "get_button", 2.0),
        ("shop", EVENT, "button_created", 3.0),
        ("shop", EVENT, "button_created", 3.0),
    ]
    assert all(later.seq > earlier.seq for earlier, later in pairwise(entries))
    assert position == entries[-1].seq
    assert entries[0].name == event_name(created())


@pytest.mark.parametrize(
    ("journal_filter", "found"),
    [
        (JournalFilter(), [1, 2, 3]),
        (JournalFilter(merchant="shop"), [1, 3]),
        (JournalFilter(purchase_id="p-1"), [1, 2]),
        (JournalFilter(kind=EVENT), [1, 3]),
        (JournalFilter(kind=EVENT, purchase_id="p-1"), [1]),
        (JournalFilter(name="get_button"), [2]),
        (JournalFilter(merchant="without-entries"), []),
        (JournalFilter(merchant="shop", purchase_id="p-9"), []),
    ],
)
async def test_a_filter_selects_by_all_of_its_members(
    store: Store, journal_filter: JournalFilter, found: list[int]
) -> None:
    await store.commit("shop", telling(created(purchase_id="p-1")), 1.0)
    await store.record("other", EXCHANGE, "get_button", exchange(), 1.0, "p-1")
    await store.commit("shop", telling(created(purchase_id="p-2")), 1.0)
    order = await seen(store)
    assert [order.index(seq) + 1 for seq in await seen(store, journal_filter)] == found


async def test_every_later_entry_is_after_the_position(store: Store) -> None:
    for number in range(3):
        position = await store.position()
        seq = await store.record("shop", EXCHANGE, "get_button", exchange(), 1.0, None)
        assert await seen(store, after=position) == [seq]
        assert await store.commit("shop", telling(created()), 1.0) > seq
        assert len(await seen(store)) == 2 * number + 2
    assert await seen(store, after=await store.position()) == []


async def test_entries_are_read_page_by_page(store: Store) -> None:
    await store.commit("shop", telling(*[created()] * 5), 1.0)
    first = await seen(store, limit=2)
    second = await seen(store, after=first[-1], limit=2)
    third = await seen(store, after=second[-1], limit=2)
    assert [*first, *second, *third] == await seen(store)
    assert (len(first), len(second), len(third)) == (2, 2, 1)
    assert await seen(store, after=third[-1]) == []


async def test_one_entry_is_found_by_its_number(store: Store) -> None:
    newest = await store.commit("shop", telling(created("b-1"), created("b-2")), 1.0)
    entry = await store.entry(newest)
    assert entry is not None
    assert entry.data == created("b-2")
    assert await store.entry(0) is None
    assert await store.entry(newest + 1) is None


async def test_exchanges_are_dropped_before_events_oldest_first_and_counted(store: Store) -> None:
    second = await store.commit("shop", telling(created(), created()), 1.0)
    written = [await store.record("shop", EXCHANGE, "get_button", exchange(10_000), 1.0, None) for _ in range(8)]
    kept = await store.entries(JournalFilter(merchant="shop"), 0, 100)
    assert [entry.seq for entry in kept] == [second - 1, second, *written[2:]]
    assert sum(entry.size for entry in kept) <= 65536
    assert await store.dropped("shop") == await store.dropped(None) == 2
    assert await store.entry(written[0]) is None


async def test_many_entries_of_one_merchant_drop_none_of_another(store: Store) -> None:
    seq = await store.record("quiet", EXCHANGE, "get_button", exchange(), 1.0, None)
    for _ in range(20):
        await store.record("noisy", EXCHANGE, "get_button", exchange(10_000), 1.0, None)
    assert await seen(store, JournalFilter(merchant="quiet")) == [seq]
    assert await store.dropped("quiet") == 0
    assert await store.dropped("noisy") > 0


async def test_events_are_bounded_too(store: Store) -> None:
    most = 65536 // EVENT_BYTES
    newest = await store.commit("shop", telling(*[created()] * (most + 7)), 1.0)
    numbers = await seen(store)
    assert (numbers[0], numbers[-1]) == (newest - most + 1, newest)
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


async def test_an_entry_that_is_larger_than_the_bound_is_kept_alone(store: Store) -> None:
    await store.record("shop", EXCHANGE, "get_button", exchange(100_000), 1.0, None)
    larger = await store.record("shop", EXCHANGE, "get_button", exchange(100_001), 1.0, None)
    assert await seen(store) == [larger]


@pytest.fixture
async def tight(engine: Settings) -> AsyncIterator[Store]:
    """An empty store in which all journals together may be as large as one."""
    opened = open_store(replace(engine, all_journals_bytes=65536))
    await opened.open()
    yield opened
    await opened.close()


async def size(store: Store) -> int:
    return sum(entry.size for entry in await store.entries(EVERYTHING, 0, 100_000))


async def test_all_journals_together_are_bounded_and_the_largest_is_shortened(tight: Store) -> None:
    for number in range(100):
        await tight.record("noisy", EXCHANGE, "get_button", exchange(2000), 1.0, None)
        if number % 2:
            await tight.record(f"quiet-{number % 5}", EXCHANGE, "get_button", exchange(10), 1.0, None)
        assert await size(tight) <= 65536
    assert await tight.dropped("noisy") > 50
    assert await tight.dropped(None) == await tight.dropped("noisy")


async def test_many_small_journals_are_bounded_and_the_newest_entry_stays(tight: Store) -> None:
    for number in range(60):
        seq = await tight.record(f"m-{number}", EXCHANGE, "get_button", exchange(3000), 1.0, None)
        assert await size(tight) <= 65536
        assert await tight.entry(seq) is not None
    assert await tight.dropped("m-0") == 1


async def test_clearing_a_journal_makes_room_for_others(tight: Store) -> None:
    for _ in range(10):
        await tight.clear(None)
        for _ in range(6):
            await tight.record("shop", EXCHANGE, "get_button", exchange(8000), 1.0, None)
        assert await tight.dropped(None) == 0


async def test_the_newest_dropped_entry_is_the_one_before_those_that_are_left(tight: Store) -> None:
    assert await tight.newest_dropped(None) == 0
    seqs = [await tight.record("shop", EXCHANGE, "get_button", exchange(9000), 1.0, None) for _ in range(20)]
    await tight.record("other", EXCHANGE, "get_button", exchange(), 1.0, None)
    kept = await seen(tight, JournalFilter(merchant="shop"))
    newest = seqs[-len(kept) - 1]
    assert [await tight.newest_dropped(merchant) for merchant in ("shop", None, "other")] == [newest, newest, 0]
    await tight.clear("shop")
    assert await tight.newest_dropped(None) == 0


def test_there_are_three_kinds_of_entries() -> None:
    assert set(KINDS) == {"exchange", "callback", "event"}


async def test_entries_before_a_position_are_read_newest_first(store: Store) -> None:
    for number in range(3):
        await store.commit("shop", telling(created(f"b-{number}")), 1.0)
        await store.record("other", EXCHANGE, "get_button", exchange(), 1.0, None)
    order = await seen(store)

    async def newest(journal_filter: JournalFilter, after: int, limit: int, before: int) -> list[int]:
        return [entry.seq for entry in await store.entries(journal_filter, after, limit, before=before)]

    assert await newest(EVERYTHING, 0, 100, LAST_POSITION) == order[::-1]
    assert await newest(EVERYTHING, 0, 2, LAST_POSITION) == order[:3:-1]
    assert await newest(EVERYTHING, order[1], 100, order[4]) == [order[3], order[2]]
    assert await newest(JournalFilter(merchant="shop"), 0, 2, LAST_POSITION) == [order[4], order[2]]
    assert await newest(JournalFilter(status="200", merchant="other"), 0, 2, order[5]) == [order[3], order[1]]
