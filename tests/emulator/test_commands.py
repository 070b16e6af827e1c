"""The emulator's commands without a server: ids, faults, reviews, merchants."""

import asyncio
from typing import Any

import pytest

from mock_klarna.domain.records import ButtonKey, Purchase
from mock_klarna.emulator import Emulator
from mock_klarna.emulator.context import uuid_from
from mock_klarna.emulator.emulator import buy
from mock_klarna.errors import NotAllowed, NotFound, StateConflict, UnknownName
from mock_klarna.settings import Settings
from mock_klarna.store.memory import MemoryStore
from tests.emulator.conftest import RealTime
from tests.merchants.pages import PAGE, urls

KEY = {"merchant_urls": urls("http://shop")}


async def bought(emulator: Emulator, merchant: str = "shop", **wish: Any) -> Purchase:
    await emulator.buttons.create(merchant, KEY)
    return await buy(emulator, merchant, {"page": PAGE, **wish})


def fresh(chance: str, real_time: RealTime, **settings: Any) -> Emulator:
    return Emulator(MemoryStore(), Settings(**settings), real_time, chance)


async def test_the_same_seed_and_the_same_calls_give_the_same_ids_and_shoppers(real_time: RealTime) -> None:
    twins = [await bought(fresh("seed", real_time)) for _ in range(2)]
    assert twins[0] == twins[1]
    assert (await bought(fresh("other", real_time))).purchase_id != twins[0].purchase_id


async def test_merchants_draw_from_the_same_seed_without_sharing_ids(emulator: Emulator) -> None:
    purchases = [await bought(emulator, merchant) for merchant in ("a", "b") for _ in range(2)]
    assert len({purchase.purchase_id for purchase in purchases}) == 4
    assert len({purchase.authorization_token for purchase in purchases}) == 4


async def test_what_one_merchant_does_changes_nothing_of_anothers_chance(real_time: RealTime) -> None:
    alone, crowded = fresh("seed", real_time), fresh("seed", real_time)
    for _ in range(3):
        await bought(crowded, "other")
    assert await bought(alone) == await bought(crowded)


@pytest.mark.parametrize(
    ("settings", "seed", "same"),
    [({}, None, False), ({}, "again", True), ({"seed": "server"}, None, True), ({"seed": "server"}, "again", True)],
)
async def test_a_reset_begins_the_same_chance_again_only_where_a_seed_was_given(
    real_time: RealTime, settings: dict[str, str], seed: str | None, same: bool
) -> None:
    emulator, ids = fresh("server", real_time, **settings), []
    for _ in range(2):
        await emulator.merchants.reset("shop", seed)
        ids.append((await bought(emulator)).purchase_id)
    assert (ids[0] == ids[1]) is same


def test_an_id_has_the_form_of_a_random_uuid_and_depends_on_every_part() -> None:
    first = uuid_from("a", "b", 1)
    assert [len(part) for part in first.split("-")] == [8, 4, 4, 4, 12]
    assert (first[14], first[19] in "89ab") == ("4", True)
    assert len({first, uuid_from("a", "b", 2), uuid_from("b", "a", 1), uuid_from("ab", "", 1)}) == 4


async def test_a_reset_of_one_merchant_forgets_its_things_and_clock_and_nothing_of_another(emulator: Emulator) -> None:
    mine, theirs = await bought(emulator), await bought(emulator, "other")
    for name in ("shop", "other"):
        await emulator.merchants.move_clock(name, 3600.0)
        await emulator.faults.create(name, {"on": "callback", "drop": True})
    await emulator.merchants.reset("shop")
    assert await emulator.store.get(Purchase, mine.purchase_id) is None
    assert await emulator.store.get(Purchase, theirs.purchase_id) == theirs
    assert (await emulator.merchants.offset("shop"), await emulator.merchants.offset("other")) == (0.0, 3600.0)
    assert [fault.merchant for fault in await emulator.faults.waiting(None)] == ["other"]


