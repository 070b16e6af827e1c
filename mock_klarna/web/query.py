"""Reading the query parameters of the control API; every refusal names the parameter and what would be right."""

import re

from aiohttp import web

from mock_klarna.domain.errors import InvalidInput
from mock_klarna.domain.journal import KINDS, Watch
from mock_klarna.domain.problems import Problem
from mock_klarna.web.mock import merchant_of

LAST_POSITION = 1 << 62
"""The greatest position in the journal that can be asked for."""
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST = 20
"""Digits beyond which a number is not even read: Python refuses those of thousands."""


def whole(request: web.Request, name: str, default: int, most: int) -> int:
    """Return a whole number from 0 to `most`."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < _LONGEST and int(text) <= most):
        raise wrong(name, text, f"a whole number from 0 to {most}")
    return int(text)


def seconds(request: web.Request, name: str, most: float) -> float:
    """Return a number of seconds from 0 to `most`; 0 where there is none."""
    text = request.query.get(name, "0")
    if not _NUMBER.fullmatch(text) or float(text) > most:
        raise wrong(name, text, f"a number of seconds from 0 to {most:g}")
    return float(text)


def watch(request: web.Request) -> Watch:
    """Return which journal entries a request asks for."""
    kind = request.query.get("kind")
    if kind is not None and kind not in KINDS:
        raise wrong("kind", kind, "one of " + ", ".join(KINDS))
    return Watch(
        merchant=merchant_of(request),
        purchase_id=request.query.get("purchase_id"),
        kind=kind,
        name=request.query.get("name"),
    )


def wrong(name: str, sent: object, expected: str) -> InvalidInput:
    """Return the refusal of a parameter."""
    return InvalidInput([Problem(path=name, rule="parameter", sent=sent, expected=expected)], where="query")
