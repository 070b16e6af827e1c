"""Packing orders and callbacks: nothing is lost, and what they have in common with the authorized order is stored once."""

from hypothesis import given
from hypothesis import strategies as st

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.records import Order, Record
from mock_klarna.settings import Settings
from mock_klarna.store.base import open_store
from mock_klarna.store.packing import PackedRecord, packed, unpacked
from tests.store.samples import delivery, dumped, load, order, purchase, writing

AUTHORIZED = (
    b'{"merchant_urls":{},"purchase_currency":"SEK","order_lines":['
    + b'{"name":"Battery"},' * 40
    + b'{"name":"Post"}],"locale":"sv-SE"}'
)
REFERENCE = AUTHORIZED[:-1] + b',"merchant_reference1":"45aa52f3"}'
LOCALE = AUTHORIZED.replace(b"sv-SE", b"en-SE")
CALLBACK = b'{"authorization_token":"t-1","order":' + AUTHORIZED + b"}"
PARTS = st.lists(st.sampled_from([AUTHORIZED, AUTHORIZED[:300], AUTHORIZED[-300:], b"}", b"x" * 300, b"{"]), max_size=4)


@given(PARTS.map(b"".join), PARTS.map(b"".join), st.booleans())
def test_a_packed_record_is_unpacked_as_it_was(authorized: bytes, body: bytes, is_order: bool) -> None:
    record: Record = order(body=body) if is_order else delivery(body=body, state="delivered")
    stored = packed(record, authorized)
    assert unpacked(stored) == record
    names = ("kind", "key", "alias", "merchant", "subject", "version")
    assert [getattr(stored, name) for name in names] == [getattr(record, name) for name in names]


def test_an_order_that_was_posted_as_authorized_is_stored_once() -> None:
    stored = packed(order(body=bytes(bytearray(AUTHORIZED))), AUTHORIZED)
    assert isinstance(stored, Order)
    assert stored.body is AUTHORIZED


def test_of_a_changed_order_and_of_a_callback_only_the_difference_is_stored() -> None:
    for record in (order(body=REFERENCE), order(body=LOCALE), delivery(body=CALLBACK, state="delivered")):
        stored = packed(record, AUTHORIZED)
        assert isinstance(stored, PackedRecord)
        assert len(stored.record.body) < 50
        assert stored.authorized is AUTHORIZED


def test_a_body_that_differs_at_both_ends_stays_as_it_is() -> None:
    record = order(body=b"[" + AUTHORIZED + b"]")
    assert packed(record, AUTHORIZED) is record


async def test_the_memory_store_returns_packed_records_by_every_call_as_they_were_written() -> None:
    store = open_store(Settings())
    records = (
        order(body=REFERENCE),
        order("o-2", body=AUTHORIZED),
        delivery(body=CALLBACK, state="delivered"),
        delivery("c-2", state="delivered"),
    )
    await store.commit("shop", writing(purchase(order=AUTHORIZED)), 1.0)
    await store.commit("shop", writing(*records), 1.0)
    assert [await store.get(type(record), record.key) for record in records] == list(records)
    assert await store.records(Order, "shop") == await store.records(Order, None, subject="p-1") == list(records[:2])
    assert await store.records(Delivery, "shop", subject="p-1") == list(records[2:])
    assert await store.newest(Order, "shop") == records[1]
    changed = order(body=REFERENCE, version=2, acknowledged=True)
    await store.commit("shop", writing(changed), 2.0)
    assert await store.get(Order, "o-1") == changed
    before = await dumped(store)
    await load(store, before)
    assert await dumped(store) == before
    assert await store.get(Order, "o-1") == changed
    await store.delete(Order, "o-1")
    assert await store.records(Order, "shop") == [records[1]]
