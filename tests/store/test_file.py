# ruff: noqa: ASYNC240 -- a test that looks into its own small file keeps nobody waiting
"""The file engine: what a restart finds, and what it refuses."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mock_klarna.domain.callbacks import Attempt, Delivery
from mock_klarna.domain.journal import EXCHANGE, JournalFilter
from mock_klarna.domain.records import ButtonKey, Decision, Merchant, Purchase
from mock_klarna.errors import MockKlarnaError
from mock_klarna.store.base import Store
from mock_klarna.store.file import FileStore
from tests.store.samples import (
    button,
    created,
    delivery,
    dumped,
    exchange,
    job,
    load,
    order,
    purchase,
    telling,
    writing,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state is kept."""
    return tmp_path / "state.jsonl"


async def after(path: Path, do: Callable[[Store], Awaitable[Any]]) -> Any:
    """Open the store, do something and close it again."""
    store = FileStore(path)
    try:
        return await do(store)
    finally:
        await store.close()


async def filled(store: Store) -> Any:
    """Do one of everything."""
    attempt = Attempt(at=1.0, duration=0.1, outcome="answered", status=500, answer=b"\xff")
    await store.commit("shop", Decision(writes=(button(), purchase()), events=(created(),), jobs=(job(),)), 1.0)
    await store.commit(
        "shop",
        writing(
            purchase(version=2, authorization_token="t-1", order=b'{"merchant_urls":{},"purchase_currency":"SEK"}')
        ),
        1.0,
    )
    await store.commit("shop", Decision(writes=(order(), delivery()), cancels=("expire:p-1",), jobs=(job("o-1"),)), 2.0)
    await store.commit("shop", writing(delivery(version=2, attempts=(attempt,), state="failed")), 2.0)
    await store.commit("shop", writing(button("b-gone")), 1.0)
    await store.delete(ButtonKey, "b-gone")
    await store.count("shop", "order")
    await store.commit("shop", writing(Merchant(merchant="shop", clock_offset=3.5)), 1.0)
    await store.commit("cleared", writing(button("b-3", "cleared")), 1.0)
    await store.clear("cleared")
    return await dumped(store)


async def test_a_restart_finds_everything_but_the_journal(path: Path) -> None:
    before = await after(path, filled)
    store = FileStore(path)
    assert await dumped(store) == json.loads(json.dumps(before))
    assert await store.get(Purchase, "t-1") == purchase(
        version=2, authorization_token="t-1", order=b'{"merchant_urls":{},"purchase_currency":"SEK"}'
    )
    assert await store.records(Delivery, "shop", subject="p-1") != []
    assert await store.entries(JournalFilter(), 0, 10) == []
    assert await store.count("shop", "order") == 2
    await store.close()


async def test_a_file_that_was_read_and_compacted_says_the_same(path: Path) -> None:
    before = await after(path, filled)
    first = path.stat().st_size
    await after(path, lambda store: store.position())
    assert path.stat().st_size < first
    assert json.loads(json.dumps(await after(path, dumped))) == json.loads(json.dumps(before))


async def test_positions_go_on_after_those_of_the_last_event(path: Path) -> None:
    assert await after(path, lambda store: store.commit("shop", telling(created(), created()), 1.0)) == 2
    await after(path, lambda store: store.position())
    assert await after(path, lambda store: store.record("shop", EXCHANGE, "x", exchange(), 1.0, None)) == 3


async def test_jobs_that_were_claimed_and_not_finished_are_due_again(path: Path) -> None:
    async def claim_two(store: Store) -> None:
        await store.commit("shop", Decision(jobs=(job("a", 1), job("b", 2), job("c", 3))), 1.0)
        done, _dropped = await store.claim("shop", 9), await store.claim("shop", 9)
        assert done is not None
        await store.finish(done)

    await after(path, claim_two)
    assert await after(path, lambda store: store.jobs("shop")) == [job("b", 2), job("c", 3)]


async def test_the_next_try_of_a_finished_job_is_kept(path: Path) -> None:
    again = replace(job(), due=20.0, number=2)

    async def reschedule(store: Store) -> None:
        await store.commit("shop", Decision(jobs=(job(),)), 1.0)
        claimed = await store.claim("shop", 10)
        assert claimed is not None
        await store.commit("shop", Decision(jobs=(again,)), 1.0)
        await store.finish(claimed)

    await after(path, reschedule)
    assert await after(path, lambda store: store.jobs("shop")) == [again]


async def test_a_snapshot_that_was_loaded_is_found_again(path: Path, tmp_path: Path) -> None:
    state = json.loads(json.dumps(await after(tmp_path / "other.jsonl", filled)))

    async def load_it(store: Store) -> None:
        await store.commit("shop", writing(button("b-old")), 1.0)
        await store.count("shop", "unicorn")
        await load(store, state)

    await after(path, load_it)
    assert json.loads(json.dumps(await after(path, dumped))) == state


