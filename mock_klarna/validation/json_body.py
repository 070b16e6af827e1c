"""From the bytes of a body to what they mean, or to the fault that makes them no JSON."""

import json
from codecs import getincrementaldecoder
from collections.abc import Callable
from json.decoder import WHITESPACE, JSONDecodeError  # type: ignore[attr-defined]
from typing import Any

import orjson

from mock_klarna.errors import Problem

DEEPEST = 64
_EXCERPT = 40
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
    """The bytes are no usable JSON; `problem` names the fault, with line and column where it has a place."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.as_text())
        self.problem = problem


def read_json(raw: bytes) -> object:
    """Return the parsed body; numbers and text are as Python has them, JSON null is None.

    Raises `MalformedBody` for what is empty, cut off, no UTF-8, no JSON (NaN is none) or nested deeper than 64 levels.
    """
    try:
        body: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_fault(raw, error)) from None
    if len(raw.translate(None, _NOT_OPENING)) > DEEPEST and _is_too_deep(body):
        raise MalformedBody(Problem("", "depth", excerpt(raw, 0), f"JSON of at most {DEEPEST} levels"))
    return body


def _fault(raw: bytes, error: orjson.JSONDecodeError) -> Problem:
    known = ((rule, words) for mark, rule, words in _WORDS if mark in error.msg)
    rule, words = next(known, ("json", f"JSON; {error.msg}"))
    place = f" (line {error.lineno}, column {error.colno})" if raw.strip() and error.pos else ""
    return Problem("", rule, excerpt(raw, error.pos), words + place)


def excerpt(raw: bytes, position: int) -> str:
    """Return a few characters around a position, as they can be shown."""
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


LARGE = 1 << 20
"""Bytes from which on a body is worth a thread."""
_CHUNK = 1 << 20
_end_of_value: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().raw_decode


def read_portions(raw: bytes, levels: int) -> object:
    """Return what `read_json` returns, read value by value below so many levels of objects and arrays.

    A JSON parser keeps all threads waiting until it has ended, so what it gets are the small values below the outer levels.
    Raises `MalformedBody`.
    """
    text = _decoded(raw)
    try:
        value, end = _value(text, _blanks(text, 0), levels)
    except RecursionError:
        raise MalformedBody(Problem("", "depth", "", f"JSON of at most {DEEPEST} levels")) from None
    except JSONDecodeError as error:
        raise _malformed(text, error.pos, error.msg) from None
    if end != len(text):
        raise _malformed(text, end, "one JSON document and nothing after it")
    return value


def _decoded(raw: bytes) -> str:
    decoder = getincrementaldecoder("utf-8")()
    chunks = [memoryview(raw)[start : start + _CHUNK] for start in range(0, len(raw), _CHUNK)]
    try:
        return "".join([*(decoder.decode(chunk) for chunk in chunks), decoder.decode(b"", final=True)])
    except UnicodeDecodeError as fault:
        raise MalformedBody(Problem("", "utf8", str(fault)[:100], "text in UTF-8")) from None


def _malformed(text: str, position: int, words: str) -> MalformedBody:
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    found = excerpt(text[max(0, position - 100) : position + 100].encode(), min(position, 100))
    return MalformedBody(Problem("", "json", found, f"JSON; {words} (line {line}, column {column})"))


def _blanks(text: str, at: int) -> int:
    return int(WHITESPACE.match(text, at).end())


def _value(text: str, at: int, levels: int) -> tuple[object, int]:
    """Return a value and where the next thing begins."""
    opening = text[at : at + 1] if levels else ""
    if opening == "{":
        return _members(text, at + 1, levels - 1)
    if opening == "[":
        return _items(text, at + 1, levels - 1)
    end = _end_of_value(text, at)[1]
    return read_json(text[at:end].encode()), _blanks(text, end)


def _members(text: str, at: int, levels: int) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    at = _blanks(text, at)
    while text[at : at + 1] != "}" or found:
        if text[at : at + 1] != '"':
            raise JSONDecodeError("a name in quotes", text, at)
        name, at = _value(text, at, 0)
        at = _after(text, at, ":")
        found[str(name)], at = _value(text, at, levels)
        if text[at : at + 1] == "}":
            break
        at = _after(text, at, ",")
    return found, _blanks(text, at + 1)


def _items(text: str, at: int, levels: int) -> tuple[list[object], int]:
    found: list[object] = []
    at = _blanks(text, at)
    while text[at : at + 1] != "]" or found:
        value, at = _value(text, at, levels)
        found.append(value)
        if text[at : at + 1] == "]":
            break
        at = _after(text, at, ",")
    return found, _blanks(text, at + 1)


def _after(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise JSONDecodeError(f"{mark!r} or the end of what was opened", text, at)
    return _blanks(text, at + 1)
