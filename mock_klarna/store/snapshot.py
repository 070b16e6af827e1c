"""Records and jobs as JSON, and what `schemas/snapshot.json` says about them."""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

import msgspec
import orjson
from msgspec import Struct
from msgspec.structs import fields

from mock_klarna import resources
from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.customer_token import CustomerToken
from mock_klarna.domain.records import (
    ButtonKey,
    Fault,
    FirstHost,
    Merchant,
    Order,
    Purchase,
    Record,
    RememberedAnswer,
)
from mock_klarna.errors import MockKlarnaError, bounded, json_text
from mock_klarna.validation.explain import one_of, words
from mock_klarna.validation.json_body import MalformedBody, path_text, read_json
from mock_klarna.validation.schemas import Part, Schema

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError


class SavedSnapshot(Struct, frozen=True, kw_only=True):
    """What a store knows of a snapshot that it keeps under a name: its merchants, the bytes of its JSON, and those stored of it.

    `created_at` is real time, seconds in UTC.
    """

    name: str
    created_at: float
    merchants: tuple[str, ...]
    json_bytes: int
    stored_bytes: int


KINDS: Mapping[str, type[Record]] = {
    kind.kind: kind
    for kind in (ButtonKey, Purchase, Order, CustomerToken, RememberedAnswer, Delivery, Fault, Merchant, FirstHost)
}
"""Every kind of record by its name."""
VERSION = 1
"""Version of the format: raised when older snapshots can no longer be read."""
T = TypeVar("T", bound=Struct)
Steps = tuple[str | int, ...]
"""The names and numbers that lead to a value in a snapshot."""


class _Members(Struct, frozen=True):
    """The members of a struct that JSON has in another form."""

    bytes: tuple[str, ...]
    parts: tuple[tuple[str, type[Struct]], ...]
    nullable: tuple[str, ...]


@cache
def _members(kind: type[Struct]) -> _Members:
    """Return which members are bytes, which are structs or tuples of them, and which are required but may be None."""
    found = fields(kind)
    parts = ((field.name, _struct_in(field.type)) for field in found)
    return _Members(
        bytes=tuple(field.name for field in found if field.type is bytes),
        parts=tuple((name, part) for name, part in parts if part is not None),
        nullable=tuple(field.name for field in found if field.required and type(None) in get_args(field.type)),
    )


def _struct_in(annotation: Any) -> type[Struct] | None:
    if get_origin(annotation) is tuple or isinstance(annotation, UnionType):
        return next(filter(None, map(_struct_in, get_args(annotation))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, Struct) else None


def encode(value: Struct) -> dict[str, Any]:
    """Return a record or job as JSON-ready data; bytes are text, or `{"base64": …}` where they are not UTF-8."""
    data: dict[str, Any] = msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=_plain)
    _convert(type(value), data, _text)
    return data


def decode(kind: type[T], data: Mapping[str, Any]) -> T:
    """Return the record or job that `encode` made data of; raises `MockKlarnaError` for data of another type."""
    try:
        copy = dict(data)
        _convert(kind, copy, _bytes)
        return msgspec.convert(copy, kind, builtin_types=(bytes,))
    except (AttributeError, KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise MockKlarnaError(f"not a {kind.__name__}: {error}") from error


def _convert(kind: type[Struct], data: dict[str, Any], change: Callable[[Any], Any]) -> None:
    """Change the bytes or texts of a record's data in place."""
    members = _members(kind)
    for name in members.bytes:
        if name in data:
            data[name] = change(data[name])
    for name in members.nullable:
        data.setdefault(name, None)
    for name, part in members.parts:
        if name in data:
            data[name] = _convert_part(part, data[name], change)


def _convert_part(kind: type[Struct], value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list | tuple):
        return [_convert_part(kind, entry, change) for entry in value]
    copy = dict(value)
    _convert(kind, copy, change)
    return copy


def _plain(value: Any) -> str:
    """Return a name of an HTTP header as plain text: aiohttp has a subclass of `str` for these."""
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} in a record")


