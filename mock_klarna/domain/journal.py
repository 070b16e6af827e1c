"""The entries of the journal: every exchange, every callback attempt and every event, in their order."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import astuple

from mock_klarna.domain.callbacks import Attempt
from mock_klarna.domain.events import Event
from mock_klarna.errors import Problem

Injected = Mapping[str, Any]
"""What the sandbox did to a request or a callback on purpose: `fault_id` and effects of a fault, `forged`, or `resent`."""

EXCHANGE, CALLBACK, EVENT = "exchange", "callback", "event"
KINDS = (EXCHANGE, CALLBACK, EVENT)
"""`exchange`: a request of a merchant. `callback`: an attempt to call a merchant. `event`: an event of a decision."""

LAST_POSITION = 1 << 62
"""A position after every entry."""

NO_MERCHANT = ""
"""The merchant of entries and faults that belong to none, such as refused requests without known credentials."""

EVENT_BYTES = 460
"""The approximate memory of an entry with an event of short members."""


def readable(text: str) -> str:
    """Return text with bytes that are not UTF-8 in hexadecimal, since JSON cannot contain them."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Exchange(Struct, frozen=True, kw_only=True, gc=False):
    """A request and its answer: bodies as bytes, `duration` in seconds, `explanation` is why it was refused.

    `warnings` are about members that are accepted and probably not what the merchant wants. `injected` is None where the sandbox
    did nothing on purpose.
    """

    method: str
    path: str
    status: int
    correlation_id: str
    duration: float
    request_headers: tuple[tuple[str, str], ...] = ()
    request_body: bytes = b""
    response_body: bytes = b""
    problems: tuple[Problem, ...] = ()
    explanation: str = ""
    warnings: tuple[Problem, ...] = ()
    injected: Injected | None = None


