"""The ids, the random draws and the time of each merchant."""

import asyncio
from typing import Any

from mock_klarna.emulator import Emulator
from mock_klarna.emulator.context import uuid_from
from mock_klarna.emulator.emulator import order
from mock_klarna.errors import TooManyConflicts
from mock_klarna.store.memory import MemoryStore
from tests.emulator.conftest import RealTime, bought, emulator_over
from tests.store.awaiting import Awaiting


def fresh(default_seed: str, real_time: RealTime, **settings: Any) -> Emulator:
    return emulator_over(MemoryStore(), real_time, default_seed, **settings)


async def test_the_same_seed_and_the_same_calls_give_the_same_ids_and_shoppers(real_time: RealTime) -> None:
    twins = [await bought(fresh("seed", real_time)) for _ in range(2)]
    assert twins[0] == twins[1]
    assert (await bought(fresh("other", real_time))).purchase_id != twins[0].purchase_id


async def test_merchants_draw_from_the_same_seed_without_sharing_ids(emulator: Emulator) -> None:
    purchases = [await bought(emulator, merchant) for merchant in ("a", "b") for _ in range(2)]
    assert len({purchase.purchase_id for purchase in purchases}) == 4
    assert len({purchase.authorization_token for purchase in purchases}) == 4


async def test_the_calls_of_one_merchant_do_not_change_the_ids_of_another(real_time: RealTime) -> None:
    alone, crowded = fresh("seed", real_time), fresh("seed", real_time)
    for _ in range(3):
        await bought(crowded, "other")
    assert await bought(alone) == await bought(crowded)


def test_an_id_has_the_form_of_a_random_uuid_and_depends_on_every_part() -> None:
    first = uuid_from("a", "b", 1)
    assert [len(part) for part in first.split("-")] == [8, 4, 4, 4, 12]
    assert (first[14], first[19] in "89ab") == ("4", True)
    assert len({first, uuid_from("a", "b", 2), uuid_from("b", "a", 1), uuid_from("ab", "", 1)}) == 4


async def test_a_command_that_others_outrun_at_every_try_is_a_failure_of_the_store(real_time: RealTime) -> None:
    emulator = emulator_over(Awaiting(MemoryStore()), real_time)
    placed = await order(emulator, "shop", {"cart": "se-battery-pack"})
    body = {"captured_amount": 1}
    captures = [emulator.order_management.run("capture_order", "shop", placed.order_id, body) for _ in range(100)]
    results = await asyncio.gather(*captures, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    assert {type(failure) for failure in failures} == {TooManyConflicts}
    assert TooManyConflicts.status == 503


async def test_the_time_of_a_merchant_is_real_time_plus_its_offset(emulator: Emulator, real_time: RealTime) -> None:
    await emulator.merchants.move_clock("shop", 100.0)
    real_time.now += 5
    assert await emulator.context.now("shop") == 1_000_105.0
    assert await emulator.context.now("other") == 1_000_005.0
