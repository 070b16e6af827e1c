"""From the bytes of a body to what they mean, or to the fault that makes them no JSON."""

from typing import Any

import orjson

from mock_klarna.domain.problems import Problem

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