class Sent(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt to call a merchant: the URL, the body, and the result. `number` counts the tries from 1.

    `injected` is None where the sandbox did nothing on purpose.
    """

    callback_id: str
    url: str
    number: int
    request_body: bytes
    attempt: Attempt
    injected: Injected | None = None


_EXCHANGE_BYTES = 580
_SENT_BYTES = 900
_HEADER_BYTES = 140
_SHORT = 48
"""The length of text that `EVENT_BYTES` includes for each member of an event."""


def entry_size(merchant: str, data: Exchange | Sent | Event) -> int:
    """Return approximately how many bytes an entry takes in memory, with everything that it keeps."""
    name = len(merchant) if len(merchant) > _SHORT else 0
    if isinstance(data, Event):
        return name + _event_size(data)
    if isinstance(data, Sent):
        attempt = data.attempt
        texts = _text(data.url) + _text(attempt.error or "") + _text(attempt.remedy or "")
        bodies = len(data.request_body) + len(attempt.answer)
        size = name + _SENT_BYTES + bodies + texts + _headers(attempt.answer_headers)
        return size + memory_of(data.injected) if data.injected else size
    size = name + _EXCHANGE_BYTES + len(data.request_body) + len(data.response_body) + _text(data.path)
    size += _headers(data.request_headers)
    if data.explanation:
        size += _text(data.explanation)
    if data.injected:
        size += memory_of(data.injected)
    found = (*data.problems, *data.warnings)
    return size + memory_of(found) if found else size


_IDS = ("_id", "_key", "_token")


@cache
def _members_of_any_length(kind: type[Event]) -> tuple[str, ...]:
    """Return the members of an event that are not numbers, and not ids that are made here."""
    return tuple(
        name
        for name, annotation in kind.__annotations__.items()
        if not name.endswith(_IDS) and annotation not in (int, float)
    )


def _event_size(event: Event) -> int:
    size = EVENT_BYTES
    for name in _members_of_any_length(type(event)):
        value = getattr(event, name)
        kind = type(value)
        if kind is str:
            size += _text(value) if len(value) > _SHORT else 0
        elif kind is tuple or kind is dict:
            size += memory_of(value)
    return size


def _text(text: str) -> int:
    return len(text) if text.isascii() else 4 * len(text)


def _headers(headers: tuple[tuple[str, str], ...]) -> int:
    names = "".join([name for name, _ in headers])
    values = "".join([value for _, value in headers])
    return _HEADER_BYTES * len(headers) + 2 * len(names) + _text(values)


def memory_of(value: object) -> int:
    """Return approximately how many bytes a JSON value, or a structure of them, takes in memory; never much less than it does."""
    size, left = 0, [value]
    while left:
        part = left.pop()
        if isinstance(part, str):
            size += 56 + _text(part)
        elif isinstance(part, dict):
            size += 64 + 120 * (len(part) + 1)
            left += [*part, *part.values()]
        elif isinstance(part, tuple | list):
            size += 64 + 8 * len(part)
            left += part
        elif isinstance(part, Struct):
            size += 32 + 8 * len(part.__struct_fields__)
            left += astuple(part)
        elif part is not None and not isinstance(part, bool):
            size += 32
    return size


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a merchant's journal. `seq` rises over all merchants; `size` is in bytes.

    `at` is the time on the merchant's clock when it began: a request arrived, a callback was sent, an event was decided.
    """

    seq: int
    at: float
    merchant: str
    kind: str
    name: str
    purchase_id: str | None
    data: Exchange | Sent | Event
    size: int = EVENT_BYTES


T = TypeVar("T")


def in_order_of_time(entries: Iterable[T], when: Callable[[T], tuple[str, str, float]]) -> list[T]:
    """Return entries sorted by when they began; `when` gives kind, name and time of one.

    Requests and callbacks are recorded when they end, and their time is when they began. None of them is moved before a change
    of the clock, after which times can be lower.
    """
    ordered: list[tuple[T, str, float]] = []
    for entry in entries:
        kind, name, at = when(entry)
        position = len(ordered)
        while kind != EVENT and position and _is_later(ordered[position - 1], at):
            position -= 1
        ordered.insert(position, (entry, name, at))
    return [entry for entry, _, _ in ordered]


def _is_later(earlier: tuple[object, str, float], at: float) -> bool:
    return earlier[1] != "clock_moved" and earlier[2] > at


class JournalFilter(Struct, frozen=True, kw_only=True, gc=False):
    """The entries to read or to wait for; None matches all. `status` is a status such as 404, or a class such as 4xx."""

    merchant: str | None = None
    purchase_id: str | None = None
    kind: str | None = None
    name: str | None = None
    status: str | None = None
    correlation_id: str | None = None

    def matches(self, entry: Entry) -> bool:
        """Return whether an entry matches."""
        return (
            (self.merchant is None or entry.merchant == self.merchant)
            and (self.purchase_id is None or entry.purchase_id == self.purchase_id)
            and (self.kind is None or entry.kind == self.kind)
            and (self.name is None or entry.name == self.name)
            and (self.status is None or self.status in _statuses(_status(entry.data)))
            and (self.correlation_id is None or self.correlation_id == getattr(entry.data, "correlation_id", None))
        )

    def members(self) -> tuple[str, ...]:
        """Return the names of the members that are not None."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not None)

    def only(self, members: Collection[str]) -> Iterator["JournalFilter"]:
        """Yield the filters that match what this one matches and have these members: two if one of them is the status."""
        values = {name: getattr(self, name) for name in members}
        for status in _statuses(self.status) if "status" in members else (None,):
            yield JournalFilter(**{**values, "status": status})


def narrowest_filter(
    merchant: str, kind: str, name: str, purchase_id: str | None, data: Exchange | Sent | Event
) -> JournalFilter:
    """Return the filter with all members that an entry has; the status is never a class."""
    return JournalFilter(
        merchant=merchant,
        purchase_id=purchase_id,
        kind=kind,
        name=name,
        status=_status(data),
        correlation_id=getattr(data, "correlation_id", None),
    )


def _status(data: Exchange | Sent | Event) -> str | None:
    """Return the status of the answer: ours to an exchange, the merchant's to an attempt."""
    status = getattr(data.attempt if isinstance(data, Sent) else data, "status", None)
    return str(status) if status else None


def _statuses(status: str | None) -> tuple[str, ...]:
    """Return a status and its class, such as 404 and 4xx."""
    return (status, f"{status[:1]}xx") if status else ()
