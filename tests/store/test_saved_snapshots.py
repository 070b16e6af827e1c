"""Snapshots that a store keeps under names."""

from collections.abc import Callable
from functools import partial

import pytest

from mock_klarna.client import Client
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store, open_store
from mock_klarna.store.snapshot import SavedSnapshot
from mock_klarna.store.sql import SqlStore
from tests.store.samples import button, dumped, writing


def about(name: str, **members: object) -> SavedSnapshot:
    given = {"name": name, "created_at": 1.5, "merchants": ("shop",), "json_bytes": 10, "stored_bytes": 4, **members}
    return SavedSnapshot(**given)  # type: ignore[arg-type]


async def test_a_snapshot_is_kept_replaced_and_deleted(store: Store) -> None:
    await store.save_snapshot(about("b"), b"first")
    await store.save_snapshot(about("a", merchants=("käse", "x")), b"\0\xff")
    await store.save_snapshot(about("b", stored_bytes=6), b"second")
    assert await store.saved_snapshots() == [about("a", merchants=("käse", "x")), about("b", stored_bytes=6)]
    assert (await store.snapshot_content("a"), await store.snapshot_content("b")) == (b"\0\xff", b"second")
    await store.delete_snapshot("b")
    await store.delete_snapshot("never")
    assert await store.saved_snapshots() == [about("a", merchants=("käse", "x"))]
    assert await store.snapshot_content("b") is None


async def test_a_large_snapshot_is_kept_in_parts_and_replaced_by_a_small_one(store: Store) -> None:
    large = bytes(range(256)) * 4096
    await store.save_snapshot(about("a"), large)
    await store.save_snapshot(about("b"), large[::-1])
    assert await store.snapshot_content("a") == large
    await store.save_snapshot(about("a"), b"small")
    assert (await store.snapshot_content("a"), await store.snapshot_content("b")) == (b"small", large[::-1])
    await store.delete_snapshot("b")
    if isinstance(store, SqlStore):
        assert await store.value("SELECT count(*) FROM snapshot_parts") == 1


@pytest.mark.parametrize("engine", ["sqlite", "postgres"], indirect=True)
async def test_a_snapshot_that_is_replaced_while_it_is_read_is_found(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, value = bytes(range(256)) * 4096, store.value
    changes = [partial(store.save_snapshot, about("a"), content) for content in (large[::-1], b"small")]

    async def change_first(statement: str, *values: object) -> object:
        if changes and values[1:] == (1,):
            await changes.pop(0)()
        return await value(statement, *values)

    await store.save_snapshot(about("a"), large)
    monkeypatch.setattr(store, "value", change_first)
    assert await store.snapshot_content("a") == b"small"
    await store.save_snapshot(about("a"), large)
    changes.append(partial(store.delete_snapshot, "a"))
    assert await store.snapshot_content("a") is None


async def test_a_kept_snapshot_belongs_to_no_merchant_and_to_no_dump(store: Store) -> None:
    await store.save_snapshot(about("a"), b"content")
    assert (await store.merchants(), (await dumped(store))["merchants"]) == ([], {})
    await store.commit("shop", writing(button()), 1.0)
    await store.clear("shop")
    await store.clear(None)
    assert await store.snapshot_content("a") == b"content"


async def test_a_merchant_is_copied_in_every_store(engine: Settings) -> None:
    settings = Settings(store=engine.store, port=0)
    async with serve(settings) as server, Client(server.url, "shop") as shop, Client(server.url, "copy") as copy:
        order = await shop.ask("POST", "/_mock/orders", {"cart": "se-battery-pack"})
        await shop.ask("PUT", "/_mock/snapshots/base")
        for _ in range(2):
            await copy.ask("POST", "/_mock/snapshots/base/load", {"as_merchant": "copy"})
            (copied,) = (await copy.ask("GET", "/_mock/orders"))["orders"]
            assert copied["order_id"] != order["order_id"]
            assert copied["order"] == order["order"]
        await shop.ask("POST", "/_mock/reset")
        await shop.ask("POST", "/_mock/snapshots/base/load")
        assert (await shop.ask("GET", f"/_mock/orders/{order['order_id']}"))["order"] == order["order"]
        assert len((await copy.ask("GET", "/_mock/orders"))["orders"]) == 1


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_a_kept_snapshot_is_there_after_a_restart(engine: str, new_store: Callable[[str], str]) -> None:
    settings = Settings(store=new_store(engine))
    for content in (None, b"content"):
        opened = open_store(settings)
        await opened.open()
        assert await opened.snapshot_content("a") == content
        await opened.save_snapshot(about("a"), b"content")
        await opened.close()
