from collections.abc import Callable

import pytest

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.journal import JournalFilter
from mock_klarna.domain.records import ButtonKey, Decision, Merchant, Order, Purchase, Record
from mock_klarna.errors import WriteConflict
from mock_klarna.store.base import Store
from tests.store.samples import button, created, delivery, dumped, job, order, purchase, writing

EVERYTHING = JournalFilter()


async def test_what_was_written_is_read_again(store: Store) -> None:
    await store.commit("shop", writing(button(body=b'{"a":1}')), 1.0)
    assert await store.get(ButtonKey, "b-1") == button(body=b'{"a":1}')


async def test_what_was_never_written_is_none(store: Store) -> None:
    await store.commit("shop", writing(button("same")), 1.0)
    assert await store.get(ButtonKey, "other") is None
    assert await store.get(Purchase, "same") is None
    assert await store.newest(Order, "shop") is None


async def test_a_purchase_is_found_by_its_token_as_soon_as_it_has_one(store: Store) -> None:
    await store.commit("shop", writing(purchase()), 1.0)
    authorized = purchase(version=2, authorization_token="t-1")
    await store.commit("shop", writing(authorized), 1.0)
    assert await store.get(Purchase, "t-1") == await store.get(Purchase, "p-1") == authorized


@pytest.mark.parametrize(("stored", "written"), [(0, 0), (0, 2), (1, 1), (1, 3), (2, 2), (2, 1)])
async def test_a_version_that_does_not_follow_the_stored_one_conflicts(store: Store, stored: int, written: int) -> None:
    for version in range(1, stored + 1):
        await store.commit("shop", writing(button(version=version)), 1.0)
    with pytest.raises(WriteConflict):
        await store.commit("shop", writing(button(version=written)), 1.0)


async def test_a_commit_that_conflicts_leaves_nothing_behind(store: Store) -> None:
    await store.commit("shop", writing(button()), 1.0)
    before = await dumped(store)
    everything = Decision(
        writes=(purchase(), button(version=1)), events=(created("b-2"),), jobs=(job(),), cancels=("push:o-1",)
    )
    with pytest.raises(WriteConflict):
        await store.commit("shop", everything, 2.0)
    assert await dumped(store) == before
    assert await store.entries(EVERYTHING, 0, 10) == []


async def test_what_a_new_merchant_writes_after_a_first_commit_that_conflicts_is_read_again(store: Store) -> None:
    await store.commit("shop", writing(button()), 1.0)
    with pytest.raises(WriteConflict):
        await store.commit("new", writing(button("b-2", "new"), button("b-1", "new")), 1.0)
    await store.commit("new", writing(button("b-3", "new")), 1.0)
    await store.commit("newer", writing(button("b-4", "newer")), 1.0)
    for merchant, key in (("new", "b-3"), ("newer", "b-4")):
        assert await store.records(ButtonKey, merchant) == [button(key, merchant)]
        assert await store.get(ButtonKey, key) == button(key, merchant)


async def test_records_are_listed_in_the_order_of_their_creation(store: Store) -> None:
    for key in ("b-2", "b-1", "b-3"):
        await store.commit("shop", writing(button(key)), 1.0)
    await store.commit("shop", writing(button("b-2", version=2)), 1.0)
    assert [found.button_key for found in await store.records(ButtonKey, "shop")] == ["b-2", "b-1", "b-3"]
    newest = await store.newest(ButtonKey, "shop")
    assert newest is not None
    assert newest.button_key == "b-3"


async def test_records_are_listed_for_one_merchant_or_for_all(store: Store) -> None:
    await store.commit("shop", writing(button("b-1")), 1.0)
    await store.commit("other", writing(button("b-2", "other")), 1.0)
    assert [found.key for found in await store.records(ButtonKey, "shop")] == ["b-1"]
    assert [found.key for found in await store.records(ButtonKey, None)] == ["b-1", "b-2"]
    assert await store.records(ButtonKey, "stranger") == []
    assert await store.newest(ButtonKey, "stranger") is None
    assert await store.merchants() == ["shop", "other"]


@pytest.mark.parametrize(("kind", "make"), [(Order, order), (Delivery, delivery)])
async def test_records_of_one_purchase_are_listed_alone(
    store: Store, kind: type[Record], make: Callable[..., Record]
) -> None:
    for key, purchase_id in (("1", "p-1"), ("2", "p-2"), ("3", "p-1")):
        await store.commit("shop", writing(make(key, purchase_id=purchase_id)), 1.0)
    assert [found.key for found in await store.records(kind, "shop", subject="p-1")] == ["1", "3"]
    assert await store.records(kind, "shop", subject="p-9") == []


async def test_the_newest_records_come_first_however_many_there_are(store: Store) -> None:
    orders = [order(str(number), purchase_id=f"p-{number % 2}", created_at=float(number)) for number in range(450)]
    for first in range(0, 450, 50):
        await store.commit("shop", writing(*orders[first : first + 50]), 1.0)
    await store.commit("other", writing(order("other", merchant="other", created_at=500.0)), 1.0)
    newest_first = [str(number) for number in reversed(range(450))]
    assert [found.key async for found in store.newest_first(Order, "shop")] == newest_first
    assert [found.key async for found in store.newest_first(Order, None)] == ["other", *newest_first]
    assert [found.key async for found in store.newest_first(Order, "shop", subject="p-1")] == newest_first[::2]
    assert [found async for found in store.newest_first(Order, "stranger")] == []
    counts = [await store.count_records(Order, merchant) for merchant in ("shop", "other", "stranger", None)]
    assert counts == [450, 1, 0, 451]


@pytest.mark.parametrize("record", [button(), purchase(authorization_token="t-1"), order(), delivery()])
async def test_a_deleted_record_is_not_found_by_its_key_or_alias(store: Store, record: Purchase) -> None:
    await store.commit("shop", writing(record), 1.0)
    await store.delete(type(record), record.key)
    assert await store.get(type(record), record.key) is None
    assert await store.get(type(record), record.alias or "") is None
    assert await store.records(type(record), "shop") == []
    await store.commit("shop", writing(record), 1.0)
    assert await store.get(type(record), record.key) == record


async def test_deleting_an_unknown_record_does_nothing(store: Store) -> None:
    await store.delete(ButtonKey, "b-1")
    assert await store.merchants() == []


async def test_the_oldest_callbacks_above_the_limit_are_dropped(store: Store) -> None:
    for number in range(13):
        await store.commit("shop", writing(delivery(f"c-{number}", purchase_id=f"p-{number % 2}")), 1.0)
    kept = [found.callback_id for found in await store.records(Delivery, "shop")]
    assert kept == [f"c-{number}" for number in range(3, 13)]
    assert await store.get(Delivery, "c-2") is None
    assert [found.callback_id for found in await store.records(Delivery, "shop", subject="p-0")] == kept[1::2]


async def test_a_merchant_whose_name_no_database_can_store_has_records_of_its_own(store: Store) -> None:
    name = "a\0b\ud800"
    await store.commit(name, writing(button("b-1", name)), 1.0)
    await store.commit(name, writing(Merchant(merchant=name, clock_offset=5.0)), 1.0)
    assert [record.key for record in await store.records(ButtonKey, name)] == ["b-1"]
    found = await store.get(Merchant, name)
    assert found is not None
    assert found.clock_offset == 5.0
    await store.clear(name)
    assert await store.records(ButtonKey, name) == []
