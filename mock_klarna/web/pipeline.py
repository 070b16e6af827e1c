"""The request pipeline: the stages that every request passes, from top to bottom in this file.

1. for the control API: the host name and the page that calls; then which merchant calls, or which one the request is about
2. the `Expect` header; for Klarna's APIs also the rate limit and the faults that were requested with `/_mock/faults`
3. query parameters
4. idempotency: a key executes an operation once
5. body: read, parse, validate
6. the handler
7. errors as responses, headers, journal, sending

Which stages an endpoint has follows from its row in the table and from the rules of its API; the others are left out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from gzip import compress
from itertools import count
from secrets import randbits
from time import perf_counter
from typing import Any
from uuid import uuid4

from aiohttp import HttpVersion11, hdrs, web

from mock_klarna.domain.journal import EXCHANGE, NO_MERCHANT, Exchange
from mock_klarna.domain.records import Purchase
from mock_klarna.domain.urls import username_of
from mock_klarna.emulator.faults import injected
from mock_klarna.errors import BadValue, ExpectationFailed, InjectedFault, StoreFailure, TooManyRequests
from mock_klarna.store.base import Store
from mock_klarna.validation import LARGE_BODY, write_json
from mock_klarna.web import auth, rate_limits
from mock_klarna.web.access import PROTECTION, access_check, control_url
from mock_klarna.web.errors import error_response
from mock_klarna.web.operation import Api, ApiRules, Authentication, JournalPolicy, Operation
from mock_klarna.web.query import in_query, read_query
from mock_klarna.web.request import (
    JSON,
    ApiRequest,
    ApiResponse,
    Services,
    accepts_gzip,
    body_parts,
    parse,
    read_body,
    require_json,
)
from mock_klarna.web.streams import slices

_log = logging.getLogger(__name__)
HttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Stage = Callable[[ApiRequest], Awaitable[ApiResponse]]
EXPLANATION = "Mock-Klarna-Explanation"
"""Header of an error response: the URL of the journal entry that lists all problems."""
CORS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Headers that let a page of any origin read a response. Browsers send no credentials to these."""
_LARGE_ANSWER = 256 << 10
"""Bytes from which on an answer is sent in parts."""
_CORS_API = {**CORS, "Cache-Control": "no-store"}
_PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "7200",
}


def operation_handler(services: Services, operation: Operation) -> HttpHandler:
    """Return aiohttp's handler of an operation."""
    respond = _operation_stages(services, operation)
    return http_handler(services, operation.api, operation.name, respond, operation.counters)


def http_handler(services: Services, api: Api, name: str, respond: Stage, counters: Sequence[str] = ()) -> HttpHandler:
    """Return aiohttp's handler that lets `respond` answer between the stages of an API; `name` is for the journal and the log."""
    rules, settings = api.rules, services.settings
    identify = _IDENTIFY[rules.authentication](services)
    require_first_host = _require_first_host(services, rules)
    respond = _first_stages(services, rules, name, respond, counters)
    check_access = access_check(services.settings) if rules.is_protected else None
    added_headers = (_CORS_API if rules.is_cross_origin else {}) | (PROTECTION if rules.is_protected else {})
    record = _RECORDERS[rules.journal]
    forget_preloaded, real_time = services.emulator.store.forget_preloaded, services.emulator.context.real_time

    async def handle(http: web.Request) -> web.StreamResponse:
        started = perf_counter()
        request = ApiRequest(http, correlation_id(), arrived=real_time())
        forget_preloaded()
        try:
            if check_access is not None:
                check_access(http)
            identify(request)
            if require_first_host is not None:
                await require_first_host(request)
            if hdrs.EXPECT in http.headers:
                _require_known_expectation(http)
            response = await respond(request)
        except Exception as error:
            response = error_response(error, rules.error_format, request, name, settings)
        await record(services, name, request, response, started)
        if added_headers:
            response.headers.update(added_headers)
        return await _sent(services, request, response)

    return handle


def _first_stages(services: Services, rules: ApiRules, name: str, respond: Stage, counters: Sequence[str]) -> Stage:
    """Return `respond` behind the rate limit, the preloading of records, and the requested faults."""
    if rules.emulates_klarna:
        respond = _with_requested_faults(services, name, respond)
    if rules.emulates_klarna or counters:
        respond = _with_preloaded_records(services.emulator.store, counters, respond)
    if rules.is_rate_limited and services.limits is not None:
        respond = _rate_limited(services.limits, name, respond)
    return respond


