"""Orders and callbacks in less memory: their bodies often contain the authorized order of the purchase, or nearly."""

from bisect import bisect_left
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.records import Order, Record

PACKED_KINDS = (Order.kind, Delivery.kind)
"""The kinds of records that are packed."""
_SMALLEST = 256
"""Bytes of a body from which packing saves memory, and at one of its ends that it must have in common with the order."""


class PackedRecord(Struct, frozen=True, gc=False):
    """An order or a callback whose body begins or ends like the authorized order of its purchase.

    `record` has what is between as its body. `prefix` and `suffix` are how many bytes of the order are before and after it.
    """

    record: Order | Delivery
    authorized: bytes
    prefix: int
    suffix: int

    @property
    def kind(self) -> str:
        """The kind of the record."""
        return self.record.kind

    @property
    def merchant(self) -> str:
        """The merchant of the record."""
        return self.record.merchant

    @property
    def version(self) -> int:
        """The version of the record."""
        return self.record.version

    @property
    def key(self) -> str:
        """The key of the record."""
        return self.record.key

    @property
    def alias(self) -> None:
        """None: orders and callbacks have no alias."""
        return

    @property
    def subject(self) -> str | None:
        """The purchase that the record belongs to."""
        return self.record.subject

    def unpacked(self) -> Any:
        """Return the record as it was written."""
        source = _source(self.record, self.authorized)
        body = source[: self.prefix] + self.record.body + source[len(source) - self.suffix :]
        return replace(self.record, body=body)


Stored = Record | PackedRecord
"""A record as it is, or packed."""


def can_be_packed(record: Record) -> bool:
    """Return whether a record has a body to pack; that of a callback is still needed while the callback is being sent."""
    if type(record) is Order or (type(record) is Delivery and record.state != "in_flight"):
        return len(record.body) >= _SMALLEST
    return False


def packed(record: Record, authorized: bytes) -> Stored:
    """Return an order or a callback as it takes the least memory; `authorized` is the authorized order of its purchase."""
    assert type(record) is Order or type(record) is Delivery
    body = record.body
    if body == authorized:
        return record if body is authorized else replace(record, body=authorized)
    source = _source(record, authorized)
    if body.endswith(source):
        prefix, suffix = 0, len(source)
    elif body[:_SMALLEST] == source[:_SMALLEST] or body[-_SMALLEST:] == source[-_SMALLEST:]:
        shorter = min(len(body), len(source))
        prefix = bisect_left(range(1, shorter + 1), True, key=lambda size: body[:size] != source[:size])
        suffix = bisect_left(range(1, shorter - prefix + 1), True, key=lambda size: body[-size:] != source[-size:])
    else:
        return record
    between = body[prefix : len(body) - suffix]
    return PackedRecord(replace(record, body=between), authorized, prefix, suffix)


def _source(record: Order | Delivery, authorized: bytes) -> bytes:
    """Return the bytes that a body is compared with: a callback has the order as its last member."""
    return authorized + b"}" if type(record) is Delivery else authorized


def unpacked(stored: Any) -> Any:
    """Return a record as it was written."""
    return stored.unpacked() if type(stored) is PackedRecord else stored
