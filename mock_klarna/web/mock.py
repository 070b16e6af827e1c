"""Requests under `/_mock`: for the merchant of `?merchant=` or of the Basic credentials, for all where neither is given."""

from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from mock_klarna.domain.errors import InvalidInput, KlarnaError, MockKlarnaError
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.credentials import CREDENTIALS
from mock_klarna.web.desk import Desk
from mock_klarna.web.exchange import Answer, correlation_id
from mock_klarna.web.expectations import require_known
from mock_klarna.web.refusals import demanded_headers, misuse, own_fault
from mock_klarna.web.spoiling import response


def mock(desk: Desk, name: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the aiohttp handler of one of the sandbox's own operations."""

    async def handle(request: web.Request) -> web.StreamResponse:
        call = Call(request, merchant=merchant_of(request) or "")
        reply = await guarded(desk, name, answer, call)
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


async def guarded(desk: Desk, name: str, answer: Answer, call: Call) -> Reply:
    """Return an operation's answer; every refusal is JSON that says what is wrong, where, and what would be right."""
    try:
        require_known(call.request)
        return await answer(desk, call)
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
