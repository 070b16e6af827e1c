from itertools import pairwise

from mock_klarna.domain.journal import JournalFilter
from mock_klarna.domain.records import ButtonKey, Purchase
from mock_klarna.store.base import Store
from tests.store.samples import button, created, dumped, job, purchase, scheduling, telling, writing


async def test_a_counter_counts_from_one_for_each_merchant_and_name(store: Store) -> None:
    assert [await store.count("shop", "button") for _ in range(3)] == [1, 2, 3]
    assert await store.count("shop", "order") == 1
    assert await store.count("other", "button") == 1


async def test_clearing_a_merchant_deletes_its_state_and_nothing_of_another(store: Store) -> None:
    for name in ("shop", "other"):
        await store.count(name, "button")
        await store.commit(name, writing(button(f"b-{name}", name)), 1.0)
        await store.commit(name, writing(purchase(f"p-{name}", name, authorization_token=f"t-{name}")), 1.0)
        await store.commit(name, scheduling(job(merchant=name)), 1.0)
        await store.commit(name, telling(created()), 1.0)
    before = {"other": (await dumped(store))["merchants"]["other"]}
    await store.clear("shop")
    assert await store.merchants() == ["other"]
    assert (await dumped(store))["merchants"] == before
    assert await store.get(ButtonKey, "b-shop") is None
    assert await store.entries(JournalFilter(merchant="shop"), 0, 10) == []
    assert len(await store.entries(JournalFilter(), 0, 10)) == 1
    assert await store.next_due("shop") is None
    assert await store.count("shop", "button") == 1


async def test_a_key_is_free_again_after_clearing(store: Store) -> None:
    await store.commit("shop", writing(purchase(authorization_token="t-1")), 1.0)
    await store.clear("shop")
    await store.commit("shop", writing(purchase()), 1.0)
    assert await store.get(type(purchase()), "t-1") is None


async def test_clearing_all_leaves_nothing_but_the_position(store: Store) -> None:
    position = await store.commit("shop", telling(created()), 1.0)
    await store.commit("other", writing(button("b-2", "other")), 1.0)
    await store.clear(None)
    assert await store.merchants() == []
    assert await store.records(ButtonKey, None) == []
    assert await store.position() >= position
    assert await store.commit("shop", telling(created()), 1.0) > position


async def test_clearing_a_merchant_without_state_does_nothing(store: Store) -> None:
    await store.clear("nobody")
    assert await store.merchants() == []


async def test_requests_are_counted_in_each_second_for_each_merchant_and_limit(store: Store) -> None:
    counts = [await store.count_request("shop", "sessions", 1000) for _ in range(20)]
    assert all(after in (before + 1, 1) for before, after in pairwise(counts)), counts
    assert max(counts) > 1
    assert await store.count_request("other", "sessions", 1000) == 1
    assert await store.count_request("shop", "others", 1000) == 1


async def test_a_counted_request_is_not_in_a_dump(store: Store) -> None:
    await store.count_request("shop", "sessions", 1000)
    assert (await dumped(store))["merchants"] == {}


async def test_the_newest_records_of_a_kind_are_kept(store: Store) -> None:
    for number in range(6):
        await store.commit("shop", writing(button(f"b-{number}")), 1.0)
        await store.commit("other", writing(button(f"o-{number}", "other"), purchase(f"p-{number}", "other")), 1.0)
        await store.keep_newest(ButtonKey, "shop", 4)
    assert [kept.key for kept in await store.records(ButtonKey, "shop")] == ["b-2", "b-3", "b-4", "b-5"]
    assert await store.get(ButtonKey, "b-1") is None
    assert len(await store.records(ButtonKey, "other")) == len(await store.records(Purchase, "other")) == 6
    await store.keep_newest(ButtonKey, "stranger", 4)
