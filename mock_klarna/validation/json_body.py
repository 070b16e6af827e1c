"""Parses JSON bodies, and names the problem of those that are not JSON."""

from typing import Any, TypeVar

import msgspec
import orjson

from mock_klarna.errors import Problem

DEEPEST = 64
_EXCERPT = 40
T = TypeVar("T")
_NOT_OPENING = bytes(byte for byte in range(256) if byte not in b"{[")
_WORDS = (
    ("zero-length", "empty", "a JSON object; the body is empty"),
    ("data is empty", "empty", "a JSON object; the body holds only blanks"),
    ("UTF-8 byte order", "utf8", "UTF-8 without a byte order mark"),
    ("valid UTF-8", "utf8", "text in UTF-8"),
    ("surrogate", "utf8", "escapes that make whole characters"),
    ("infinity", "number", "numbers that fit 64 bits"),
    ("depth limit", "depth", f"JSON of at most {DEEPEST} levels"),
    ("end of data", "json", "JSON that is complete; the body is cut off"),
    ("after document", "json", "one JSON document and nothing after it"),
)


class MalformedBody(ValueError):
    """The bytes are not usable JSON; `problem` says why, with line and column if there is a place."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.as_text())
        self.problem = problem


def read_json(raw: bytes) -> Any:
    """Return the parsed body.

    Raises `MalformedBody` for a body that is empty, cut off, not UTF-8, not JSON (NaN is not) or nested deeper than 64 levels.
    """
    try:
        body: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_problem(raw, error)) from None
    if len(raw.translate(None, _NOT_OPENING)) > DEEPEST and _is_too_deep(body):
        raise MalformedBody(Problem("", "depth", excerpt(raw, 0), f"JSON of at most {DEEPEST} levels"))
    return body


def write_json(value: Any) -> bytes:
    """Return JSON that takes as many bytes in memory as it has: what orjson returns can take several times as many."""
    return bytes(memoryview(orjson.dumps(value)))


def is_compact(raw: bytes) -> bool:
    """Return whether JSON looks as `write_json` writes it: no blank after the first name, and no escapes."""
    return b'": ' not in raw[:_EXCERPT] and b"\\" not in raw


def _problem(raw: bytes, error: orjson.JSONDecodeError) -> Problem:
    known = ((rule, words) for mark, rule, words in _WORDS if mark in error.msg)
    rule, words = next(known, ("json", f"JSON; {error.msg}"))
    place = f" (line {error.lineno}, column {error.colno})" if raw.strip() and error.pos else ""
    return Problem("", rule, excerpt(raw, error.pos), words + place)


def excerpt(raw: bytes, position: int) -> str:
    """Return a few characters around a position as text."""
    start = max(0, position - _EXCERPT // 2)
    return raw[start : start + _EXCERPT].decode("utf-8", "backslashreplace")


def _is_too_deep(body: object) -> bool:
    level: list[Any] = [body]
    for _ in range(DEEPEST):
        level = [leaf for branch in level for leaf in _branches(branch)]
    return bool(level)


def _branches(value: Any) -> list[Any]:
    leaves = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [leaf for leaf in leaves if isinstance(leaf, dict | list)]


def split_json(raw: bytes | msgspec.Raw, levels: int) -> Any:
    """Return a body whose objects are parsed to a depth of `levels`, and whose lists there are lists of unparsed entries.

    A JSON parser keeps all threads waiting until it returns. This finds the ends of a large body's entries, a tenth of a
    second for 100 MB a level; each entry is for `read_json`, which takes microseconds. Raises `MalformedBody`.
    """
    members = _split(raw, dict[str, msgspec.Raw]) if levels else None
    if members is not None:
        return {name: split_json(part, levels - 1) for name, part in members.items()}
    entries = _split(raw, list[msgspec.Raw]) if levels else None
    return read_json(bytes(raw)) if entries is None else [bytes(entry) for entry in entries]


def _split(raw: bytes | msgspec.Raw, kind: type[T]) -> T | None:
    """Return the parts of an object or of a list, or None for a value of another kind."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        read_json(bytes(raw))  # which names the problem as it does for a small body
        raise MalformedBody(Problem("", "json", excerpt(bytes(raw), 0), f"JSON; {error}")) from None