async def test_a_merchants_time_is_real_time_and_its_own_offset(emulator: Emulator, real_time: RealTime) -> None:
    await emulator.merchants.move_clock("shop", 100.0)
    real_time.now += 5
    assert await emulator.context.now("shop") == 1_000_105.0
    assert await emulator.context.now("other") == 1_000_005.0


@pytest.mark.parametrize(
    ("name", "error"), [("other", NotAllowed), ("shop", None)], ids=["another merchant", "the merchant"]
)
async def test_a_key_is_read_by_its_merchant_alone(
    emulator: Emulator, name: str, error: type[Exception] | None
) -> None:
    button = await emulator.buttons.create("shop", KEY)
    if error is None:
        assert await emulator.buttons.read(name, button.button_key) == button
    else:
        with pytest.raises(error):
            await emulator.buttons.read(name, button.button_key)
    with pytest.raises(NotFound):
        await emulator.buttons.read(name, "unknown")


async def test_a_purchase_id_is_no_token(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    with pytest.raises(NotFound):
        await emulator.authorizations.read("shop", purchase.purchase_id)
    assert await emulator.authorizations.read("shop", purchase.authorization_token or "") == purchase


async def test_changes_of_a_key_at_the_same_time_are_all_kept(emulator: Emulator) -> None:
    button = await emulator.buttons.create("shop", KEY)
    names = [f"member_{number}" for number in range(20)]
    await asyncio.gather(*[emulator.buttons.update("shop", button.button_key, {name: True}) for name in names])
    changed = await emulator.store.get(ButtonKey, button.button_key)
    assert changed is not None
    assert changed.version == 21
    assert all(name.encode() in changed.body for name in names)


@pytest.mark.parametrize(
    ("fault", "on", "operation", "struck"),
    [
        ({"on": "callback"}, "callback", "push", True),
        ({"on": "callback"}, "request", "push", False),
        ({"on": "callback", "operation": "push"}, "callback", "push", True),
        ({"on": "callback", "operation": "push"}, "callback", "update", False),
    ],
)
async def test_a_fault_strikes_what_it_is_on(
    emulator: Emulator, fault: dict[str, Any], on: str, operation: str, struck: bool
) -> None:
    await emulator.faults.create("shop", {**fault, "drop": True})
    assert await emulator.faults.take("other", on, operation) is None
    assert (await emulator.faults.take("shop", on, operation) is not None) is struck
    assert (await emulator.faults.waiting("shop") == []) is struck


async def test_faults_strike_oldest_first_and_each_as_often_as_it_says(emulator: Emulator) -> None:
    await emulator.faults.create("shop", {"on": "callback", "status": 500, "times": 2})
    await emulator.faults.create("shop", {"on": "callback", "status": 503})
    struck = [await emulator.faults.take("shop", "callback", "push") for _ in range(4)]
    assert [effect and effect["status"] for effect in struck] == [500, 500, 503, None]


async def test_a_planned_review_that_was_ended_by_hand_stays_as_it_is(emulator: Emulator) -> None:
    purchase = await bought(emulator, outcome={"fraud_status": "PENDING", "then": "REJECTED", "after": 60})
    order = {"purchase_currency": "SEK", "purchase_country": "SE", "order_amount": 1}
    _, placed = await emulator.authorizations.place("shop", purchase.authorization_token or "", order, b"{}")
    await emulator.orders.end_review("shop", placed.order_id, "ACCEPTED")
    await emulator.orders.end_planned_review(placed.order_id)
    assert (await emulator.orders.find("shop", placed.order_id)).fraud_status == "ACCEPTED"
    with pytest.raises(StateConflict):
        await emulator.orders.end_review("shop", placed.order_id, "REJECTED")


async def test_what_belongs_to_another_merchant_is_not_known_to_the_control_api(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    with pytest.raises(UnknownName):
        await emulator.purchases.find("other", purchase.purchase_id)
    with pytest.raises(UnknownName):
        await emulator.buttons.offered("other", purchase.button_key)
    assert await emulator.purchases.find(None, purchase.purchase_id) == purchase
