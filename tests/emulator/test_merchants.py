"""Deleting what merchants have."""

from typing import Any

import pytest

from mock_klarna.domain.records import Purchase
from mock_klarna.emulator import Emulator
from mock_klarna.store.memory import MemoryStore
from tests.emulator.conftest import RealTime, bought, emulator_over


def fresh(default_seed: str, real_time: RealTime, **settings: Any) -> Emulator:
    return emulator_over(MemoryStore(), real_time, default_seed, **settings)


@pytest.mark.parametrize(
    ("settings", "seed", "same"),
    [({}, None, False), ({}, "again", True), ({"seed": "server"}, None, True), ({"seed": "server"}, "again", True)],
)
async def test_a_reset_repeats_the_ids_only_with_a_given_seed(
    real_time: RealTime, settings: dict[str, str], seed: str | None, same: bool
) -> None:
    emulator, ids = fresh("server", real_time, **settings), []
    for _ in range(2):
        await emulator.merchants.reset("shop", seed)
        ids.append((await bought(emulator)).purchase_id)
    assert (ids[0] == ids[1]) is same


async def test_a_reset_deletes_what_one_merchant_has_and_nothing_of_another(emulator: Emulator) -> None:
    mine, theirs = await bought(emulator), await bought(emulator, "other")
    for name in ("shop", "other"):
        await emulator.merchants.move_clock(name, 3600.0)
        await emulator.faults.create(name, {"on": "callback", "drop": True})
    await emulator.merchants.reset("shop")
    assert await emulator.store.get(Purchase, mine.purchase_id) is None
    assert await emulator.store.get(Purchase, theirs.purchase_id) == theirs
    assert (await emulator.merchants.offset("shop"), await emulator.merchants.offset("other")) == (0.0, 3600.0)
    assert [fault.merchant for fault in await emulator.faults.waiting(None)] == ["other"]
