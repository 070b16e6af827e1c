"""Snapshots as streams: the state of merchants in portions, written as JSON and read from JSON piece by piece.

Nothing here needs a whole snapshot in memory, and no step takes longer than a few milliseconds.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import orjson

from mock_klarna.domain.callbacks import ORDER_CALLBACKS, Delivery, read_back
from mock_klarna.domain.records import Job, Order, Record
from mock_klarna.domain.urls import is_http_url
from mock_klarna.errors import MockKlarnaError, Problem, json_text
from mock_klarna.store.snapshot import KINDS, VERSION, Steps, decode, encode, require_valid
from mock_klarna.validation.json_body import MalformedBody, excerpt, path_text, read_json

PIECE_BYTES = 1 << 16
"""Bytes of JSON that are read or written at a time; other tasks of the loop run between them."""


class Portion(NamedTuple):
    """A part of a merchant's state: records, jobs and counters. Portions of one merchant add up."""

    merchant: str
    records: Sequence[Record] = ()
    jobs: Sequence[Job] = ()
    counters: Mapping[str, int] = {}


async def write_snapshot(portions: AsyncGenerator[Portion]) -> AsyncGenerator[bytes]:
    """Yield the JSON of a snapshot.

    The portions of a merchant follow each other: records by kind, each kind from its oldest record to its newest, then jobs,
    then counters.
    """
    writer = _Writer()
    piece = bytearray(b'{"version":%d,"merchants":{' % VERSION)
    async with aclosing(portions):
        async for portion in portions:
            for part in writer.parts(portion):
                piece += part
                if len(piece) >= PIECE_BYTES:
                    yield bytes(piece)
                    piece.clear()
                    await asyncio.sleep(0)
    yield bytes(piece) + writer.end()


class _Writer:
    """Writes portions as members of `merchants`."""

    def __init__(self) -> None:
        self._merchant: str | None = None
        self._kind = ""
        self._follows = False
        self._counters: Mapping[str, int] = {}

    def parts(self, portion: Portion) -> Iterator[bytes]:
        """Yield the JSON of a portion."""
        if portion.merchant != self._merchant:
            if self._merchant is not None:
                yield self._end_of_merchant() + b","
            yield orjson.dumps(portion.merchant) + b':{"records":{'
            self._merchant, self._kind, self._counters = portion.merchant, "", {}
        for record in portion.records:
            if record.kind != self._kind:
                yield self._begin(record.kind)
            yield self._entry(record)
        for job in portion.jobs:
            yield self._begin_jobs()
            yield self._entry(job)
        self._counters = portion.counters or self._counters

    def _begin(self, kind: str) -> bytes:
        end = b"]," if self._kind else b""
        self._kind, self._follows = kind, False
        return end + orjson.dumps(kind) + b":["

    def _begin_jobs(self) -> bytes:
        """Return what ends the records and begins the jobs, once."""
        if self._kind == _JOBS:
            return b""
        end = b"]}" if self._kind else b"}"
        self._kind, self._follows = _JOBS, False
        return end + b',"jobs":['

    def _entry(self, value: Record | Job) -> bytes:
        separator, self._follows = b"," if self._follows else b"", True
        return separator + orjson.dumps(encode(value))

    def _end_of_merchant(self) -> bytes:
        return self._begin_jobs() + b'],"counters":%s}' % orjson.dumps(self._counters)

    def end(self) -> bytes:
        """Return what ends the snapshot."""
        return (self._end_of_merchant() if self._merchant is not None else b"") + b"}}"


_JOBS = " jobs"
"""Stands in `_Writer` for the kind of a record; no kind has this name."""


