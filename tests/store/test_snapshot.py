import asyncio
import copy
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, get_args

import jsonschema
import orjson
import pytest
from msgspec import Struct
from msgspec.structs import fields

from mock_klarna import resources
from mock_klarna.domain.callbacks import Attempt, Delivery
from mock_klarna.domain.customer_token import CustomerToken
from mock_klarna.domain.records import (
    ButtonKey,
    Capture,
    Decision,
    Fault,
    FirstHost,
    Fulfilment,
    Job,
    Merchant,
    Order,
    Outcome,
    Purchase,
    Record,
    Refund,
    RememberedAnswer,
)
from mock_klarna.errors import MockKlarnaError
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from mock_klarna.store.memory import MemoryStore
from mock_klarna.store.snapshot import KINDS, require_valid
from mock_klarna.store.snapshot_stream import Portion
from tests.store.samples import button, delivery, dumped, job, load, order, purchase, scheduling, writing

ATTEMPT = Attempt(
    at=3.5,
    duration=0.25,
    outcome="answered",
    status=200,
    answer=b"\xff\xfe\x00",
    answer_headers=(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
)
FULFILMENT = Fulfilment(
    order_amount=7,
    released=1,
    expires_at=8.5,
    captures=(Capture(capture_id="c-1", captured_amount=5, captured_at=2.0, details=b'{"description":"x"}'),),
    refunds=(Refund(refund_id="r-1", refunded_amount=3, refunded_at=3.0),),
    changes=b'{"merchant_reference1":"1"}',
)
RECORDS: list[Record] = [
    button(body='{"name":"Räksmörgås"}'.encode(), version=1),
    purchase(
        authorization_token="t-1",
        session=b'{"locale":"sv-SE"}',
        order=b'{"merchant_urls":{},"purchase_currency":"SEK"}',
        outcome=Outcome("PENDING", "REJECTED", 60.0),
        deny={"deny_code": "other"},
        merchant_timeout=None,
    ),
    order(body=b'{"purchase_currency":"SEK"}', push_url="http://shop/push", acknowledged=True, fulfilment=FULFILMENT),
    CustomerToken(
        merchant="shop", customer_token="c-1", purchase_id="p-1", body=b'{"request":{},"shopper":{}}', created_at=4.0
    ),
    RememberedAnswer(merchant="shop", name="n-1", status=201, body=b"", answer_headers=(("A", "b"),), until=9.5),
    delivery(attempts=(ATTEMPT, ATTEMPT), body=b'{"a":"\xc3\xa5"}', state="waiting"),
    Fault(merchant="shop", fault_id="f-1", body=b'{"on":"callback"}', on="callback", operation=None, times=3),
    Merchant(merchant="shop", clock_offset=172800.5, seed="s"),
    FirstHost(merchant="shop", username="shop"),
]


@pytest.fixture
async def state(store: Store) -> dict[str, Any]:
    """The dump of a store with one record of every kind, two jobs and a counter, as JSON makes it."""
    await store.commit("shop", Decision(writes=tuple(RECORDS)), 1.0)
    await store.commit("shop", scheduling(job("b", 20), job("a", 10)), 1.0)
    await store.claim("shop", 10)
    await store.count("shop", "button")
    loaded: dict[str, Any] = await dumped(store)
    return loaded


def test_there_is_a_sample_of_every_kind() -> None:
    assert {type(record) for record in RECORDS} == set(KINDS.values())


def test_the_schema_describes_each_member_of_each_kind_of_record_and_no_other() -> None:
    schema = orjson.loads((resources.schemas() / "snapshot.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    parts: dict[str, type[Struct]] = {
        "job": Job,
        "outcome": Outcome,
        "fulfilment": Fulfilment,
        "capture": Capture,
        "refund": Refund,
    }
    kinds: dict[str, type[Struct]] = {**KINDS, **parts, "attempt": Attempt}
    definitions = schema["$defs"]
    assert set(definitions["state"]["properties"]["records"]["properties"]) == set(KINDS)
    for name, kind in kinds.items():
        assert set(definitions[name]["properties"]) == set(kind.__struct_fields__), name
        needed = {field.name for field in fields(kind) if field.required and type(None) not in get_args(field.type)}
        assert set(definitions[name]["required"]) == needed, name


async def test_a_loaded_dump_gives_the_same_state(state: dict[str, Any]) -> None:
    copied = MemoryStore()
    await load(copied, state)
    for record in RECORDS:
        assert await copied.get(type(record), record.key) == record
    assert await copied.get(Purchase, "t-1") == RECORDS[1]
    assert await copied.records(Delivery, "shop", subject="p-1") == [RECORDS[5]]
    assert await copied.jobs("shop") == [job("a", 10), job("b", 20)]
    assert await copied.count("shop", "button") == 2


async def test_a_loaded_record_continues_at_its_version(store: Store, state: dict[str, Any]) -> None:
    await load(store, state)
    await store.commit("shop", writing(order(version=2, fraud_status="ACCEPTED")), 2.0)
    found = await store.get(Order, "o-1")
    assert found is not None
    assert found.fraud_status == "ACCEPTED"


async def test_loading_replaces_the_merchants_it_names_and_leaves_the_others(
    store: Store, state: dict[str, Any]
) -> None:
    await store.commit("shop", writing(button("b-late")), 1.0)
    await store.commit("other", writing(button("b-other", "other")), 1.0)
    await load(store, state)
    assert await store.get(ButtonKey, "b-late") is None
    assert await store.get(ButtonKey, "b-other") is not None
    assert await store.get(ButtonKey, "b-1") == RECORDS[0]


async def test_a_dump_names_only_the_merchants_asked_for(store: Store) -> None:
    for name in ("a", "b", "c"):
        await store.commit(name, writing(button(f"b-{name}", name)), 1.0)
    assert {portion.merchant async for portion in store.dump(["a", "c", "nobody"])} == {"a", "c"}


async def test_loading_the_same_dump_twice_changes_nothing(store: Store, state: dict[str, Any]) -> None:
    await load(store, state)
    once = await dumped(store)
    await load(store, state)
    assert await dumped(store) == once


def _into(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def damage(state: dict[str, Any]) -> None:
        at: Any = state
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return damage


def _without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def damage(state: dict[str, Any]) -> None:
        at: Any = state
        for step in path[:-1]:
            at = at[step]
        del at[path[-1]]

    return damage


RECORD = ("merchants", "shop", "records")
DAMAGES = {
    "of a later version": _into("version", value=99),
    "without a version": _without("version"),
    "without merchants": _without("merchants"),
    "with a list of merchants": _into("merchants", value=[]),
    "with a merchant that is no object": _into("merchants", "shop", value=[]),
    "without jobs": _without("merchants", "shop", "jobs"),
    "without records": _without("merchants", "shop", "records"),
    "with a record of an unknown kind": _into(*RECORD, "unicorn", value=[{}]),
    "with a record without a key": _without(*RECORD, "button", 0, "button_key"),
    "with a member that no record has": _into(*RECORD, "button", 0, "colour", value="red"),
    "with a body that is a number": _into(*RECORD, "button", 0, "body", value=1),
    "with attempts that are a number": _into(*RECORD, "callback", 0, "attempts", value=1),
    "with a damaged attempt": _into(*RECORD, "callback", 0, "attempts", value=[{"at": 1}]),
    "with a record of another merchant": _into(*RECORD, "button", 0, "merchant", value="other-shop"),
    "with a job of another merchant": _into("merchants", "shop", "jobs", 0, "merchant", value="other-shop"),
    "with a job without a time": _without("merchants", "shop", "jobs", 0, "due"),
    "with counters that are a number": _into("merchants", "shop", "counters", value=7),
    "with a counter that is a word": _into("merchants", "shop", "counters", "button", value="many"),
    "with a time that is a word": _into(*RECORD, "button", 0, "created_at", value="soon"),
    "with a version that is true": _into(*RECORD, "button", 0, "version", value=True),
    "with a key that is a list": _into(*RECORD, "button", 0, "button_key", value=["a"]),
    "with an order that is nested too deep": _into(
        *RECORD, "order", 0, "body", value='{"purchase_currency":"SEK","a":' + "[" * 64 + "]" * 64 + "}"
    ),
    "with a job that is due some day": _into("merchants", "shop", "jobs", 0, "due", value="some day"),
}


async def test_a_damaged_snapshot_is_refused_and_changes_nothing(store: Store, state: dict[str, Any]) -> None:
    before = await dumped(store)
    for name, damage in DAMAGES.items():
        damaged = copy.deepcopy(state)
        damage(damaged)
        assert await is_refused(store, damaged), name
        assert await dumped(store) == before, name


async def is_refused(store: Store, snapshot: dict[str, Any]) -> bool:
    """Return whether a snapshot is refused when it is loaded."""
    try:
        await load(store, snapshot)
    except MockKlarnaError:
        return True
    return False


_STATE: dict[str, Any] = {"records": {}, "jobs": [], "counters": {}}


@pytest.mark.parametrize(
    ("merchants", "place"),
    [
        ({"": _STATE | {"L": {}}}, 'merchants[""].L'),
        ({"": {}}, 'merchants[""].records'),
        ({"": 1}, 'merchants[""]'),
        ({"": _STATE | {"counters": {"": -1}}}, 'merchants[""].counters[""]'),
        ({"7": _STATE | {"counters": {"0": -1}}}, "merchants.7.counters.0"),
        ({"": _STATE | {"records": {"button": [{}]}}}, 'merchants[""].records.button[0].merchant'),
        ({"counters": _STATE | {"counters": {"": 0.5}}}, 'merchants.counters.counters[""]'),
    ],
)
def test_a_refusal_names_the_place_below_members_without_a_name_and_with_a_number_as_name(
    merchants: Any, place: str
) -> None:
    with pytest.raises(MockKlarnaError) as refused:
        require_valid("snapshot", {"version": 1, "merchants": merchants}, ())
    assert refused.value.where == place


async def test_a_refusal_names_the_place_below_a_member_without_a_name_in_a_text_of_json(
    store: Store, state: dict[str, Any]
) -> None:
    state["merchants"]["shop"]["records"]["button"][0]["body"] = '{"": {}, "options": 1}'
    with pytest.raises(MockKlarnaError) as refused:
        await load(store, state)
    assert "in which options is an object" in refused.value.hint


@pytest.mark.parametrize("not_one", [None, [], "x", 1, {}])
async def test_a_body_that_is_not_a_snapshot_is_refused(store: Store, not_one: Any) -> None:
    with pytest.raises(MockKlarnaError):
        await load(store, not_one)


async def test_a_snapshot_cannot_take_a_key_that_another_merchant_has(store: Store, state: dict[str, Any]) -> None:
    await store.clear(None)
    await store.commit("other", writing(button("b-1", "other")), 1.0)
    with pytest.raises(MockKlarnaError, match="b-1 already belongs to 'other'"):
        await load(store, state)
    assert await store.merchants() == ["other"]


async def test_a_snapshot_cannot_take_a_token_that_another_merchant_has(store: Store, state: dict[str, Any]) -> None:
    await store.clear(None)
    await store.commit("other", writing(purchase("p-9", "other", authorization_token="t-1")), 1.0)
    with pytest.raises(MockKlarnaError, match="t-1 already belongs to 'other'"):
        await load(store, state)
    assert await store.merchants() == ["other"]


async def test_a_snapshot_cannot_give_one_key_to_two_merchants(store: Store, state: dict[str, Any]) -> None:
    before = await dumped(store)
    twin = json.loads(json.dumps(state["merchants"]["shop"]).replace('"shop"', '"twin"'))
    with pytest.raises(MockKlarnaError, match="twice"):
        await load(store, {**state, "merchants": {**state["merchants"], "twin": twin}})
    assert await dumped(store) == before


async def slow_portion(record: Record, read: asyncio.Event, loaded: asyncio.Event) -> AsyncGenerator[Portion]:
    """Yield a portion with a record; end when another snapshot is loaded."""
    yield Portion(record.merchant, [record])
    read.set()
    await loaded.wait()


async def test_of_two_snapshots_that_are_loaded_at_once_one_cannot_take_a_key_of_the_other(store: Store) -> None:
    for kept, taken in (
        (button("b-1"), button("b-1", "other")),
        (purchase("p-1", authorization_token="t-1"), purchase("p-2", "other", authorization_token="t-1")),
        (order("o-1"), order("o-1", "other")),
    ):
        await store.clear(None)
        read, loaded = asyncio.Event(), asyncio.Event()
        loading = asyncio.create_task(store.load(slow_portion(taken, read, loaded)))
        await read.wait()
        await store.load(slow_portion(kept, read, loaded=read))
        loaded.set()
        with pytest.raises(MockKlarnaError, match="already belongs to 'shop'"):
            await loading
        name = kept.alias or kept.key
        assert await store.get(type(kept), name) == kept
        assert await store.merchants() == ["shop"]


async def test_a_merchant_that_is_replaced_is_still_listed(store: Store) -> None:
    await store.commit("shop", writing(button()), 1.0)
    await load(store, await dumped(store))
    assert await store.merchants() == ["shop"]
    await store.commit("shop", writing(button("b-2")), 1.0)
    assert await store.merchants() == ["shop"]


@pytest.mark.parametrize("target", ["memory", "sqlite", "postgres"])
async def test_a_snapshot_moves_to_any_engine_and_comes_back(
    store: Store, state: dict[str, Any], new_store: Callable[[str], str], target: str
) -> None:
    other = open_store(Settings(store=new_store(target)))
    await other.open()
    try:
        await load(other, state)
        assert await dumped(other) == state
        await store.clear(None)
        await load(store, await dumped(other))
    finally:
        await other.close()
    assert await dumped(store) == state


async def test_portions_that_end_in_an_error_change_nothing(store: Store, state: dict[str, Any]) -> None:
    async def broken_off() -> AsyncGenerator[Portion]:
        for number in range(1000):
            yield Portion("shop", [button(f"new-{number}")])
        raise MockKlarnaError("broken off")

    with pytest.raises(MockKlarnaError, match="broken off"):
        await store.load(broken_off())
    assert await dumped(store) == state
    await store.commit("shop", writing(button("b-2")), 1.0)


async def test_a_dump_that_is_not_read_to_its_end_delays_nobody(store: Store) -> None:
    for number in range(200):
        await store.commit("shop", writing(button(f"b-{number}")), 1.0)
    async with aclosing(store.dump()) as first, aclosing(store.dump()) as second:
        await anext(first)
        keys = [record.key for record in (await anext(second)).records]
        await store.commit("shop", writing(button("late")), 1.0)
        await store.clear("shop")
        keys += [record.key async for portion in second for record in portion.records]
    assert keys == [f"b-{number}" for number in range(200)]
    assert await store.records(ButtonKey, "shop") == []
