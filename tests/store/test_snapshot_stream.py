"""Snapshots as JSON that arrives in pieces: what is read is what the whole JSON means, wherever it is cut into pieces."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_klarna.domain.records import Decision, Job
from mock_klarna.errors import MockKlarnaError
from mock_klarna.store.memory import MemoryStore
from mock_klarna.store.snapshot_stream import Portion, read_snapshot, write_snapshot
from mock_klarna.validation import MalformedBody
from tests.store.samples import button, delivery, in_pieces, job, order

AWKWARD = '[{"a\\\\": "}]\\"{"}, "\\u00e5\\n", 1.5e3, null]'
RECORDS = (
    button("b-1", body=b'{"name":"a \\"quoted\\" name, {[]} and a \\\\"}'),
    button("b-2", body='{"name":"Räksmörgås"}'.encode()),
    order("o-1", push_url="http://shop/[push]"),
    delivery("c-1", state="failed", body=AWKWARD.encode()),
)
JOBS = (job("a", 1.0), job("b", 2.0))


async def written(*portions: Portion) -> bytes:
    """Return the JSON of portions."""

    async def given_portions() -> AsyncGenerator[Portion]:
        for portion in portions:
            yield portion

    return b"".join([piece async for piece in write_snapshot(given_portions())])


async def read(raw: bytes, size: int = 1 << 16) -> list[Portion]:
    return [portion async for portion in read_snapshot(in_pieces(raw, size))]


def whole() -> bytes:
    portions = (Portion("shop", RECORDS[:3]), Portion("shop", RECORDS[3:], JOBS), Portion("shop", counters={"x": 3}))
    return asyncio.run(written(*portions, Portion("other")))


def meaning(portions: list[Portion]) -> dict[str, Any]:
    """Return all records, jobs and counters of each merchant."""
    found: dict[str, Any] = {}
    for merchant, records, jobs, counters in portions:
        before = found.get(merchant, ([], [], {}))
        found[merchant] = ([*before[0], *records], [*before[1], *jobs], {**before[2], **counters})
    return found


EXPECTED = {"shop": (list(RECORDS), list(JOBS), {"x": 3}), "other": ([], [], {})}


def test_a_snapshot_without_merchants_is_json_too() -> None:
    assert asyncio.run(written()) == b'{"version":1,"merchants":{}}'


@given(size=st.integers(1, 60), indent=st.sampled_from([None, 2]))
def test_a_snapshot_means_the_same_in_pieces_of_any_size(size: int, indent: int | None) -> None:
    raw = json.dumps(json.loads(whole()), indent=indent, ensure_ascii=bool(size % 2)).encode()
    assert meaning(asyncio.run(read(raw, size))) == EXPECTED


def test_members_may_be_in_any_order() -> None:
    state = json.loads(whole())
    state["merchants"] = {name: dict(reversed(part.items())) for name, part in state["merchants"].items()}
    raw = json.dumps(dict(reversed(state.items()))).encode()
    assert meaning(asyncio.run(read(raw, 100))) == EXPECTED


@given(place=st.integers(0, len(whole())), inserted=st.sampled_from([b"", b",", b"}", b"]", b'"', b"\xff", b":", b"x"]))
def test_damaged_json_is_refused_wherever_it_is_damaged(place: int, inserted: bytes) -> None:
    raw = whole()
    damaged = raw[:place] + inserted + (raw[place + 1 :] if inserted else b"")
    try:
        json.loads(damaged)
    except ValueError:
        with pytest.raises((MalformedBody, MockKlarnaError)):
            asyncio.run(read(damaged, 50))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "a JSON object; the body is empty"),
        (b" \n ", "a JSON object; the body holds only blanks"),
        (b'{"version": 1, "merchants": {', "the body is cut off (line 1, column 30)"),
        (b'{"version": 1,\n "merchants": {"a": {"jobs": [{"due', "the body is cut off (line 2, column 36)"),
        (b'{"version": 1,\n\n }', "(line 3, column 2)"),
        (b'{"version" 1}', "the name of a member and a colon (line 1, column 12)"),
        (b'{"version": 1, "merchants": {}} {}', "nothing after it (line 1, column 33)"),
        (
            b'{"version": 1, "merchants": {"a": {"counters": {} "jobs"',
            "a comma or } follows a value (line 1, column 51)",
        ),
        (b'{"version": 1, "merchants": {"a": {"jobs": [,', "JSON; a value (line 1, column 45)"),
        (b'{"version": NaN}', "(line 1, column 13)"),
    ],
)
def test_the_place_of_malformed_json_is_named(raw: bytes, expected: str) -> None:
    for size in (3, 1000):
        with pytest.raises(MalformedBody) as malformed:
            asyncio.run(read(raw, size))
        assert expected in malformed.value.problem.expected


def test_the_place_is_right_behind_much_that_was_read() -> None:
    raw = whole().replace(b'{"version":1,', b'{"version":1,' + b"\n" * 200_000)
    with pytest.raises(MalformedBody, match=r"line 200001, column \d+\)"):
        asyncio.run(read(raw[:-1]))


@pytest.mark.parametrize("twice", ["version", "merchants", "shop", "records", "button"])
def test_a_member_that_is_there_twice_is_refused(twice: str) -> None:
    raw = whole()
    state = json.loads(raw)
    parts: dict[str, Any] = {**state, **state["merchants"], **state["merchants"]["shop"]}
    parts |= state["merchants"]["shop"]["records"]
    member = f'"{twice}":{json.dumps(parts[twice])},'.encode()
    place = raw.index(f'"{twice}":'.encode())
    with pytest.raises(MockKlarnaError, match="twice"):
        asyncio.run(read(raw[:place] + member + raw[place:]))


def test_a_callback_that_was_being_sent_waits_if_its_job_follows_and_has_failed_without_one() -> None:
    sent = (
        delivery("c-0", state="failed"),
        delivery("c-1", state="in_flight"),
        delivery("c-2", state="in_flight", order_id="o-2"),
        delivery("c-3", state="failed"),
    )
    again = Job(due=1.0, merchant="shop", kind="push", subject="o-1")
    raw = asyncio.run(written(Portion("shop", sent, [again])))
    records = meaning(asyncio.run(read(raw)))["shop"][0]
    assert [record.key for record in records] == ["c-0", "c-1", "c-2", "c-3"]
    assert [record.state for record in records] == ["failed", "waiting", "failed", "failed"]


async def test_a_dump_is_the_state_of_one_moment_while_others_write() -> None:
    store = MemoryStore()
    for number in range(500):
        await store.commit("shop", Decision(writes=(button(f"b-{number}"),)), 1.0)
    dump = store.dump()
    keys = [record.key for record in (await anext(dump)).records]
    await store.commit("shop", Decision(writes=(button("late"), button("b-499", version=2, body=b"[]"))), 1.0)
    await store.clear("shop")
    async for portion in dump:
        keys += [record.key for record in portion.records]
        assert all(record.version == 1 for record in portion.records)
    assert keys == [f"b-{number}" for number in range(500)]
