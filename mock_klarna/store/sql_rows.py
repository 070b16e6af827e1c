"""Records, journal entries and jobs as rows of the SQL engines.

A record is one row: what it is found by in columns, the record itself as MessagePack.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct, msgpack

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.events import Event, event_classes, event_name
from mock_klarna.domain.journal import (
    CALLBACK,
    EVENT,
    EXCHANGE,
    Entry,
    Exchange,
    JournalFilter,
    Sent,
    entry_size,
    narrowest_filter,
)
from mock_klarna.domain.records import Job, Record
from mock_klarna.store.snapshot import KINDS

R = TypeVar("R", bound=Record)
Row = Sequence[Any]


def storable(text: str) -> str:
    """Return text as both engines can store it: NUL and half a surrogate pair, which no real identifier has, are escaped."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


_encoder = msgpack.Encoder(enc_hook=str)  # header names are of a class derived from str


def encoded(value: Any) -> bytes:
    """Return a struct as MessagePack; what MessagePack cannot represent, such as a number of 30 digits, as text."""
    try:
        return _encoder.encode(value)
    except (OverflowError, UnicodeEncodeError):
        return _encoder.encode(_representable(value))


def _representable(value: Any) -> Any:
    if isinstance(value, Struct):
        return type(value)(**{name: _representable(getattr(value, name)) for name in value.__struct_fields__})
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return str(value)
    if isinstance(value, Mapping):
        return {_representable(name): _representable(part) for name, part in value.items()}
    return type(value)(map(_representable, value)) if isinstance(value, list | tuple) else value


@cache
def decoder(kind: type[Any]) -> Callable[[bytes], Any]:
    """Return the function that reads values of a type from MessagePack."""
    return msgpack.Decoder(kind).decode


_EVENTS: Mapping[str, type[Event]] = event_classes()
_BULKY: Mapping[str, type[Exchange | Sent]] = {EXCHANGE: Exchange, CALLBACK: Sent}
ALIASED = frozenset(name for name, kind in KINDS.items() if kind.alias is not Record.alias)
"""Kinds of records that have a second identifier."""


class RecordRow(NamedTuple):
    """A record as a row of `records`. `owner` is the server that sends a callback which is in progress."""

    kind: str
    key: str
    alias: str | None
    merchant: str
    subject: str | None
    version: int
    owner: str | None
    body: bytes


def record_row(record: Record, owner: str) -> RecordRow:
    """Return the row of a record that the server `owner` writes."""
    in_flight = isinstance(record, Delivery) and record.state == "in_flight"
    return RecordRow(
        record.kind,
        storable(record.key),
        record.alias and storable(record.alias),
        storable(record.merchant),
        record.subject and storable(record.subject),
        record.version,
        owner if in_flight else None,
        encoded(record),
    )


class EntryRow(NamedTuple):
    """A journal entry as a row of `journal`, without its `seq`."""

    at: float
    merchant: str
    kind: str
    name: str
    purchase_id: str | None
    is_event: int
    size: int
    data: bytes


def event_rows(merchant: str, events: Sequence[Event], at: float) -> list[EntryRow]:
    """Return the rows of a decision's events."""
    return [
        EntryRow(at, merchant, EVENT, event_name(one), one.purchase_id, 1, entry_size(merchant, one), encoded(one))
        for one in events
    ]


def event_filters(merchant: str, events: Sequence[Event]) -> set[JournalFilter]:
    """Return the narrowest filters of a decision's events."""
    return {narrowest_filter(merchant, EVENT, event_name(one), one.purchase_id, one) for one in events}


def entry_row(
    merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
) -> EntryRow:
    """Return the row of an exchange or a callback attempt."""
    return EntryRow(at, merchant, kind, name, purchase_id, 0, entry_size(merchant, data), encoded(data))


def decoded(kind: type[R], body: bytes) -> R:
    """Return the record of a row, of a kind that is known."""
    record: R = decoder(kind)(body)
    return record


def record_of(kind: str, body: bytes) -> Any:
    """Return the record of a row."""
    return decoder(KINDS[kind])(body)


def entry_of_row(row: Row) -> Entry:
    """Return the journal entry of a row."""
    seq, at, merchant, kind, name, purchase_id, size, data = row
    decode = decoder(_EVENTS[name] if kind == EVENT else _BULKY[kind])
    return Entry(
        seq=seq,
        at=at,
        merchant=merchant,
        kind=kind,
        name=name,
        purchase_id=purchase_id,
        data=decode(bytes(data)),
        size=size,
    )


def job_columns(job: Job) -> tuple[Any, ...]:
    """Return the columns of a job that is not claimed: merchant, job_id, due, kind, subject, number."""
    return storable(job.merchant), storable(job.job_id), job.due, job.kind, storable(job.subject), job.number


def job_of_row(row: Row) -> Job:
    """Return the job of a row of due, merchant, kind, subject, number."""
    due, merchant, kind, subject, number = row
    return Job(due=due, merchant=merchant, kind=kind, subject=subject, number=number)
