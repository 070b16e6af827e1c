"""The state of a store as versioned, JSON-ready data."""

import base64
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import orjson
from msgspec import Struct
from msgspec.structs import fields

from mock_klarna.domain import purchase
from mock_klarna.domain.callbacks import Attempt, Delivery, read_back
from mock_klarna.domain.customer_token import STATUSES, CustomerToken
from mock_klarna.domain.records import (
    JOBS,
    ButtonKey,
    Capture,
    Fault,
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
from mock_klarna.domain.time import LAST_SECOND, LATEST
from mock_klarna.domain.urls import CALLED
from mock_klarna.errors import MockKlarnaError, bounded

KINDS: Mapping[str, type[Record]] = {
    kind.kind: kind for kind in (ButtonKey, Purchase, Order, CustomerToken, RememberedAnswer, Delivery, Fault, Merchant)
}
"""Every kind of record by its name."""

T = TypeVar("T")
_REVIVED: Mapping[str, Callable[[Any], Any]] = {
    "outcome": lambda value: decode(Outcome, value) if isinstance(value, Mapping) else value,
    "attempts": lambda value: _all(Attempt, value),
    "answer_headers": lambda value: tuple((name, text) for name, text in value),
    "fulfilment": lambda value: decode(Fulfilment, value),
    "captures": lambda value: _all(Capture, value),
    "refunds": lambda value: _all(Refund, value),
}


def encode(value: Any) -> Any:
    """Return a record, job or part of one as JSON-ready data; bytes are text, or `{"base64": …}` where they are not UTF-8."""
    if isinstance(value, Struct):
        return {name: encode(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bytes):
        return _text(value)
    return [encode(part) for part in value] if isinstance(value, tuple) else value


def _text(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def decode(kind: type[T], data: Mapping[str, Any]) -> T:
    """Return the record or job that `encode` made data of; raises `MockKlarnaError` when it is not such data."""
    if not isinstance(data, Mapping):
        raise MockKlarnaError(f"{bounded(data)!r} is no {kind.__name__}", hint="expected an object")
    types = _types(kind)
    unknown = sorted(set(data) - set(types))
    if unknown:
        raise MockKlarnaError(
            f"{kind.__name__} has no member {unknown[0]!r}", where=unknown[0], hint=f"one of {', '.join(types)}"
        )
    try:
        given = {name: _revive(name, types[name], value) for name, value in data.items()}
        _require_types(kind, given)
        whole = {**_unset(kind), **given}
        missing = next((name for name in _required(kind) if name not in whole), None)
        if missing:
            raise MockKlarnaError("nothing is given", where=missing, hint=f"expected {types[missing]}")
        return kind(**whole)
    except (TypeError, ValueError) as fault:
        raise MockKlarnaError(f"not a {kind.__name__}: {fault}") from fault


@contextmanager
def at(place: str) -> Iterator[None]:
    """Have what is raised inside say where that is."""
    try:
        yield
    except MockKlarnaError as fault:
        fault.where = ".".join(filter(None, (place, fault.where))).replace(".[", "[")
        raise


def _revive(name: str, annotation: str, value: Any) -> Any:
    try:
        if name not in _REVIVED:
            return _bytes(value) if annotation == "bytes" else value
        with at(name):
            return _REVIVED[name](value)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise MockKlarnaError(
            f"{bounded(value)!r} is not possible", where=name, hint=f"expected {annotation}"
        ) from None


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value["base64"], validate=True) if isinstance(value, dict) else value.encode()


def _all(kind: type[T], values: Any) -> tuple[T, ...]:
    """Return parts of a record, each of which says where it was if it is none."""
    return tuple(_one(kind, number, value) for number, value in enumerate(values))


def _one(kind: type[T], number: int, value: Any) -> T:
    with at(f"[{number}]"):
        return decode(kind, value)


def _require_types(kind: Any, given: Mapping[str, Any]) -> None:
    """Raise `MockKlarnaError` for a member that is not of its field's type: it would be found out much later, by somebody else."""
    for field in fields(kind):
        value = given.get(field.name, field)
        if value is not field and not any(_is_of(one, value) for one in _alternatives(field.type)):
            shown = getattr(field.type, "__name__", field.type)
            raise MockKlarnaError(f"{bounded(value)!r} is not possible", where=field.name, hint=f"expected {shown}")


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)


def _is_of(annotation: Any, value: Any) -> bool:
    kind = get_origin(annotation) or annotation
    if kind is float or kind is int:
        return isinstance(value, int | kind) and not isinstance(value, bool)
    return isinstance(value, kind)


def _unset(kind: Any) -> dict[str, None]:
    """Return the members that may be None: JSON null means "not set" (protocol 13), so a snapshot may come in without them."""
    return {field.name: None for field in fields(kind) if type(None) in get_args(field.type)}


def _required(kind: Any) -> Iterator[str]:
    return (field.name for field in fields(kind) if field.required)


def _types(kind: Any) -> dict[str, str]:
    names = {field.name: field.type for field in fields(kind)}
    return {name: getattr(annotation, "__name__", str(annotation)) for name, annotation in names.items()}


def decode_job(data: Mapping[str, Any]) -> Job:
    """Return the job that `encode` made data of."""
    return decode(Job, data)


Rule = Callable[[Any], str]
"""Takes a member that is set; returns what would be right, or nothing where it is."""
_MOST_MONEY = 10**15
_MOST_COUNTED = 2**53


def require_sound(made: Record | Job) -> None:
    """Raise `MockKlarnaError` with the place of the first member that no record or job could have."""
    for place, sent, expected in _wrong(made):
        raise MockKlarnaError(f"{bounded(sent)!r} is not possible", where=place, hint=f"expected {expected}")


def _wrong(part: Any) -> Iterator[tuple[str, object, str]]:
    """Yield the members of a record, a job or a part of one that are not possible: place, value, what would be expected."""
    for name, rule in _RULES[type(part)].items():
        held = getattr(part, name)
        expected = "" if held is None else rule(held)
        if expected:
            yield name, held.decode("utf-8", "backslashreplace") if isinstance(held, bytes) else held, expected
    for name in _PARTS.get(type(part), ()):
        for step, inner in _inner(getattr(part, name)):
            yield from ((f"{name}{step}.{place}", held, expected) for place, held, expected in _wrong(inner))
    for name, why in _NEEDED.get(type(part), {}).items():
        if not getattr(part, name) and part.state in why:
            yield name, getattr(part, name) or None, f"something: without it nothing is {part.state}"


def _inner(held: object) -> list[tuple[str, object]]:
    return [(f"[{number}]", one) for number, one in enumerate(held)] if isinstance(held, tuple) else [("", held)]


def _number(least: float, most: float, words: str) -> Rule:
    return lambda held: "" if least <= held <= most else words


def _whole(least: int, most: int) -> Rule:
    return _number(least, most, f"a whole number from {least} to {most}")


def _one_of(known: Collection[str]) -> Rule:
    return lambda held: "" if held in known else "one of " + ", ".join(known)


def _json(*needed: str, empty: bool = False) -> Rule:
    """Return the rule for bytes that are a JSON object with some members, or nothing at all where that is possible."""
    words = "a JSON object" + (f" with {' and '.join(needed)}" if needed else "")

    def rule(held: bytes) -> str:
        if not held and empty:
            return ""
        try:
            body = orjson.loads(held)
        except orjson.JSONDecodeError:
            return f"{words} as text"
        if not isinstance(body, dict) or any(name not in body for name in needed):
            return f"{words} as text"
        return next((f"{words}, in which {fault}" for fault in _mistyped(body)), "")

    return rule


def _mistyped(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with those members of a body that are read later, whichever body it is."""
    for name, (kind, words) in _MEMBERS.items():
        if body.get(name) is not None and not isinstance(body[name], kind):
            yield f"{name} is {words}"
    for name in _LISTS:
        if not all(isinstance(entry, dict) for entry in body.get(name) or ()):
            yield f"{name} is a list of objects"


def _texts(held: Mapping[str, Any]) -> str:
    return "" if all(isinstance(text, str) for text in held.values()) else "an object of texts"


def _headers(held: tuple[tuple[Any, Any], ...]) -> str:
    sound = all(isinstance(part, str) and not set(part) & set("\r\n\0") for pair in held for part in pair)
    return "" if sound else "pairs of texts without line breaks"


def _effect(held: bytes) -> str:
    wrong = _json("on")(held)
    if wrong:
        return wrong
    wish = orjson.loads(held)
    sound = isinstance(wish.get("delay", 0), int | float) and isinstance(wish.get("status", 400), int)
    return "" if sound else "a JSON object, in which delay and status are numbers"


_LISTS = ("order_lines", "items", "shipping_options", "shipping_info")
_MEMBERS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(_LISTS, (list, "a list of objects")),
    **dict.fromkeys(
        ("customer", "billing_address", "shipping_address", "merchant_urls", "options", "styling", "shopper",
         "selected_shipping_option", "merchant_requested"),
        (dict, "an object"),
    ),
    **dict.fromkeys(("purchase_currency", "purchase_country", "locale"), (str, "a text")),
}  # fmt: skip
_TIME = _number(0, LAST_SECOND, "seconds since 1970, not after the year 9999")
_SPAN = _number(0, LATEST, "a number of seconds that is not below 0")
_MONEY = _whole(0, _MOST_MONEY)
_ANY_MONEY = _whole(-_MOST_MONEY, _MOST_MONEY)
_COUNT = _whole(0, _MOST_COUNTED)
_VERSION = {"version": _whole(1, _MOST_COUNTED)}
_REVIEW = _one_of(purchase.FRAUD)

_RULES: Mapping[type, Mapping[str, Rule]] = {
    ButtonKey: {**_VERSION, "body": _json(), "created_at": _TIME},
    Purchase: {
        **_VERSION,
        "state": _one_of(purchase.PURCHASE),
        "created_at": _TIME,
        "session": _json(empty=True),
        "order": _json("merchant_urls", "purchase_currency", empty=True),
        "order_amount": _ANY_MONEY,
        "expires_at": _TIME,
        "merchant_timeout": _SPAN,
        "fraud_status": _REVIEW,
        "deny": _texts,
    },
    Outcome: {"fraud_status": _REVIEW, "then": _REVIEW, "after": _SPAN},
    Order: {
        **_VERSION,
        "body": _json("purchase_currency"),
        "fraud_status": _REVIEW,
        "order_amount": _ANY_MONEY,
        "created_at": _TIME,
    },
    Fulfilment: {
        "order_amount": _MONEY,
        "released": _MONEY,
        "ended": _one_of(("CANCELLED", "CLOSED")),
        "expires_at": _TIME,
        "changes": _json(),
    },
    Capture: {"captured_amount": _MONEY, "captured_at": _TIME, "details": _json(), "extended_days": _COUNT},
    Refund: {"refunded_amount": _MONEY, "refunded_at": _TIME, "details": _json()},
    CustomerToken: {
        **_VERSION,
        "body": _json("shopper", "wish"),
        "created_at": _TIME,
        "status": _one_of(STATUSES),
        "orders": _COUNT,
    },
    RememberedAnswer: {**_VERSION, "status": _whole(100, 599), "answer_headers": _headers, "until": _TIME},
    Delivery: {
        **_VERSION,
        "callback": _one_of(CALLED),
        "created_at": _TIME,
        "state": _one_of(purchase.DELIVERY),
    },
    Attempt: {"at": _TIME, "duration": _SPAN, "status": _whole(100, 999), "answer_headers": _headers},
    Fault: {**_VERSION, "body": _effect, "on": _one_of(("request", "callback")), "times": _whole(1, 1_000_000)},
    Merchant: {**_VERSION, "clock_offset": _number(-LATEST, LATEST, "seconds that are not beyond every clock")},
    Job: {"due": _TIME, "kind": _one_of(JOBS), "number": _whole(1, _MOST_COUNTED)},
}
_PARTS: Mapping[type, tuple[str, ...]] = {
    Purchase: ("outcome",),
    Order: ("fulfilment",),
    Fulfilment: ("captures", "refunds"),
    Delivery: ("attempts",),
}
_WITH_ORDER = ("authorized", "timed_out", "placed", "denied")
_NEEDED: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    Purchase: {"session": ("started",), "order": _WITH_ORDER, "authorization_token": _WITH_ORDER},
    Delivery: {"attempts": ("waiting",)},
}
"""Members that cannot be empty in some states."""


R = TypeVar("R", bound=Record | Job)
VERSION = 1
"""Raised whenever an older snapshot could not be read any more."""


class MerchantSnapshot:
    """One merchant's part of a snapshot: records in the order in which they were made, jobs and counters."""

    def __init__(self, records: list[Record], jobs: list[Job], counters: dict[str, int]) -> None:
        self.records = records
        self.jobs = jobs
        self.counters = counters

    def data(self) -> dict[str, Any]:
        """Return this part as JSON-ready data."""
        kinds: dict[str, list[Any]] = {}
        for record in self.records:
            kinds.setdefault(record.kind, []).append(encode(record))
        jobs = sorted(self.jobs, key=lambda job: job.due)
        return {"records": kinds, "jobs": [encode(job) for job in jobs], "counters": self.counters}


def read_snapshot(state: Any) -> dict[str, MerchantSnapshot]:
    """Return the merchants of a snapshot, wholly read before anything is replaced.

    Raises `MockKlarnaError` for another version or anything that `dump` did not write.
    """
    if not isinstance(state, Mapping) or not isinstance(state.get("merchants"), Mapping):
        raise MockKlarnaError("not a snapshot", where="merchants", hint="send what GET /_mock/snapshot answered")
    if state.get("version") != VERSION:
        raise MockKlarnaError(f"snapshot version {state.get('version')!r}", where="version", hint=f"expected {VERSION}")
    try:
        return {name: _read_merchant(name, data) for name, data in state["merchants"].items()}
    except (AttributeError, KeyError, TypeError) as fault:
        raise MockKlarnaError(f"the snapshot is damaged: {fault}", where="merchants") from fault


def _read_merchant(name: str, data: Mapping[str, Any]) -> MerchantSnapshot:
    with at(f"merchants.{name}"):
        records = [record for kind, items in data["records"].items() for record in _records(kind, items)]
        jobs = _read(Job, "jobs", data["jobs"])
        counters = _counters(data["counters"])
    waiting = {job.job_id for job in jobs}
    records = [read_back(record, waiting) for record in records]
    owners = {record.merchant for record in records} | {job.merchant for job in jobs}
    strangers = sorted(owners - {name})
    if strangers:
        raise MockKlarnaError(f"{name!r} holds something of {strangers[0]!r}", where=f"merchants.{name}")
    return MerchantSnapshot(records, jobs, counters)


def _records(kind: str, items: Any) -> list[Record]:
    if kind not in KINDS:
        raise MockKlarnaError("no such kind of record", where=f"records.{kind}", hint="one of " + ", ".join(KINDS))
    return _read(KINDS[kind], f"records.{kind}", items)


def _read(kind: type[R], place: str, items: Any) -> list[R]:
    """Return the records or jobs of a list; a fault says where it is."""
    if not isinstance(items, list):
        raise MockKlarnaError(f"{bounded(items)!r} is no list", where=place, hint="expected a list")
    found = []
    for number, item in enumerate(items):
        with at(f"{place}[{number}]"):
            found.append(decode(kind, item))
            require_sound(found[-1])
    return found


def _counters(data: Mapping[str, Any]) -> dict[str, int]:
    wrong = [name for name, count in data.items() if type(count) is not int or not 0 <= count < _MOST_COUNTED]
    if wrong:
        hint = "expected a whole number that is not below 0"
        raise MockKlarnaError(f"{data[wrong[0]]!r} is not possible", where=f"counters.{wrong[0]}", hint=hint)
    return dict(data)
