"""Parses JSON bodies, and names the problem of those that are not JSON."""

import re
from collections.abc import Sequence
from typing import Any

import orjson

from mock_klarna.errors import Problem

DEEPEST = 64
MAX_VALUES = 300_000
"""Values of a body: members, entries of lists, and the objects and lists themselves. Parsing more delays all other requests."""
_EXCERPT = 40
_LONGEST_NAME = 80
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


def read_json(raw: bytes, *, is_bounded: bool = True) -> Any:
    """Return the parsed body.

    Raises `MalformedBody` for a body that is empty, cut off, not UTF-8, not JSON (NaN is not), nested deeper than 64 levels, or
    that has more than `MAX_VALUES` values, which are counted before it is parsed. `is_bounded=False` allows any number of values.
    """
    if is_bounded and len(raw) > MAX_VALUES and _has_too_many_values(raw):
        raise MalformedBody(Problem("", "size", excerpt(raw, 0), f"a body of at most {MAX_VALUES} values"))
    try:
        body: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_problem(raw, error)) from None
    if len(raw.translate(None, _NOT_OPENING)) > DEEPEST and _is_too_deep(body):
        raise MalformedBody(Problem("", "depth", excerpt(raw, 0), f"JSON of at most {DEEPEST} levels"))
    return body


def _has_too_many_values(raw: bytes) -> bool:
    """Return whether JSON has more than `MAX_VALUES` values, which each have a comma or a bracket outside of texts."""
    if _count(raw) <= MAX_VALUES:
        return False
    pieces = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if pieces.count(b'"') > 2 * MAX_VALUES:
        return True  # more texts than values are allowed
    return _count(b"".join(pieces.split(b'"')[::2])) > MAX_VALUES


def _count(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


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
    path = _path_at(raw, error.pos) if rule == "number" else ""
    return Problem(path, rule, excerpt(raw, error.pos), words + place)


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{},]', re.DOTALL)
_MAX_SEARCHED = 64 << 10


def _path_at(raw: bytes, position: int) -> str:
    """Return the path of the member or entry at a position of JSON that is right up to there; "" far behind its beginning."""
    path: list[str | int] = []
    for found in _TOKEN.finditer(raw, 0, position) if position <= _MAX_SEARCHED else ():
        token = found[0]
        if token == b"[":
            path.append(0)
        elif token == b"{":
            path.append("")
        elif token in b"]}":
            path.pop()
        elif token == b",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else ""
        elif path and path[-1] == "":
            path[-1] = orjson.loads(token)
    return path_text(path)


_PATH_MEMBER = re.compile(r"\[(\d{1,9})\]|([^.\[\]]+)")


def set_at(body: Any, path: str, value: Any) -> None:
    """Replace the member of a body at a path such as `order_lines[0].quantity`, or remove it where the value is None.

    Raises LookupError for a path that does not exist.
    """
    members = [int(index) if index else name for index, name in _PATH_MEMBER.findall(path)]
    try:
        for member in members[:-1]:
            body = body[member]
        if value is not None:
            body[members[-1]] = value
        elif isinstance(body, dict):
            body.pop(members[-1], None)
        else:
            del body[members[-1]]
    except (LookupError, TypeError):
        raise LookupError(path) from None


def path_text(steps: Sequence[str | int]) -> str:
    """Return a place in Klarna's form: `order_lines[0].name`, and `[""]` for a member without a name."""
    named = (f".{step[:_LONGEST_NAME]}" if step else '[""]' for step in steps if isinstance(step, str))
    text = "".join(f"[{step}]" if isinstance(step, int) else next(named) for step in steps)
    return text.removeprefix(".")


def excerpt(raw: bytes, position: int) -> str:
    """Return a few characters around a position as text."""
    start = max(0, position - _EXCERPT // 2)
    return raw[start : start + _EXCERPT].decode("utf-8", "backslashreplace")


def _is_too_deep(body: object) -> bool:
    level: list[Any] = [body] if isinstance(body, dict | list) else []
    for _ in range(DEEPEST):
        level = [
            leaf
            for branch in level
            for leaf in (branch.values() if type(branch) is dict else branch)
            if type(leaf) is dict or type(leaf) is list
        ]
    return bool(level)
