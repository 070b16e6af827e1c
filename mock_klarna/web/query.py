"""Reading the query parameters of the control API; every refusal names the parameter and what would be right."""

import re
from collections.abc import Collection, Iterable, Sequence

from aiohttp import web

from mock_klarna.domain.errors import InvalidInput
from mock_klarna.domain.journal import KINDS, Watch
from mock_klarna.domain.problems import Problem
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.exchange import Answer
from mock_klarna.web.mock import merchant_of
from mock_klarna.web.parameters import STATUS, in_query

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_NAME = 80
_LONGEST = 20
"""Digits beyond which a number is not even read: Python refuses those of thousands."""


def only(parameters: Iterable[str], answer: Answer) -> Answer:
    """Return a handler that refuses every parameter but these, and each that comes more than once."""
    known = in_query(parameters)

    async def judged(desk: Desk, call: Call) -> Reply:
        require_known(call.request, known)
        return await answer(desk, call)

    return judged


def require_known(request: web.Request, known: Sequence[str]) -> None:
    """Raise `InvalidInput` for the first parameter that is unknown, or given more than once."""
    for name in request.query:
        if name not in known:
            raise wrong(name[:_LONGEST_NAME], request.query[name], f"no such parameter; known: {', '.join(known)}")
        if len(request.query.getall(name)) > 1:
            raise wrong(name, request.query.getall(name), f"one value; known: {', '.join(known)}")


def one_of(request: web.Request, name: str, known: Collection[str]) -> str | None:
    """Return a parameter that is one of a few words, or None where it is not given."""
    text = request.query.get(name)
    if text is not None and text not in known:
        raise wrong(name, text, "one of " + ", ".join(known))
    return text


def status(request: web.Request) -> str | None:
    """Return the status that is asked for, `404` or `4xx`, or None for any."""
    text = request.query.get("status")
    if text is not None and not re.fullmatch(STATUS, text):
        raise wrong("status", text, "a status such as 404, or 4xx for all that begin with a 4")
    return text.lower() if text else None


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
    return Watch(
        merchant=merchant_of(request),
        purchase_id=request.query.get("purchase_id"),
        kind=one_of(request, "kind", KINDS),
        name=request.query.get("name"),
        status=status(request),
        correlation_id=request.query.get("correlation_id"),
    )


def wrong(name: str, sent: object, expected: str) -> InvalidInput:
    """Return the refusal of a parameter."""
    return InvalidInput([Problem(path=name, rule="parameter", sent=sent, expected=expected)], where="query")
