"""One exchange with a merchant: who is it, what do they say, what do we answer; and all of it into the journal."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from secrets import randbits
from time import perf_counter
from uuid import uuid4

from aiohttp import HttpVersion11, hdrs, web

from mock_klarna.domain.journal import EXCHANGE, NOBODY, Exchange, readable
from mock_klarna.domain.records import Purchase
from mock_klarna.errors import (
    BadValue,
    ExpectationFailed,
    InjectedFault,
    InvalidInput,
    KlarnaError,
    MockKlarnaError,
    TooManyRequests,
)
from mock_klarna.web import rate_limits, request
from mock_klarna.web import request as bodies
from mock_klarna.web.auth import CREDENTIALS
from mock_klarna.web.errors import as_reply, demanded_headers, log_refusal, misuse, own_fault
from mock_klarna.web.request import JSON, Call, Differences, Reply, Services

_GO_ON = "100-continue"


async def go_on(request: web.Request) -> None:
    """Tell a caller that asks first to send its body."""
    if _is_asked(request) and _expected(request) == _GO_ON:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def require_known(request: web.Request) -> None:
    """Raise `ExpectationFailed` for an expectation that nobody here can meet."""
    if _is_asked(request) and _expected(request) != _GO_ON:
        raise ExpectationFailed(f"Expect is {request.headers[hdrs.EXPECT][:100]!r}; only {_GO_ON} is known")


def _is_asked(request: web.Request) -> bool:
    """Tell whether there is an expectation; HTTP/1.0 has none."""
    return hdrs.EXPECT in request.headers and request.version >= HttpVersion11


def _expected(request: web.Request) -> str:
    return request.headers[hdrs.EXPECT].strip().lower()


GARBAGE = b'{"order_id": "\xff\xfe garbage'
"""A garbled answer: neither UTF-8 nor JSON."""


async def answered(services: Services, call: Call, answer: Callable[[Services, Call], Awaitable[Reply]]) -> Reply:
    """Answer the way the call's fault asks for; `drop` and `garbage` spoil only what is sent back, after it was done.

    With a `status` nothing is done at all, so `drop` beside it loses the request and not the answer.
    """
    fault = call.fault or {}
    await asyncio.sleep(fault.get("delay", 0))
    if fault.get("status"):
        raise InjectedFault(fault["status"])
    reply = await answer(services, call)
    return await answer(services, call) if fault.get("twice") else reply


def response(call: Call, reply: Reply) -> web.Response:
    """Return the response, or garbage, or no response at all over a connection that breaks."""
    fault = call.fault or {}
    if fault.get("drop"):
        if call.request.transport is not None:
            call.request.transport.abort()
        return web.Response(status=reply.status)
    body = GARBAGE if fault.get("garbage") else reply.body
    if body:
        reply.headers.setdefault("Content-Type", JSON)
    return web.Response(status=reply.status, body=body or None, headers=reply.headers)


EXPLANATION = "Mock-Klarna-Explanation"
"""Header of a refusal: where the journal tells all that was wrong and what would be right."""

Answer = Callable[[Services, Call], Awaitable[Reply]]
Guard = Callable[[Services, Call], Awaitable[Differences | None]]
_SHOWN = (hdrs.HOST, hdrs.USER_AGENT, hdrs.CONTENT_TYPE)
_prefix = str(uuid4())[:24]
_numbers = count(randbits(40))


def correlation_id() -> str:
    """Return a fresh id in the form of a UUID for `Klarna-Correlation-Id`: they differ, which is all they have to do."""
    return "%s%012x" % (_prefix, next(_numbers))  # noqa: UP031 (twice as fast as an f-string)


def exchange(services: Services, name: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of one of Klarna's operations."""

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(request)
        correlation = correlation_id()
        reply = await _reply(services, name, answer, call, correlation)
        reply.headers["Klarna-Correlation-Id"] = correlation
        if call.allowance is not None:
            reply.headers.update(call.allowance.headers)
        seq = await record(services, name, call, reply, correlation, started)
        if reply.status >= 400:
            reply.headers[EXPLANATION] = f"{request.scheme}://{request.host}/_mock/journal/{seq}"
        return response(call, reply)

    return handle