async def read_snapshot(pieces: AsyncIterator[bytes]) -> AsyncGenerator[Portion]:
    """Yield the portions of a snapshot whose JSON arrives in pieces of any size.

    Raises `MalformedBody` for what is not JSON, and `MockKlarnaError` with the place of the first value that
    `schemas/snapshot.json` does not allow. What was yielded before that is valid.
    """
    reader = _Reader()
    async for piece in pieces:
        for start in range(0, len(piece), PIECE_BYTES):
            reader.feed(piece[start : start + PIECE_BYTES])
            for portion in reader.portions():
                yield portion
            await asyncio.sleep(0)
    reader.end()
    for portion in reader.portions():
        yield portion


_BLANKS = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb"[^\],}\s]*+")
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_WITHOUT_BRACKETS = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_QUOTE = ord('"')
_Reading = Generator[None, None, None]
"""A part of the reader that yields when it needs more bytes."""
_CUT_OFF = "JSON that is complete; the body is cut off"


class _Reader:
    """Reads a snapshot from bytes as they arrive: the objects around the lists step by step, each entry of a list at once."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._at = 0
        self._is_complete = False
        self._line, self._column = 1, 1
        self._done: list[Portion] = []
        self._merchant: _MerchantReader | None = None
        self._seen: dict[str, Any] = {}
        self._reading = self._document()
        next(self._reading)

    def feed(self, piece: bytes) -> None:
        """Read further bytes."""
        self._bytes += piece
        next(self._reading)

    def end(self) -> None:
        """Read the end of the body."""
        self._is_complete = True
        next(self._reading, None)

    def portions(self) -> list[Portion]:
        """Return what was read since the last call."""
        if self._merchant is not None:
            self._done += self._merchant.portions()
        done, self._done = self._done, []
        return done

    # Bytes

    def _next(self) -> Generator[None, None, int]:
        """Return the next byte that is not blank, without consuming it; -1 at the end of the body."""
        if self._at >= PIECE_BYTES:
            self._forget_consumed()
        while True:
            blanks = _BLANKS.match(self._bytes, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._bytes):
                return self._bytes[self._at]
            if self._is_complete:
                return -1
            yield

    def _forget_consumed(self) -> None:
        self._line, self._column = self._place(self._at)
        del self._bytes[: self._at]
        self._at = 0

    def _place(self, position: int) -> tuple[int, int]:
        lines = self._bytes.count(b"\n", 0, position)
        if not lines:
            return self._line, self._column + position
        return self._line + lines, position - self._bytes.rfind(b"\n", 0, position)

    def _problem(self, position: int, expected: str, rule: str = "json") -> MalformedBody:
        line, column = self._place(position)
        found = excerpt(bytes(self._bytes[max(0, position - 100) : position + 100]), min(position, 100))
        return MalformedBody(Problem("", rule, found, f"{expected} (line {line}, column {column})"))

    def _raw(self) -> Generator[None, None, bytes]:
        """Consume a value and return its bytes."""
        first = yield from self._next()
        start = self._at
        if first in b'"':
            end = yield from self._end_of_text(start + 1)
        elif first in b"{[":
            end = yield from self._end_of_branch(start)
        else:
            end = yield from self._match(_SCALAR, start)
            if end == start:
                raise self._problem(start, "JSON; a value")
        self._at = end
        return bytes(self._bytes[start:end])

    def _match(self, pattern: re.Pattern[bytes], position: int) -> Generator[None, None, int]:
        """Return where a pattern ends; if that is the end of what arrived, with what arrives later."""
        while True:
            found = pattern.match(self._bytes, position)
            position = found.end() if found else position
            if position < len(self._bytes) or self._is_complete:
                return position
            yield

    def _end_of_text(self, position: int) -> Generator[None, None, int]:
        """Return the position behind a text that `position` is in."""
        while True:
            found = _TEXT.match(self._bytes, position)
            position = found.end() if found else position
            if position < len(self._bytes) and self._bytes[position] == _QUOTE:
                return position + 1
            if self._is_complete:
                raise self._problem(len(self._bytes), _CUT_OFF)
            yield

    def _end_of_branch(self, position: int) -> Generator[None, None, int]:
        """Return the position behind an object or a list that begins at `position`."""
        depth = 0
        while True:
            position = yield from self._match(_WITHOUT_BRACKETS, position)
            if position == len(self._bytes):
                raise self._problem(position, _CUT_OFF)
            byte = self._bytes[position]
            if byte == _QUOTE:
                position = yield from self._end_of_text(position + 1)
                continue
            position += 1
            depth += 1 if byte in b"{[" else -1
            if not depth:
                return position

    def _value(self) -> Generator[None, None, Any]:
        """Consume a value and return it parsed."""
        first = yield from self._next()
        start = self._at
        if first < 0:
            raise self._problem(start, _CUT_OFF)
        raw = yield from self._raw()
        try:
            return read_json(raw)
        except MalformedBody as error:
            raise self._problem(start, error.problem.expected.partition(" (line")[0], error.problem.rule) from None

    # Objects and lists

    def _members(self, read: Callable[[str], _Reading], place: Steps) -> _Reading:
        """Consume an object and let `read` consume the value of each member."""
        names = set()
        self._at += 1
        following = yield from self._next()
        while following != ord("}"):
            name = yield from self._value()
            following = yield from self._next()
            if not isinstance(name, str) or following != ord(":"):
                raise self._problem(self._at, _CUT_OFF if following < 0 else "JSON; the name of a member and a colon")
            if name in names:
                raise MockKlarnaError("this member is there twice", where=path_text((*place, name)))
            names.add(name)
            self._at += 1
            yield from read(name)
            following = yield from self._separator(b"}")

    def _entries(self, take: Callable[[int, bytes], None]) -> _Reading:
        """Consume a list and give each of its entries with its number to `take`."""
        number = 0
        self._at += 1
        following = yield from self._next()
        while following != ord("]"):
            if following < 0:
                raise self._problem(self._at, _CUT_OFF)
            take(number, (yield from self._raw()))
            number += 1
            following = yield from self._separator(b"]")

    def _separator(self, end: bytes) -> Generator[None, None, int]:
        """Consume a comma, or return the bracket that ends an object or a list, consumed with it."""
        following = yield from self._next()
        if following == ord(","):
            self._at += 1
            following = yield from self._next()
            if following != ord(end):
                return following
        elif following == ord(end):
            return following
        raise self._problem(self._at, _CUT_OFF if following < 0 else f"JSON; a comma or {end.decode()} follows a value")

    def _document(self) -> _Reading:
        yield
        first = yield from self._next()
        if first != ord("{"):
            value = read_json(bytes(self._bytes)) if first < 0 else (yield from self._value())
            require_valid("snapshot", value, ())
        yield from self._members(self._read_member, ())
        self._at += 1
        if (yield from self._next()) >= 0:
            raise self._problem(self._at, "one JSON document and nothing after it")
        require_valid("snapshot", self._seen, ())

    def _read_member(self, name: str) -> _Reading:
        if name == "merchants" and (yield from self._next()) == ord("{"):
            self._seen["merchants"] = {}
            yield from self._members(self._read_merchant, ("merchants",))
            self._at += 1
        else:
            self._seen[name] = yield from self._value()
            require_valid("snapshot", {"version": VERSION, "merchants": {}, **self._seen}, ())

    def _read_merchant(self, name: str) -> _Reading:
        seen: dict[str, Any] = {}

        def require_possible(**more: Any) -> None:
            require_valid("snapshot", {"version": VERSION, "merchants": {name: {**_EMPTY, **seen, **more}}}, ())

        def read_kind(kind: str) -> _Reading:
            if (yield from self._next()) == ord("["):
                require_possible(records={kind: []})
                yield from self._entries(lambda number, raw: merchant.add_record(kind, number, raw))
                self._at += 1
            else:
                require_possible(records={kind: (yield from self._value())})

        def read_part(part: str) -> _Reading:
            following = yield from self._next()
            if part == "records" and following == ord("{"):
                yield from self._members(read_kind, (*place, part))
                self._at += 1
                seen[part] = {}
            elif part == "jobs" and following == ord("["):
                yield from self._entries(merchant.add_job)
                self._at += 1
                seen[part] = []
            else:
                seen[part] = yield from self._value()
                require_possible()

        place: Steps = ("merchants", name)
        if (yield from self._next()) != ord("{"):
            value = yield from self._value()
            require_valid("snapshot", {"version": VERSION, "merchants": {name: value}}, ())
        merchant = self._merchant = _MerchantReader(name)
        yield from self._members(read_part, place)
        self._at += 1
        require_valid("snapshot", {"version": VERSION, "merchants": {name: seen}}, ())
        self._done += [*merchant.end(), Portion(name, counters=seen["counters"])]
        self._merchant = None


_EMPTY: Mapping[str, Any] = {"records": {}, "jobs": [], "counters": {}}


class _MerchantReader:
    """The records and jobs of one merchant.

    A callback that was being sent becomes one that waits or has failed, which depends on the merchant's jobs. So it waits
    for the end of the merchant, and so do the callbacks after it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._place: Steps = ("merchants", name)
        self._records: list[Record] = []
        self._callbacks: list[Record] = []
        self._jobs: list[Job] = []
        self._job_ids: set[str] = set()

    def add_record(self, kind: str, number: int, raw: bytes) -> None:
        """Read a record; raises `MockKlarnaError`."""
        place = (*self._place, "records", kind, number)
        record = decode(KINDS[kind], _checked(kind, raw, place))
        self._require_own(record)
        _require_urls(record, place)
        if isinstance(record, Delivery) and (self._callbacks or record.state == "in_flight"):
            self._callbacks.append(record)
        else:
            self._records.append(record)

    def add_job(self, number: int, raw: bytes) -> None:
        """Read a job; raises `MockKlarnaError`."""
        job = decode(Job, _checked("job", raw, (*self._place, "jobs", number)))
        self._require_own(job)
        self._job_ids.add(job.job_id)
        self._jobs.append(job)

    def _require_own(self, value: Record | Job) -> None:
        if value.merchant != self._name:
            raise MockKlarnaError(
                f"the state of {self._name!r} contains a record or job of {value.merchant!r}",
                where=path_text(self._place),
                hint=f"expected {self._name!r} as the merchant of each record and job",
            )

    def portions(self) -> list[Portion]:
        """Return what was read since the last call."""
        records, jobs = self._records, self._jobs
        self._records, self._jobs = [], []
        return [Portion(self._name, records, jobs)] if records or jobs else []

    def end(self) -> list[Portion]:
        """Return the rest, with the callbacks that waited."""
        self._records += [read_back(record, self._job_ids) for record in self._callbacks]
        return self.portions()


_URLS: Mapping[str, Sequence[str]] = {Delivery.kind: ("url",), Order.kind: [kind.url for kind in ORDER_CALLBACKS]}
"""The members of records that are called as URLs."""


def _require_urls(record: Record, place: Steps) -> None:
    """Raise `MockKlarnaError` for a URL that cannot be called."""
    for name in _URLS.get(record.kind, ()):
        url = getattr(record, name)
        if url is not None and not is_http_url(url):
            where = path_text((*place, name))
            raise MockKlarnaError(
                f"{json_text(url)} is not possible", where=where, hint="expected an absolute http or https URL"
            )


def _checked(definition: str, raw: bytes, place: Steps) -> Any:
    """Return an entry parsed; raises `MockKlarnaError` if a definition of the schema does not allow it."""
    try:
        data = read_json(raw)
    except MalformedBody as error:
        where, hint = path_text(place), f"expected {error.problem.expected}"
        raise MockKlarnaError(f"{json_text(error.problem.value)} is not possible", where=where, hint=hint) from None
    require_valid(definition, data, place)
    return data
