import pytest
from msgspec.structs import replace

from mock_klarna.domain.records import Decision, Job
from mock_klarna.errors import WriteConflict
from mock_klarna.store.base import Store
from tests.store.samples import button, dumped, job, scheduling


async def claimed(store: Store, until: float = 1e9, merchant: str = "shop") -> list[Job]:
    jobs = []
    while taken := await store.claim(merchant, until):
        jobs.append(taken)
    return jobs


async def test_due_jobs_are_claimed_once_and_first_due_first(store: Store) -> None:
    late, early, next_ = job("late", 30), job("early", 10), job("next", 20)
    await store.commit("shop", scheduling(late, early, next_), 1.0)
    assert await store.next_due("shop") == 10
    assert await store.claim("shop", 9.999) is None
    assert await claimed(store, 20) == [early, next_]
    assert await store.claim("shop", 20) is None
    assert await store.jobs("shop") == [late]


async def test_jobs_due_together_are_claimed_in_the_order_in_which_they_were_scheduled(store: Store) -> None:
    jobs = [job(name, 10) for name in "cab"]
    for one in jobs:
        await store.commit("shop", scheduling(one), 1.0)
    assert await claimed(store) == jobs


async def test_a_job_of_the_same_name_takes_the_place_of_the_one_that_waits(store: Store) -> None:
    await store.commit("shop", scheduling(job(due=10), job("other", 15)), 1.0)
    await store.commit("shop", scheduling(job(due=20, number=2)), 1.0)
    assert await claimed(store) == [job("other", 15), job(due=20, number=2)]


async def test_a_cancelled_job_is_not_claimed_and_not_the_next_due(store: Store) -> None:
    await store.commit("shop", scheduling(job("a", 10), job("b", 20)), 1.0)
    await store.commit("shop", Decision(cancels=("expire:a", "expire:nobody")), 1.0)
    assert await store.next_due("shop") == 20
    assert await claimed(store) == [job("b", 20)]


async def test_a_decision_may_cancel_a_job_and_schedule_it_again(store: Store) -> None:
    await store.commit("shop", scheduling(job(due=10)), 1.0)
    await store.commit("shop", Decision(cancels=("expire:p-1",), jobs=(job(due=30),)), 1.0)
    assert await store.jobs("shop") == [job(due=30)]


async def test_a_claimed_job_is_not_cancelled_any_more(store: Store) -> None:
    await store.commit("shop", scheduling(job()), 1.0)
    taken = await store.claim("shop", 10)
    await store.commit("shop", Decision(cancels=("expire:p-1",)), 1.0)
    assert taken == job()
    assert (await dumped(store))["merchants"]["shop"]["jobs"] != []


@pytest.mark.parametrize("finished", [False, True])
async def test_a_claimed_job_is_in_a_dump_until_it_is_finished(store: Store, finished: bool) -> None:
    await store.commit("shop", scheduling(job()), 1.0)
    taken = await store.claim("shop", 10)
    assert taken is not None
    if finished:
        await store.finish(taken)
    assert len((await dumped(store))["merchants"]["shop"]["jobs"]) == (0 if finished else 1)
    assert await store.jobs("shop") == []


async def test_a_try_that_follows_survives_the_finish_of_the_one_before(store: Store) -> None:
    first = job()
    await store.commit("shop", scheduling(first), 1.0)
    assert await store.claim("shop", 10) == first
    second = replace(first, due=20.0, number=2)
    await store.commit("shop", scheduling(second), 1.0)
    await store.finish(first)
    assert await store.jobs("shop") == [second]


async def test_a_decision_finishes_a_claimed_job_and_schedules_the_next_try_in_one_step(store: Store) -> None:
    first, second = job(), job(due=20.0, number=2)
    await store.commit("shop", scheduling(first), 1.0)
    assert await store.claim("shop", 10) == first
    await store.commit("shop", Decision(jobs=(second,), finished=(first,)), 1.0)
    assert [kept["number"] for kept in (await dumped(store))["merchants"]["shop"]["jobs"]] == [2]
    await store.finish(first)
    assert await store.jobs("shop") == [second]


async def test_a_decision_that_conflicts_finishes_no_job(store: Store) -> None:
    await store.commit("shop", Decision(writes=(button(),), jobs=(job(),)), 1.0)
    taken = await store.claim("shop", 10)
    assert taken is not None
    with pytest.raises(WriteConflict):
        await store.commit("shop", Decision(writes=(button(),), finished=(taken,)), 1.0)
    assert len((await dumped(store))["merchants"]["shop"]["jobs"]) == 1
    await store.finish(taken)
    assert (await dumped(store))["merchants"]["shop"]["jobs"] == []


async def test_a_decision_finishes_no_job_that_still_waits(store: Store) -> None:
    await store.commit("shop", scheduling(job()), 1.0)
    await store.commit("shop", Decision(finished=(job(),)), 1.0)
    assert await store.jobs("shop") == [job()]


async def test_a_job_that_is_claimed_while_the_one_before_still_runs_stays_unfinished(store: Store) -> None:
    first, second = job(), job(due=20, number=2)
    await store.commit("shop", scheduling(first), 1.0)
    assert await store.claim("shop", 10) == first
    await store.commit("shop", scheduling(second), 1.0)
    assert await store.claim("shop", 20) == second
    await store.finish(first)
    (left,) = (await dumped(store))["merchants"]["shop"]["jobs"]
    assert left["number"] == 2


async def test_each_merchant_has_its_own_jobs(store: Store) -> None:
    await store.commit("shop", scheduling(job()), 1.0)
    await store.commit("other", scheduling(job(merchant="other", due=5)), 1.0)
    assert await claimed(store) == [job()]
    assert await store.next_due("other") == 5
    assert await store.next_due("stranger") is None
    assert await store.jobs("stranger") == []
    assert await store.claim("stranger", 1e9) is None


async def test_finishing_a_job_of_a_merchant_that_was_cleared_does_nothing(store: Store) -> None:
    await store.finish(job(merchant="gone"))
    assert await store.merchants() == []


async def test_the_jobs_of_all_merchants_are_read_at_once(store: Store) -> None:
    made = [
        job(name, due, merchant)
        for name, due, merchant in (("a", 30.0, "shop"), ("b", 20.0, "shop"), ("c", 25.0, "other"))
    ]
    for one in made:
        await store.commit(one.merchant, scheduling(one), 1.0)
    assert sorted(await store.jobs(None), key=lambda one: one.due) == sorted(made, key=lambda one: one.due)
    assert await store.jobs("shop") == [made[1], made[0]]
    assert await store.claim("other", 26.0) == made[2]
    assert len(await store.jobs(None)) == 2
    assert await store.jobs("nobody") == []
