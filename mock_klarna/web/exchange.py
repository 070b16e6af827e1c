"""One exchange with a merchant: who is it, what do they say, what do we answer; and all of it into the journal."""

from collections.abc import Awaitable, Callable
from itertools import count
from secrets import randbits
from time import perf_counter
from uuid import uuid4

from aiohttp import hdrs, web

from mock_klarna.contract.portions import LARGE
from mock_klarna.domain.errors import BadValue, KlarnaError, OrderedFault, TooManyRequests
from mock_klarna.domain.journal import EXCHANGE, NOBODY, Exchange, readable
from mock_klarna.domain.records import Purchase
from mock_klarna.web import bodies, expectations, limits, spoiling
from mock_klarna.web.bodies import Outline
from mock_klarna.web.call import Call, Differences, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.refusals import as_reply, log_refusal, own_fault

EXPLANATION = "Mock-Klarna-Explanation"
"""Header of a refusal: where the journal tells all that was wrong and what would be right."""

Answer = Callable[[Desk, Call], Awaitable[Reply]]
Guard = Callable[[Desk, Call], Awaitable[Differences | None]]
_SHOWN = (hdrs.HOST, hdrs.USER_AGENT, hdrs.CONTENT_TYPE)
_prefix = str(uuid4())[:24]
_numbers = count(randbits(40))


def correlation_id() -> str:
    """Return a fresh id in the form of a UUID for `Klarna-Correlation-Id`: they differ, which is all they have to do."""
    return "%s%012x" % (_prefix, next(_numbers))  # noqa: UP031 (twice as fast as an f-string)


def exchange(desk: Desk, name: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of one of Klarna's operations."""

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(request)
        correlation = correlation_id()
        reply = await _reply(desk, name, answer, call, correlation)
        reply.headers["Klarna-Correlation-Id"] = correlation
        if call.allowance is not None:
            reply.headers.update(call.allowance.headers)
        seq = await record(desk, name, call, reply, correlation, started)
        if reply.status >= 400:
            reply.headers[EXPLANATION] = f"{request.scheme}://{request.host}/_mock/journal/{seq}"
        return spoiling.response(call, reply)

    return handle


async def _reply(desk: Desk, name: str, answer: Answer, call: Call, correlation: str) -> Reply:
    headers = call.request.headers
    try:
        call.merchant = desk.credentials.merchant(headers.get(hdrs.AUTHORIZATION), headers.get(hdrs.HOST, ""))
        expectations.require_known(call.request)
        if desk.limits is not None:
            call.allowance = desk.limits.take(call.merchant, name)
            limits.refuse(call.allowance)
        call.fault = await desk.emulator.faults.take(call.merchant, "request", name)
        if call.fault is None:
            return await answer(desk, call)
        return await spoiling.answered(desk, call, answer)
    except KlarnaError as refusal:
        call.problems, call.explanation = refusal.problems, refusal.error_message
        if isinstance(refusal, OrderedFault) and refusal.status == TooManyRequests.status:
            call.allowance = limits.used_up(name, desk.settings.rate_limit)
        log_refusal(name, call, refusal, correlation)
        return as_reply(refusal, correlation, desk.settings, call.request.path)
    except Exception as bug:
        return own_fault(bug, name, correlation, call.request.path)


async def record(desk: Desk, name: str, call: Call, reply: Reply, correlation: str, started: float) -> int:
    """Keep an exchange in the journal and return its position; `started` is a reading of `perf_counter`."""
    request = call.request
    merchant = call.merchant or await _known(desk, request)
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
    at = await desk.emulator.context.now(merchant)
    purchase_id = call.purchase_id or await _purchase_of_token(desk, call)
    return await desk.emulator.store.record(merchant, EXCHANGE, name, data, at, purchase_id)


async def _known(desk: Desk, request: web.Request) -> str:
    """Return the merchant that a refused caller claims to be, if there is such a one: a stranger gets no journal of its own."""
    claimed = desk.credentials.claimed(request.headers.get(hdrs.AUTHORIZATION), request.headers.get(hdrs.HOST, ""))
    return claimed if claimed in await desk.emulator.merchants.names() else NOBODY


async def _purchase_of_token(desk: Desk, call: Call) -> str | None:
    """Return the purchase of the token in the path: a refusal belongs to its history too, if the merchant is the same."""
    token = call.request.match_info.get("authorization_token")
    purchase = await desk.emulator.store.get(Purchase, token) if token else None
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
    outline: Outline | None = None,
) -> Answer:
    """Return a handler that first reads the body and holds it against its schema; `body` is "required" or "optional".

    A `guard` has its say once the body can be read at all: it refuses what no body could put right, and may return what
    tells more about a body that is refused, so that its sender learns of everything at once. A large body that has an
    `outline` is read in a thread, and its outline is held against the schema in its place.
    """

    async def answer(desk: Desk, call: Call) -> Reply:
        settings = desk.settings
        call.raw = call.raw or await bodies.read_body(
            call.request, most_body or settings.max_body, settings.body_timeout
        )
        if outline is not None and len(call.raw) > LARGE:
            call.body = await _read_large(desk, name, call, outline)
            return await handler(desk, call)
        sent = _read(call, optional=body == "optional")
        differences = await guard(desk, call) if guard is not None else None
        call.body = _checked(desk, name, call, sent, differences)
        return await handler(desk, call)

    return answer if body else handler


async def _read_large(desk: Desk, name: str, call: Call, outline: Outline) -> object:
    bodies.require_json(call.request)
    sent = await bodies.parse_large(call.raw, outline.levels)
    _, problems = desk.contract.check(name, outline.of(sent), nulls=True)
    if problems:
        raise BadValue(problems)
    return sent


def _read(call: Call, *, optional: bool) -> object:
    """Return what the body means; an optional one that is empty or null means no members."""
    if optional and not call.raw.strip():
        return {}
    if call.raw:
        bodies.require_json(call.request)
    sent = bodies.parse(call.raw)
    return {} if optional and sent is None else sent


def _checked(desk: Desk, name: str, call: Call, sent: object, differences: Differences | None) -> object:
    body, problems = desk.contract.check(name, sent, nulls=b"null" in call.raw)
    if problems:
        known = {problem.path for problem in problems}
        more = differences(body) if differences else ()
        raise BadValue([*problems, *(problem for problem in more if problem.path not in known)])
    if body is not sent:
        call.raw = bodies.dumped(body)
    return body
