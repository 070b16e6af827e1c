"""Small records, entries and decisions for the tests of stores."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.events import ButtonCreated, Event
from mock_klarna.domain.journal import Exchange
from mock_klarna.domain.records import ButtonKey, Decision, Job, Order, Purchase
from mock_klarna.store.base import Store
from mock_klarna.store.snapshot_stream import read_snapshot, write_snapshot


def button(key: str = "b-1", merchant: str = "shop", **members: Any) -> ButtonKey:
    return ButtonKey(**{"merchant": merchant, "button_key": key, "body": b"{}", "created_at": 1.0, **members})


def purchase(key: str = "p-1", merchant: str = "shop", **members: Any) -> Purchase:
    given = {"merchant": merchant, "purchase_id": key, "button_key": "b-1", "state": "started"}
    return Purchase(**{**given, "session": b"{}", "created_at": 1.0, **members})


def order(key: str = "o-1", merchant: str = "shop", **members: Any) -> Order:
    given = {"merchant": merchant, "order_id": key, "purchase_id": "p-1", "fraud_status": "PENDING"}
    return Order(**{**given, "body": b'{"purchase_currency":"SEK"}', "order_amount": 1, "created_at": 1.0, **members})


def delivery(key: str = "c-1", merchant: str = "shop", **members: Any) -> Delivery:
    given = {"merchant": merchant, "callback_id": key, "callback": "push", "url": "http://shop/push", "body": b""}
    return Delivery(**{**given, "purchase_id": "p-1", "order_id": "o-1", "created_at": 1.0, **members})


def job(subject: str = "p-1", due: float = 10.0, merchant: str = "shop", **members: Any) -> Job:
    return Job(**{"due": due, "merchant": merchant, "kind": "expire", "subject": subject, **members})


def created(key: str = "b-1", purchase_id: str | None = None) -> ButtonCreated:
    return ButtonCreated(button_key=key, purchase_id=purchase_id)


def writing(*records: Any) -> Decision:
    return Decision(writes=records)


def telling(*events: Event) -> Decision:
    return Decision(events=events)


def scheduling(*jobs: Job) -> Decision:
    return Decision(jobs=jobs)


def exchange(size: int = 0) -> Exchange:
    return Exchange(method="GET", path="/", status=200, correlation_id="c", duration=0.001, request_body=b"x" * size)


async def dumped(store: Store) -> Any:
    """Return the snapshot of a store, parsed."""
    return orjson.loads(b"".join([piece async for piece in write_snapshot(store.dump())]))


async def load(store: Store, snapshot: Any) -> None:
    """Load a snapshot as a request does: from JSON that arrives in pieces."""
    await store.load(read_snapshot(in_pieces(orjson.dumps(snapshot), 1 << 14)))


async def in_pieces(raw: bytes, size: int) -> AsyncGenerator[bytes]:
    for start in range(0, len(raw), size):
        yield raw[start : start + size]
