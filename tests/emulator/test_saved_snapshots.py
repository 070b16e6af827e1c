"""Copying a merchant of a snapshot while others keep another snapshot under its name."""

from collections.abc import Awaitable, Callable

import pytest

from mock_klarna.domain.records import Purchase
from mock_klarna.errors import StateConflict
from mock_klarna.store.memory import MemoryStore
from tests.emulator.conftest import RealTime, bought, emulator_over


class StoreWithOthers(MemoryStore):
    """A store in which others do something each time after a snapshot was read."""

    afterwards: Callable[[], Awaitable[object]] | None = None

    async def snapshot_content(self, name: str) -> bytes | None:
        content = await super().snapshot_content(name)
        if self.afterwards is not None:
            await self.afterwards()
        return content


async def test_a_copy_is_that_of_one_snapshot_if_it_is_replaced_meanwhile(real_time: RealTime) -> None:
    store = StoreWithOthers()
    emulator = emulator_over(store, real_time)
    first = await bought(emulator)
    for later, merchant in (("another purchase", "shop"), ("another merchant", "other"), ("nothing", None)):
        await emulator.snapshots.save("base", "shop")
        second = await bought(emulator, merchant or "shop") if merchant else None

        async def replace(merchant: str | None = merchant) -> None:
            await emulator.snapshots.save("base", merchant or "nobody")

        store.afterwards = replace
        await store.load(await emulator.snapshots.forked("base", None, "copy"))
        store.afterwards = None
        copied = await store.records(Purchase, "copy")
        assert first.purchase_id not in {purchase.purchase_id for purchase in copied}, later
        assert len(copied) == len(await store.records(Purchase, "shop")) - (merchant == "shop"), later
        if second is not None:
            assert await store.get(Purchase, second.purchase_id) == second, later


async def test_a_snapshot_without_merchants_cannot_be_copied(real_time: RealTime) -> None:
    emulator = emulator_over(MemoryStore(), real_time)
    await emulator.snapshots.save("empty", None)
    with pytest.raises(StateConflict, match="0 merchants"):
        await emulator.snapshots.forked("empty", "shop", "copy")
