"""The state out and in (`/_mock/snapshot`): atomic, versioned, of one merchant or of all."""

import copy
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from mock_klarna.contract.portions import LARGE
from mock_klarna.pytest_plugin.commands import MockKlarnaAsync

Json = dict[str, Any]


@pytest.fixture
async def state(klarna: MockKlarnaAsync, purchase: Json) -> Any:
    """A snapshot with a record of each kind in it: a key, a placed and a waiting purchase, callbacks, a fault, a clock."""
    order = await klarna.get_authorization(purchase["authorization_token"])
    await klarna.create_order(purchase["authorization_token"], order)
    await klarna.purchase(page=order, wait=0, outcome={"fraud_status": "PENDING", "then": "ACCEPTED", "after": "2h"})
    await klarna.advance_clock("1h")
    await klarna.fault("callback", drop=True)
    return await klarna.snapshot()


async def test_what_came_out_goes_in_and_comes_out_the_same(klarna: MockKlarnaAsync, state: Json) -> None:
    before = await klarna.purchases(), await klarna.callbacks(), await klarna.faults()
    await klarna.reset(seed=1)
    assert await klarna.purchases() == []
    await klarna.load_snapshot(state)
    assert (await klarna.purchases(), await klarna.callbacks(), await klarna.faults()) == before
    assert await klarna.snapshot() == state
    assert set(state["merchants"][klarna.merchant]["records"]) == {
        "button", "purchase", "order", "callback", "fault", "merchant"
    }  # fmt: skip


async def test_a_restored_purchase_lives_on(klarna: MockKlarnaAsync, purchase: Json) -> None:
    state = await klarna.snapshot()
    await klarna.advance_clock("2h")
    assert (await klarna.find_purchase(purchase["purchase_id"]))["state"] == "timed_out"
    await klarna.load_snapshot(state)
    assert await klarna.get_authorization(purchase["authorization_token"])
    await klarna.advance_clock("2h")
    assert (await klarna.find_purchase(purchase["purchase_id"]))["state"] == "timed_out"


async def test_a_snapshot_of_one_merchant_leaves_the_others_alone(klarna: MockKlarnaAsync, state: Json) -> None:
    await klarna.send("POST", "/_mock/clock?merchant=other", {"advance": 60})
    assert set((await klarna.snapshot())["merchants"]) == {klarna.merchant}
    answer = await klarna.send("GET", "/_mock/snapshot", headers={"Authorization": ""})
    assert set(answer.body["merchants"]) == {klarna.merchant, "other"}
    await klarna.load_snapshot(state)
    assert (await klarna.send("GET", "/_mock/clock?merchant=other")).body["ahead_seconds"] == pytest.approx(60, abs=1)


def _button(state: Json) -> Json:
    (merchant,) = state["merchants"].values()
    return merchant["records"]["button"][0]  # type: ignore[no-any-return]


def _of_nobody(state: Json) -> None:
    _button(state)["merchant"] = "somebody else"


def _too_much(state: Json) -> None:
    _button(state)["color"] = "red"


def _too_little(state: Json) -> None:
    del _button(state)["body"]


def _of_another_kind(state: Json) -> None:
    next(iter(state["merchants"].values()))["records"]["castle"] = [{}]


def _not_a_record(state: Json) -> None:
    next(iter(state["merchants"].values()))["records"]["button"] = [5]


def _newer(state: Json) -> None:
    state["version"] = 2


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_of_nobody, "somebody else"),
        (_too_much, "color"),
        (_too_little, "body"),
        (_of_another_kind, "castle"),
        (_not_a_record, "damaged"),
        (_newer, "version"),
    ],
)
async def test_a_damaged_snapshot_is_refused_and_changes_nothing(
    klarna: MockKlarnaAsync, state: Json, damage: Callable[[Json], None], named: str
) -> None:
    damaged = copy.deepcopy(state)
    damage(damaged)
    answer = await klarna.send("PUT", "/_mock/snapshot", damaged)
    assert answer.status == 400
    assert named in str(answer.body)
    assert await klarna.snapshot() == state


async def test_a_snapshot_cannot_take_what_belongs_to_a_merchant_who_stays(
    klarna: MockKlarnaAsync, state: Json
) -> None:
    stolen = copy.deepcopy(state)
    stolen["merchants"]["thief"] = stolen["merchants"].pop(klarna.merchant)
    for records in stolen["merchants"]["thief"]["records"].values():
        for record in records:
            record["merchant"] = "thief"
    for job in stolen["merchants"]["thief"]["jobs"]:
        job["merchant"] = "thief"
    answer = await klarna.send("PUT", "/_mock/snapshot", stolen)
    assert (answer.status, klarna.merchant in answer.body["error"]) == (400, True)
    assert await klarna.snapshot() == state
    assert (await klarna.send("GET", "/_mock/purchases?merchant=thief")).body["total"] == 0


@pytest.fixture
def large(state: Json) -> Json:
    """A snapshot of some megabytes."""
    (held,) = state["merchants"].values()
    key = held["records"]["button"][0]
    held["records"]["button"] += [{**key, "button_key": f"key-{number}"} for number in range(8000)]
    return state


async def test_a_large_snapshot_goes_in_and_comes_out_the_same(klarna: MockKlarnaAsync, large: Json) -> None:
    assert len(json.dumps(large)) > 2 * LARGE
    await klarna.load_snapshot(large)
    assert await klarna.snapshot() == large


def _no_counters(state: Json) -> None:
    del next(iter(state["merchants"].values()))["counters"]


@pytest.mark.parametrize(
    ("damage", "named"),
    [(_of_nobody, "somebody else"), (_too_much, "color"), (_newer, "version"), (_no_counters, "counters")],
)
async def test_a_large_snapshot_that_is_damaged_is_refused_and_changes_nothing(
    klarna: MockKlarnaAsync, large: Json, damage: Callable[[Json], None], named: str
) -> None:
    before = await klarna.snapshot()
    damage(large)
    answer = await klarna.send("PUT", "/_mock/snapshot", large)
    assert (answer.status, named in str(answer.body)) == (400, True)
    assert await klarna.snapshot() == before


async def test_a_large_snapshot_that_is_cut_off_is_refused_with_the_place(klarna: MockKlarnaAsync, large: Json) -> None:
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.put(
            f"{klarna.url}/_mock/snapshot", data=BytesIO(json.dumps(large).encode()[:-2]), headers=headers
        ) as answer,
    ):
        said = await answer.json()
    assert (answer.status, "line 1, column" in str(said)) == (400, True)
