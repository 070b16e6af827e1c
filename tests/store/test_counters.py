from itertools import pairwise

from mock_klarna.domain.journal import EXCHANGE, NO_MERCHANT, JournalFilter
from mock_klarna.domain.records import ButtonKey, Merchant, MerchantSummary, Purchase
from mock_klarna.store.base import Store
from tests.store.samples import button, created, dumped, exchange, job, order, purchase, scheduling, telling, writing


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


async def test_merchants_are_summarized_at_once_the_last_active_one_first(store: Store) -> None:
    await store.count("silent", "button")
    for name in ("shop", "other", "shop"):
        await store.commit(name, telling(created()), 2.0)
    await store.commit("shop", writing(button(), Merchant(merchant="shop", clock_offset=60.0)), 3.0)
    for number in range(3):
        await store.commit("other", writing(purchase(f"p-{number}", "other"), order(f"o-{number}", "other")), 4.0)
    position = await store.record("other", EXCHANGE, "get_button", exchange(), 5.0, None)
    await store.record(NO_MERCHANT, EXCHANGE, "get_button", exchange(), 6.0, None)
    await store.position()  # PostgreSQL: every entry is complete
    before = getattr(store, "statements", 0)
    found, total = await store.merchant_summaries(None, 10)
    assert getattr(store, "statements", 0) - before <= 2  # the heartbeat of a PostgreSQL store may be the second
    assert ([each.merchant for each in found], total) == (["other", "shop", "silent"], 3)
    assert found[0] == MerchantSummary("other", 0, 3, 3, 0.0, position, 5.0)
    assert found[1][:5] == ("shop", 1, 0, 0, 60.0)
    assert found[1].last_at == 2.0
    assert found[2] == MerchantSummary("silent", 0, 0, 0, 0.0, None, None)
    assert await store.merchant_summaries(None, 1) == (found[:1], 3)
    assert await store.merchant_summaries("shop", 10) == (found[1:2], 1)
    assert await store.merchant_summaries("nobody", 10) == ([], 0)
    assert await store.merchant_summaries(None, 0) == ([], 3)
