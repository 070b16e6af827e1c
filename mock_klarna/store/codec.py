"""Records and jobs as JSON-ready data and back, for snapshots and for engines that keep them outside memory."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from mock_klarna.domain.deliveries import Attempt, Delivery
from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.domain.fulfilment import Capture, Fulfilment, Refund
from mock_klarna.domain.idempotency import RememberedAnswer
from mock_klarna.domain.problems import bounded
from mock_klarna.domain.records import ButtonKey, Fault, Job, Merchant, Order, Outcome, Purchase, Record
from mock_klarna.domain.tokens import CustomerToken

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
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
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
        raise MockKlarnaError(f"{bounded(data)!r} is no {kind.__name__}", right="expected an object")
    types = _types(kind)
    unknown = sorted(set(data) - set(types))
    if unknown:
        raise MockKlarnaError(
            f"{kind.__name__} has no member {unknown[0]!r}", where=unknown[0], right=f"one of {', '.join(types)}"
        )
    try:
        given = {name: _revive(name, types[name], value) for name, value in data.items()}
        _require_types(kind, given)
        whole = {**_unset(kind), **given}
        missing = next((name for name in _required(kind) if name not in whole), None)
        if missing:
            raise MockKlarnaError("nothing is given", where=missing, right=f"expected {types[missing]}")
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
            f"{bounded(value)!r} is not possible", where=name, right=f"expected {annotation}"
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
            raise MockKlarnaError(f"{bounded(value)!r} is not possible", where=field.name, right=f"expected {shown}")


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
    return (field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING)


def _types(kind: Any) -> dict[str, str]:
    names = {field.name: field.type for field in fields(kind)}
    return {name: getattr(annotation, "__name__", str(annotation)) for name, annotation in names.items()}


def decode_job(data: Mapping[str, Any]) -> Job:
    """Return the job that `encode` made data of."""
    return decode(Job, data)