def _with_preloaded_records(store: Store, counters: Sequence[str], respond: Stage) -> Stage:
    """Load with one call what most requests need: the merchant's clock and faults, what the path names, and the counters."""

    async def preload(request: ApiRequest) -> ApiResponse:
        if request.merchant:
            await store.preload(request.merchant, *request.http.match_info.values(), draws=counters)
        return await respond(request)

    return preload


# 1. Which merchant


def _authenticate(services: Services) -> Callable[[ApiRequest], None]:
    credentials = services.credentials

    def identify(request: ApiRequest) -> None:
        headers = request.http.headers
        request.merchant = credentials.merchant(headers.get(hdrs.AUTHORIZATION, ""), headers.get(hdrs.HOST, ""))

    return identify


def _require_first_host(services: Services, rules: ApiRules) -> Callable[[ApiRequest], Awaitable[None]] | None:
    """Return the check that credentials are used at the host where they were used first, if that matters."""
    if rules.authentication != Authentication.REQUIRED or not services.credentials.belong_to_first_host:
        return None
    merchants = services.emulator.merchants

    async def require(request: ApiRequest) -> None:
        merchant, request.merchant = request.merchant, ""
        auth.require_first_host(merchant, await merchants.first_host(merchant))
        request.merchant = merchant

    return require


def _select_merchant(services: Services) -> Callable[[ApiRequest], None]:
    def identify(request: ApiRequest) -> None:
        request.merchant = request.http.query.get("merchant") or _claimed_merchant(services, request.http) or ""

    return identify


def _claimed_merchant(services: Services, http: web.Request) -> str | None:
    """Return the merchant that the credentials name, accepted or not."""
    return services.credentials.claimed(http.headers.get(hdrs.AUTHORIZATION, ""), http.headers.get(hdrs.HOST, ""))


_IDENTIFY: dict[Authentication, Callable[[Services], Callable[[ApiRequest], None]]] = {
    Authentication.REQUIRED: _authenticate,
    Authentication.OPTIONAL: _select_merchant,
    Authentication.NONE: lambda _services: lambda _request: None,
}


# 2. Expectations, rate limits, requested faults

_CONTINUE = "100-continue"


async def send_continue(http: web.Request) -> None:
    """Send 100 Continue to a client that waits for it."""
    if http.version >= HttpVersion11 and http.headers.get(hdrs.EXPECT, "").strip().lower() == _CONTINUE:
        await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        http.writer.output_size = 0


def _require_known_expectation(http: web.Request) -> None:
    """Raise `ExpectationFailed` for any expectation but 100-continue; HTTP/1.0 has none."""
    expected = http.headers[hdrs.EXPECT]
    if http.version >= HttpVersion11 and expected.strip().lower() != _CONTINUE:
        raise ExpectationFailed(f"Expect is {expected[:100]!r}; only {_CONTINUE} is known")


def _rate_limited(limits: rate_limits.RateLimits, name: str, respond: Stage) -> Stage:
    async def count_request(request: ApiRequest) -> ApiResponse:
        request.allowance = await limits.take(request.merchant, name)
        rate_limits.refuse(request.allowance)
        return await respond(request)

    return count_request


def _with_requested_faults(services: Services, name: str, respond: Stage) -> Stage:
    """Apply the fault that was requested for a request: a delay, an error status, executing twice.

    `drop` closes the connection and `garbage` replaces the response, both after the operation was executed; a `status` prevents
    the execution.
    """
    take_fault = services.emulator.faults.take

    async def apply_fault(request: ApiRequest) -> ApiResponse:
        request.fault = await take_fault(request.merchant, "request", name)
        if request.fault is None:
            return await respond(request)
        await asyncio.sleep(request.fault.get("delay", 0))
        if status := request.fault.get("status"):
            if status == TooManyRequests.status:
                request.allowance = rate_limits.used_up(name, services.settings.rate_limit)
            raise InjectedFault(status)
        response = await respond(request)
        return await respond(request) if request.fault.get("twice") else response

    return apply_fault


# 3 to 6. The stages of one operation, ending in its handler


def _operation_stages(services: Services, operation: Operation) -> Stage:
    respond = _with_body(services, operation) if operation.body else _without_body(services, operation)
    if operation.is_idempotent:
        respond = _idempotent(services, respond)
    return _with_query(operation, respond) if in_query(operation.all_parameters) else respond


def _with_query(operation: Operation, respond: Stage) -> Stage:
    parameters = in_query(operation.all_parameters)

    async def with_query(request: ApiRequest) -> ApiResponse:
        request.query = read_query(request.http.query, parameters)
        return await respond(request)

    return with_query


IDEMPOTENCY_KEY = "Klarna-Idempotency-Key"