async def _reply(services: Services, name: str, answer: Answer, call: Call, correlation: str) -> Reply:
    headers = call.request.headers
    try:
        call.merchant = services.credentials.merchant(headers.get(hdrs.AUTHORIZATION), headers.get(hdrs.HOST, ""))
        require_known(call.request)
        if services.limits is not None:
            call.allowance = services.limits.take(call.merchant, name)
            rate_limits.refuse(call.allowance)
        call.fault = await services.emulator.faults.take(call.merchant, "request", name)
        if call.fault is None:
            return await answer(services, call)
        return await answered(services, call, answer)
    except KlarnaError as refusal:
        call.problems, call.explanation = refusal.problems, refusal.error_message
        if isinstance(refusal, InjectedFault) and refusal.status == TooManyRequests.status:
            call.allowance = rate_limits.used_up(name, services.settings.rate_limit)
        log_refusal(name, call, refusal, correlation)
        return as_reply(refusal, correlation, services.settings, call.request.path)
    except Exception as bug:
        return own_fault(bug, name, correlation, call.request.path)


async def record(services: Services, name: str, call: Call, reply: Reply, correlation: str, started: float) -> int:
    """Keep an exchange in the journal and return its position; `started` is a reading of `perf_counter`."""
    request = call.request
    merchant = call.merchant or await _known(services, request)
    data = Exchange(
        method=request.method,
        path=request.raw_path,
        status=reply.status,
        correlation_id=correlation,
        duration=perf_counter() - started,
        request_headers=_shown_headers(request),
        request_body=call.raw,
        response_body=reply.body,
        problems=call.problems,
        explanation=call.explanation,
    )
    at = await services.emulator.context.now(merchant)
    purchase_id = call.purchase_id or await _purchase_of_token(services, call)
    return await services.emulator.store.record(merchant, EXCHANGE, name, data, at, purchase_id)


async def _known(services: Services, request: web.Request) -> str:
    """Return the merchant that a refused caller claims to be, if there is such a one: a stranger gets no journal of its own."""
    claimed = services.credentials.claimed(request.headers.get(hdrs.AUTHORIZATION), request.headers.get(hdrs.HOST, ""))
    return claimed if claimed in await services.emulator.merchants.names() else NOBODY


async def _purchase_of_token(services: Services, call: Call) -> str | None:
    """Return the purchase of the token in the path: a refusal belongs to its history too, if the merchant is the same."""
    token = call.request.match_info.get("authorization_token")
    purchase = await services.emulator.store.get(Purchase, token) if token else None
    return purchase.purchase_id if purchase and purchase.merchant == call.merchant else None


def _shown_headers(request: web.Request) -> tuple[tuple[str, str], ...]:
    headers = request.headers
    return tuple([(name, readable(sent)) for name in _SHOWN if (sent := headers.get(name)) is not None])


def checked(
    name: str,
    body: str,
    handler: Answer,
    most_body: int | None = None,
    guard: Guard | None = None,
) -> Answer:
    """Return a handler that first reads the body and holds it against its schema.

    `body` is "required", "optional" or "raw": the handler parses it.

    A `guard` has its say once the body can be read at all: it refuses what no body could put right, and may return what
    tells more about a body that is refused, so that its sender learns of everything at once.
    """

    async def answer(services: Services, call: Call) -> Reply:
        settings = services.settings
        call.raw = call.raw or await bodies.read_body(
            call.request, most_body or settings.max_body, settings.body_timeout
        )
        if body == "raw":
            bodies.require_json(call.request)
            return await handler(services, call)
        sent = _read(call, optional=body == "optional")
        differences = await guard(services, call) if guard is not None else None
        call.body = _checked(services, name, call, sent, differences)
        return await handler(services, call)

    return answer if body else handler


def _read(call: Call, *, optional: bool) -> object:
    """Return what the body means; an optional one that is empty or null means no members."""
    if optional and not call.raw.strip():
        return {}
    if call.raw:
        bodies.require_json(call.request)
    sent = bodies.parse(call.raw)
    return {} if optional and sent is None else sent


