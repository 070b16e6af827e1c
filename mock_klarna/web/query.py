"""Reading the query parameters of the control API; every refusal names the parameter and what would be right."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from aiohttp import web

from mock_klarna.domain.callbacks import CALLBACKS, DELIVERY
from mock_klarna.domain.journal import KINDS, JournalFilter
from mock_klarna.domain.purchase import PURCHASE
from mock_klarna.errors import InvalidInput, Problem
from mock_klarna.web.pipeline import Answer, merchant_of
from mock_klarna.web.request import Call, Reply, Services

Json = dict[str, Any]


def _text(description: str, **limits: Any) -> Json:
    return {"description": description, "schema": {"type": "string", **limits}}


def _number(description: str, most: int | None = None, kind: str = "integer") -> Json:
    limits = {} if most is None else {"maximum": most}
    return {"description": description, "schema": {"type": kind, "minimum": 0, **limits}}


LAST_POSITION = 1 << 62
"""The greatest position in the journal that can be asked for."""
STATUS = "^[1-5]([0-9]{2}|[xX]{2})$"
"""A status, or all that begin with the same digit."""
PARAMETERS: dict[str, Json] = {
    "merchant": _text("Username of the merchant, in place of credentials."),
    "kind": _text("Kind of entry.", enum=[*KINDS]),
    "name": _text("Name of an operation, callback or event."),
    "status": _text("Only what was answered with this status, such as 404, or 4xx for all of them.", pattern=STATUS),
    "correlation_id": _text("Only the exchange that was answered with this Klarna-Correlation-Id."),
    "purchase_id": _text("Only what belongs to this purchase."),
    "purchase_state": _text("Only purchases in this state.", enum=[*PURCHASE]),
    "callback_kind": _text("Only callbacks of this kind.", enum=[*CALLBACKS]),
    "callback_state": _text("Only callbacks in this state.", enum=[*DELIVERY]),
    "after": _number("Only entries after this position.", LAST_POSITION),
    "limit": _number("How many at the most.", 10_000),
    "wait": _number("Seconds to wait for it to happen.", 600, "number"),
    "seconds": _number("Seconds to wait for the purchase to end.", 600, "number"),
    "Last-Event-ID": {
        "in": "header",
        **_text("Id of the last event that was seen, to go on after it; `after` has precedence."),
    },
    "country": _text("ISO 3166 alpha-2 code."),
}
"""By what rows call them; two that differ in their values share the name behind the underscore."""
_SHARED = {"purchase_state": "state", "callback_kind": "kind", "callback_state": "state"}


def in_query(parameters: Iterable[str]) -> tuple[str, ...]:
    """Return the names of those parameters of a row that are in the query, where all are that say nothing else."""
    return tuple(name_of(parameter) for parameter in parameters if "in" not in PARAMETERS[parameter])


def name_of(parameter: str) -> str:
    """Return the name that a parameter has in a URL."""
    return _SHARED.get(parameter, parameter)


_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_NAME = 80
_LONGEST = 20
"""Digits beyond which a number is not even read: Python refuses those of thousands."""


def only(parameters: Iterable[str], answer: Answer) -> Answer:
    """Return a handler that refuses every parameter but these, and each that comes more than once."""
    known = in_query(parameters)

    async def judged(services: Services, call: Call) -> Reply:
        require_known(call.request, known)
        return await answer(services, call)

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


def watch(request: web.Request) -> JournalFilter:
    """Return which journal entries a request asks for."""
    return JournalFilter(
        merchant=merchant_of(request),
        purchase_id=request.query.get("purchase_id"),
        kind=one_of(request, "kind", KINDS),
        name=request.query.get("name"),
        status=status(request),
        correlation_id=request.query.get("correlation_id"),
    )


def wrong(name: str, sent: object, expected: str) -> InvalidInput:
    """Return the refusal of a parameter."""
    return InvalidInput([Problem(path=name, rule="parameter", value=sent, expected=expected)], where="query")