def _idempotent(services: Services, respond: Stage) -> Stage:
    """Execute each key once in 24 hours (klarna.md §9.4); only the key is compared, not the body.

    The handler's command commits the answer (`ApiRequest.answer_decision`). Errors are not stored.
    """
    idempotency, settings = services.emulator.idempotency, services.settings

    async def once(request: ApiRequest) -> ApiResponse:
        key = request.http.headers.get(IDEMPOTENCY_KEY)
        if not key:
            return await respond(request)
        path = request.http.path.rstrip("/").lower()  # the id of an order may be in any letter case
        target = f"{request.http.method} {path}"
        async with idempotency.turn(request.merchant, target, key) as name:
            first = await idempotency.recall(request.merchant, name)
            if first is not None:
                request.raw_body = request.raw_body or await read_body(
                    request.http, settings.max_body, settings.body_timeout
                )
                return ApiResponse(first.status, first.body, dict(first.answer_headers))
            request.answer_name = name
            response = await respond(request)
            await idempotency.delete_oldest(request.merchant)
            return response

    return once


def _without_body(services: Services, operation: Operation) -> Stage:
    handler = operation.handler

    async def without_body(request: ApiRequest) -> ApiResponse:
        return await handler(services, request)

    return without_body


def _with_body(services: Services, operation: Operation) -> Stage:
    """Read, parse and validate the body, then call the handler; `body` and `raw_body` are the normalized body."""
    settings, handler = services.settings, operation.handler
    check, check_large = services.validator.check, services.validator.check_large
    max_body, schema = operation.max_body or settings.max_body, operation.body_schema
    is_stream, is_optional = operation.body == "stream", operation.body == "optional"
    drops_nulls = not operation.keeps_nulls

    async def with_body(request: ApiRequest) -> ApiResponse:
        if is_stream:
            require_json(request.http)
            request.stream = body_parts(request.http, max_body, settings.body_timeout)
            return await handler(services, request)
        raw = request.raw_body or await read_body(request.http, max_body, settings.body_timeout)
        request.raw_body = raw
        if is_optional and not raw.strip():
            sent: object = {}
        else:
            if raw:
                require_json(request.http)
            sent = parse(raw)
            sent = {} if sent is None and is_optional else sent
        nulls = drops_nulls and b"null" in raw
        if len(raw) < LARGE_BODY:
            request.body, problems = check(schema, sent, nulls=nulls)
        else:
            request.body, problems = await check_large(schema, sent, nulls=nulls)
        if problems:
            raise await _invalid_body(services, operation, request, problems)
        if request.body is not sent:
            request.raw_body = write_json(request.body)
        return await handler(services, request)

    return with_body


async def _invalid_body(services: Services, operation: Operation, request: ApiRequest, problems: list[Any]) -> BadValue:
    """Return the error with all problems, unless the precondition of the operation raises a more important one."""
    find_more = await operation.precondition(services, request) if operation.precondition else None
    known = {problem.path for problem in problems}
    more = find_more(request.body) if find_more else ()
    return BadValue([*problems, *(problem for problem in more if problem.path not in known)])


# 7. Headers and the journal

_correlation_prefix = str(uuid4())[:24]
_correlation_numbers = count(randbits(40))


def correlation_id() -> str:
    """Return a fresh id in the form of a UUID for `Klarna-Correlation-Id`."""
    return "%s%012x" % (_correlation_prefix, next(_correlation_numbers))  # noqa: UP031 (twice as fast as an f-string)


async def _record_and_explain(
    services: Services, name: str, request: ApiRequest, response: ApiResponse, started: float
) -> None:
    """Record a request of Klarna's APIs, and add the headers of their responses."""
    headers = response.headers
    headers["Klarna-Correlation-Id"] = request.correlation_id
    if request.allowance is not None:
        headers.update(request.allowance.headers)
    seq = await _record(services, name, request, response, started)
    if response.status >= 400 and seq is not None:
        headers[EXPLANATION] = f"{control_url(request.http, services.settings)}/_mock/journal/{seq}"


async def _record_problems(
    services: Services, name: str, request: ApiRequest, response: ApiResponse, started: float
) -> None:
    if request.problems or request.explanation or request.is_of_page:
        await _record(services, name, request, response, started)
    else:
        await _show_refusal(services, name, request, response, started)


async def _show_refusal(
    services: Services, name: str, request: ApiRequest, response: ApiResponse, started: float
) -> None:
    """Let the observer of the journal notice a refusal that is not recorded."""
    observer = services.emulator.context.journal_observer
    if observer is not None and response.status >= 400:
        data = _exchange(request, response, started)
        observer.recorded(request.merchant, EXCHANGE, name, data, request.arrived, request.purchase_id)


