"""Reading a large JSON body in a thread: value by value, so that nobody else waits longer than for one of them."""

import json
from codecs import getincrementaldecoder
from collections.abc import Callable
from json.decoder import WHITESPACE, JSONDecodeError  # type: ignore[attr-defined]
from typing import Any

from mock_klarna.contract.reading import DEEPEST, MalformedBody, excerpt, read_json
from mock_klarna.domain.problems import Problem

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