def _text(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _bytes(value: str | Mapping[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"], validate=True)


@cache
def _schema() -> Schema:
    schema: Schema = orjson.loads((resources.schemas() / "snapshot.json").read_bytes())
    return schema


def _definition(name: str) -> Schema:
    return _schema() if name == "snapshot" else _schema()["$defs"][name]


@cache
def _validator(name: str) -> "Draft202012Validator":
    return _compiled(_definition(name))


def _compiled(schema: Schema) -> "Draft202012Validator":
    from jsonschema_rs import Draft202012Validator  # a server starts before the first snapshot comes

    return Draft202012Validator({**schema, "$defs": _schema()["$defs"]})


def require_valid(name: str, value: Any, place: Steps) -> None:
    """Raise `MockKlarnaError` with the place of the first value that a definition of the schema does not allow."""
    if not _validator(name).is_valid(value):
        raise _refusal(name, value, place)
    for content in _contents(name):
        for steps, text in _texts(value, content.path):
            problem = content.problem(text) if text else ""
            if problem:
                raise _impossible(text, (*place, *steps), problem)


def _refusal(name: str, value: Any, place: Steps) -> MockKlarnaError:
    """Return the error for the first value that a definition does not allow."""
    error = next(iter(_validator(name).iter_errors(value)))
    steps, found = _place(error, value)
    schema = _schema_at(_definition(name), steps)
    keyword = error.schema_path[-1]
    if keyword == "required":
        needed = [*schema.get("required", ()), *_needed(schema, found)]
        missing = next(member for member in needed if member not in found)
        expected = _expected(schema["properties"].get(missing, {}))
        where = path_text((*place, *steps, missing))
        return MockKlarnaError("a required member is missing", where=where, hint=f"expected {expected}")
    if keyword == "additionalProperties":
        known = list(schema["properties"])
        unknown = next(member for member in found if member not in known)
        where = path_text((*place, *steps, unknown))
        return MockKlarnaError(f"unknown member {bounded(unknown)!r}", where=where, hint=f"expected {one_of(known)}")
    return _impossible(found, (*place, *steps), _expected(schema))


def _place(error: "ValidationError", value: Any) -> tuple[Steps, Any]:
    """Return where in a value an error is, and what is there.

    The path of the error itself lacks members named "", and has numbers for members with names such as "0".
    """
    places = _places(value, error.instance_path)
    return next((steps, found) for steps, found in places if found == error.instance)


def _places(value: Any, path: Sequence[str | int], steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield the places in a value that the path of an error can mean, with what is there."""
    if isinstance(value, dict):
        if "" in value:
            yield from _places(value[""], path, (*steps, ""))
        if path and str(path[0]) in value:
            yield from _places(value[str(path[0])], path[1:], (*steps, str(path[0])))
    elif isinstance(value, list) and path:
        yield from _places(value[int(path[0])], path[1:], (*steps, int(path[0])))
    if not path:
        yield steps, value


def _impossible(value: Any, place: Steps, expected: str) -> MockKlarnaError:
    return MockKlarnaError(f"{json_text(value)} is not possible", where=path_text(place), hint=f"expected {expected}")


def _needed(schema: Schema, value: Any) -> Iterator[str]:
    """Yield the members that a record needs in its state."""
    for rule in schema.get("allOf", ()):
        if value.get("state") in rule["if"]["properties"]["state"]["enum"]:
            yield from rule["then"]["required"]


def _expected(schema: Schema) -> str:
    return words((Part(_resolved(schema), ""),))


def _resolved(schema: Schema) -> Schema:
    return _definition(schema["$ref"].rpartition("/")[2]) if "$ref" in schema else schema


def _schema_at(schema: Schema, steps: Steps) -> Schema:
    """Return what the schema says about the value at a place."""
    for step in steps:
        found = schema["items"] if isinstance(step, int) else schema.get("properties", {}).get(step)
        schema = _resolved(found or schema["additionalProperties"])
    return schema


@dataclass(frozen=True, slots=True)
class _Content:
    """A text that contains JSON: the members that lead to it, what the schema says about it, and the validator of its JSON."""

    path: tuple[str, ...]
    schema: Schema
    validator: "Draft202012Validator"

    def problem(self, text: str) -> str:
        """Return what is expected instead of a text; nothing when it is possible."""
        expected = _expected(self.schema)
        try:
            value = read_json(text.encode(), is_bounded=False)  # a session may have the values of a key and of a page
        except MalformedBody:
            return expected
        error = next(iter(self.validator.iter_errors(value)), None)
        if error is None:
            return ""
        steps, _ = _place(error, value)
        return f"{expected}, in which {path_text(steps)} is {self._expected_at(steps)}" if steps else expected

    def _expected_at(self, steps: Steps) -> str:
        content = self.schema["contentSchema"]
        return _expected(_schema_at(_resolved(content.get("allOf", [content])[0]), steps))


@cache
def _contents(name: str) -> tuple[_Content, ...]:
    """Return the texts of a definition that contain JSON."""
    return tuple(
        _Content(path, schema, _compiled(schema["contentSchema"]))
        for path, schema in _content_schemas(_definition(name), ())
    )


def _content_schemas(schema: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
    schema = _resolved(schema.get("items", schema))
    if "contentSchema" in schema:
        yield path, schema
    for name, member in schema.get("properties", {}).items():
        yield from _content_schemas(member, (*path, name))


def _texts(value: Any, path: tuple[str, ...], steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """Yield what stands at the end of a path that leads through objects and through all entries of lists."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _texts(entry, path, (*steps, number))
    elif not path:
        yield steps, value
    elif path[0] in value:
        yield from _texts(value[path[0]], path[1:], (*steps, path[0]))