_RECORDERS: dict[JournalPolicy, Callable[..., Awaitable[None]]] = {
    JournalPolicy.ALL: _record_and_explain,
    JournalPolicy.PROBLEMS: _record_problems,
    JournalPolicy.NONE: _show_refusal,
}
_RECORDED_HEADERS = (hdrs.HOST, hdrs.USER_AGENT, hdrs.CONTENT_TYPE, IDEMPOTENCY_KEY, hdrs.ORIGIN, "Sec-Fetch-Site")


async def _record(
    services: Services, name: str, request: ApiRequest, response: ApiResponse, started: float
) -> int | None:
    """Add the request to the journal and return its position, or None while the store fails: the response is sent all the same.

    `started` is a reading of `perf_counter`.
    """
    try:
        return await _append(services, name, request, response, started)
    except StoreFailure as failure:
        _log.warning("%s [%s] is not in the journal: %s", name, request.correlation_id, failure)
        return None


async def _append(services: Services, name: str, request: ApiRequest, response: ApiResponse, started: float) -> int:
    context = services.emulator.context
    merchant = request.merchant or await _merchant_of_refused(services, request.http)
    data = _exchange(request, response, started)
    purchase_id = request.purchase_id or await _purchase_of_token(services, request)
    at = await context.time_of(merchant, request.arrived)
    return await context.record(merchant, EXCHANGE, name, data, at, purchase_id)


def _exchange(request: ApiRequest, response: ApiResponse, started: float) -> Exchange:
    http = request.http
    headers = http.headers
    return Exchange(
        method=http.method,
        path=http.raw_path,
        status=response.status,
        correlation_id=request.correlation_id,
        duration=perf_counter() - started,
        request_headers=tuple([(header, headers[header]) for header in _RECORDED_HEADERS if header in headers]),
        request_body=request.raw_body,
        response_body=response.body,
        problems=tuple([problem.shown() for problem in request.problems]) if request.problems else (),
        explanation=request.explanation,
        warnings=tuple([warning.shown() for warning in request.warnings]) if request.warnings else (),
        injected=injected(request.fault) if request.fault else None,
    )


async def _merchant_of_refused(services: Services, http: web.Request) -> str:
    """Return the merchant whose journal gets a request that was not authenticated: the one that it names, if there is one.

    Credentials that were used at the host of another region name the merchant of the host where they were used first.
    """
    claimed = _claimed_merchant(services, http) or ""
    names = await services.emulator.merchants.names()
    if claimed in names or not services.credentials.belong_to_first_host:
        return claimed if claimed in names else NO_MERCHANT
    return next((name for name in names if username_of(name) == username_of(claimed)), NO_MERCHANT)


async def _purchase_of_token(services: Services, request: ApiRequest) -> str | None:
    """Return the purchase of the token in the path, if it is the merchant's: an error belongs to its history too."""
    token = request.http.match_info.get("authorization_token")
    purchase = await services.emulator.store.get(Purchase, token) if token else None
    return purchase.purchase_id if purchase and purchase.merchant == request.merchant else None


# Sending

_GARBLED_BODY = b'{"order_id": "\xff\xfe garbage'
"""The body of a response that was requested to be garbage: neither UTF-8 nor JSON."""


def _http_response(request: ApiRequest, response: ApiResponse) -> web.Response:
    """Return aiohttp's response; a requested fault replaces the body by garbage, or closes the connection."""
    body = response.body
    if request.fault is not None:
        if request.fault.get("drop"):
            if request.http.transport is not None:
                request.http.transport.abort()
            return web.Response(status=response.status)
        if request.fault.get("garbage"):
            body = _GARBLED_BODY
    if body:
        response.headers.setdefault("Content-Type", JSON)
    if response.is_compressed and accepts_gzip(request.http):
        response.headers["Content-Encoding"], body = "gzip", compress(body, mtime=0)
    return web.Response(status=response.status, body=body or None, headers=response.headers)


async def _sent(services: Services, request: ApiRequest, response: ApiResponse) -> web.StreamResponse:
    """Return aiohttp's response; a long body is sent in parts as long as the client reads."""
    if response.stream is None and (len(response.body) < _LARGE_ANSWER or request.fault is not None):
        return _http_response(request, response)
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    if response.stream is not None:
        return await services.streams.send(request.http, sent, response.stream, response.last)
    sent.content_length = len(response.body)
    sent.headers.setdefault("Content-Type", JSON)
    return await services.streams.send(request.http, sent, slices(response.body), None)


async def preflight(_http: web.Request) -> web.StreamResponse:
    """Answer the preflight request that a browser sends before it sends JSON to another origin."""
    return web.Response(status=204, headers=_PREFLIGHT)
