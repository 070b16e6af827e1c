"""Requests of shoppers' browsers: from pages of any origin, without credentials; what is refused goes into the journal."""

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter

from aiohttp import web

from mock_klarna.web.call import Call
from mock_klarna.web.desk import Desk
from mock_klarna.web.exchange import Answer, correlation_id, record
from mock_klarna.web.mock import guarded
from mock_klarna.web.spoiling import response

CORS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Headers that let a page of any origin read an answer. No credentials are ever sent along."""

_PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "7200",
}
_log = logging.getLogger(__name__)
_MOST_LOGGED = 20


def browser(desk: Desk, name: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of an operation that browsers call."""

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(request)
        reply = await guarded(desk, name, answer, call)
        if call.problems:
            _complain(name, call)
            await record(desk, name, call, reply, correlation_id(), started)
        reply.headers.update(CORS, **{"Cache-Control": "no-store"})
        return response(call, reply)

    return handle


def _complain(name: str, call: Call) -> None:
    details = "".join(f"\n  {problem.as_text()}" for problem in call.problems[:_MOST_LOGGED])
    _log.warning("%s of %s: refused%s", name, call.merchant or "an unknown merchant", details)


async def preflight(_request: web.Request) -> web.StreamResponse:
    """Answer what a browser asks before it sends JSON to another origin."""
    return web.Response(status=204, headers=_PREFLIGHT)