def _checked(services: Services, name: str, call: Call, sent: object, differences: Differences | None) -> object:
    body, problems = services.validator.check(name, sent, nulls=b"null" in call.raw)
    if problems:
        known = {problem.path for problem in problems}
        more = differences(body) if differences else ()
        raise BadValue([*problems, *(problem for problem in more if problem.path not in known)])
    if body is not sent:
        call.raw = bodies.dumped(body)
    return body


def mock(services: Services, name: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of one of the sandbox's own operations."""

    async def handle(request: web.Request) -> web.StreamResponse:
        call = Call(request, merchant=merchant_of(request) or "")
        reply = await guarded(services, name, answer, call)
        return response(call, reply) if reply.stream is None else await _streamed(request, reply, reply.stream)

    return handle


async def _streamed(request: web.Request, reply: Reply, stream: AsyncIterator[bytes]) -> web.StreamResponse:
    """Send what comes for as long as the client stays; who only asks after it gets the headers."""
    sent = web.StreamResponse(status=reply.status, headers=reply.headers)
    await sent.prepare(request)
    if request.method != "HEAD":
        async for part in stream:
            await sent.write(part)
    return sent


async def guarded(services: Services, name: str, answer: Answer, call: Call) -> Reply:
    """Return an operation's answer; every refusal is JSON that says what is wrong, where, and what would be right."""
    try:
        require_known(call.request)
        return await answer(services, call)
    except MockKlarnaError as fault:
        call.problems = fault.problems
        return misuse(fault)
    except KlarnaError as refusal:
        call.problems = refusal.problems
        reply = misuse(_as_misuse(refusal))
        reply.headers.update(demanded_headers(refusal))
        return reply
    except Exception as bug:
        return own_fault(bug, name, correlation_id(), call.request.path)


def _as_misuse(refusal: KlarnaError) -> MockKlarnaError:
    """Say a refusal of the body in the words of our own interface."""
    if refusal.problems:
        fault: MockKlarnaError = InvalidInput(refusal.problems, where="body")
    else:
        fault = MockKlarnaError(refusal.error_message, where="request")
    fault.status = refusal.status
    return fault


def merchant_of(request: web.Request) -> str | None:
    """Return the merchant that a request is about, or None for all."""
    named = request.query.get("merchant")
    return named or request.app[CREDENTIALS].claimed(
        request.headers.get("Authorization"), request.headers.get("Host", "")
    )


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


def browser(services: Services, name: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of an operation that browsers call."""

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(request)
        reply = await guarded(services, name, answer, call)
        if call.problems:
            _complain(name, call)
            await record(services, name, call, reply, correlation_id(), started)
        reply.headers.update(CORS, **{"Cache-Control": "no-store"})
        return response(call, reply)

    return handle


def _complain(name: str, call: Call) -> None:
    details = "".join(f"\n  {problem.as_text()}" for problem in call.problems[:_MOST_LOGGED])
    _log.warning("%s of %s: refused%s", name, call.merchant or "an unknown merchant", details)


async def preflight(_request: web.Request) -> web.StreamResponse:
    """Answer what a browser asks before it sends JSON to another origin."""
    return web.Response(status=204, headers=_PREFLIGHT)


KEY = "Klarna-Idempotency-Key"


def once(answer: Answer) -> Answer:
    """Return a handler that executes each key once in 24 hours; only the key is compared, never the body."""

    async def idempotent(services: Services, call: Call) -> Reply:
        key = call.request.headers.get(KEY)
        if not key:
            return await answer(services, call)
        operation = f"{call.request.method} {call.request.path.rstrip('/')}"
        async with services.emulator.idempotency.turn(call.merchant, operation, key) as name:
            return await _replayed(services, call, name) or await _remembered(services, call, name, answer)

    return idempotent


async def _replayed(services: Services, call: Call, name: str) -> Reply | None:
    first = await services.emulator.idempotency.recall(call.merchant, name)
    if first is None:
        return None
    call.raw = call.raw or await request.read_body(
        call.request, services.settings.max_body, services.settings.body_timeout
    )
    return Reply(first.status, first.body, dict(first.answer_headers))


async def _remembered(services: Services, call: Call, name: str, answer: Answer) -> Reply:
    reply = await answer(services, call)
    if 200 <= reply.status < 300:
        headers = tuple(reply.headers.items())
        await services.emulator.idempotency.remember(call.merchant, name, reply.status, reply.body, headers)
    return reply