async def test_what_a_commit_returned_for_is_in_the_file_already(path: Path) -> None:
    store = FileStore(path)
    for number in range(5):
        await store.commit("shop", writing(button(f"b-{number}")), 1.0)
        assert f'"b-{number}"'.encode() in path.read_bytes()
    await store.close()


async def test_a_commit_that_conflicts_is_not_in_the_file(path: Path) -> None:
    store = FileStore(path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="b-1"):
        await store.commit("shop", writing(button(version=2)), 1.0)
    assert path.read_bytes() == before
    await store.close()


@pytest.mark.parametrize("cut", [1, 2, 20, "half"])
async def test_a_last_line_that_was_cut_off_is_left_out(path: Path, cut: int | str) -> None:
    await after(path, lambda store: store.commit("shop", writing(button("b-1")), 1.0))
    await after(path, lambda store: store.commit("shop", writing(button("b-2")), 1.0))
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    path.write_bytes(whole[: -(last // 2 if cut == "half" else int(cut))])
    keys = [held.key for held in await after(path, lambda store: store.records(ButtonKey, "shop"))]
    assert keys == ["b-1"]
    await after(path, lambda store: store.commit("shop", writing(button("b-2")), 1.0))
    assert len(await after(path, lambda store: store.records(ButtonKey, "shop"))) == 2


async def test_a_last_line_of_zeros_is_left_out(path: Path) -> None:
    await after(path, lambda store: store.commit("shop", writing(button()), 1.0))
    with path.open("ab") as file:
        file.write(b"\0" * 4096)
    assert len(await after(path, lambda store: store.records(ButtonKey, "shop"))) == 1


DAMAGES = {
    "no JSON": b"garbage",
    "cut off": b'{"do":"commit","merchant":"shop","writ',
    "a list": b"[]",
    "nothing to do": b"{}",
    "an unknown deed": b'{"do":"dance"}',
    "an unknown kind": b'{"do":"commit","merchant":"shop","writes":[["unicorn",{}]]}',
    "a damaged record": b'{"do":"commit","merchant":"shop","writes":[["button",{"merchant":"shop"}]]}',
    "a damaged job": b'{"do":"finish","job":{"colour":"red"}}',
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_damage_before_the_last_line_is_named_by_file_and_line_and_nothing_is_changed(
    path: Path, damage: bytes
) -> None:
    await after(path, filled)
    lines = path.read_bytes().splitlines()
    damaged = b"\n".join([*lines[:3], damage, *lines[4:]]) + b"\n"
    path.write_bytes(damaged)
    with pytest.raises(MockKlarnaError, match=r"state\.jsonl, line 4 is damaged"):
        FileStore(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("foreign", [b"# My shop\n", b"no end of line", b'{"a":1}\n', b'{"mock_klarna_store":2}\n'])
async def test_a_file_that_is_no_store_is_never_overwritten(path: Path, foreign: bytes) -> None:
    path.write_bytes(foreign)
    with pytest.raises(MockKlarnaError, match="is no store"):
        FileStore(path)
    assert path.read_bytes() == foreign


async def test_an_empty_file_is_an_empty_store(path: Path) -> None:
    path.touch()
    assert await after(path, lambda store: store.merchants()) == []


async def test_a_second_store_on_one_file_is_refused_until_the_first_lets_go(path: Path) -> None:
    first = FileStore(path)
    with pytest.raises(MockKlarnaError, match="in use by another server"):
        FileStore(path)
    await first.close()
    await after(path, lambda store: store.merchants())


async def test_a_store_that_cannot_be_opened_lets_go_of_its_lock(path: Path) -> None:
    path.write_bytes(b"# My shop\n")
    for _ in range(2):
        with pytest.raises(MockKlarnaError, match="is no store"):
            FileStore(path)
    path.unlink()
    await after(path, lambda store: store.merchants())


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(MockKlarnaError, match="nowhere"):
        FileStore(tmp_path / "nowhere" / "state.jsonl")


async def test_a_commit_for_which_there_is_no_room_is_refused_whole(path: Path) -> None:
    resource = pytest.importorskip("resource")
    store = FileStore(path)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, limits[1]))
    try:
        with pytest.raises(MockKlarnaError, match="cannot write"):
            await store.commit("shop", writing(button()), 1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (path.read_bytes(), await store.get(ButtonKey, "b-1")) == (before, None)
    await store.commit("shop", writing(button()), 1.0)
    await store.close()
    assert await after(path, lambda store: store.records(ButtonKey, "shop")) == [button()]
