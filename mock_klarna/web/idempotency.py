"""Requests with a `Klarna-Idempotency-Key`: the first success is answered again, and nothing is executed twice (protocol 9.4)."""

from mock_klarna.web import bodies
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.exchange import Answer

KEY = "Klarna-Idempotency-Key"


def once(answer: Answer) -> Answer:
    """Return a handler that executes each key once in 24 hours; only the key is compared, never the body."""

    async def idempotent(desk: Desk, call: Call) -> Reply:
        key = call.request.headers.get(KEY)
        if not key:
            return await answer(desk, call)
        operation = f"{call.request.method} {call.request.path.rstrip('/')}"
        async with desk.emulator.idempotency.turn(call.merchant, operation, key) as name:
            return await _replayed(desk, call, name) or await _remembered(desk, call, name, answer)

    return idempotent


async def _replayed(desk: Desk, call: Call, name: str) -> Reply | None:
    first = await desk.emulator.idempotency.recall(call.merchant, name)
    if first is None:
        return None
    call.raw = call.raw or await bodies.read_body(call.request, desk.settings.max_body, desk.settings.body_timeout)
    return Reply(first.status, first.body, dict(first.answer_headers))


async def _remembered(desk: Desk, call: Call, name: str, answer: Answer) -> Reply:
    reply = await answer(desk, call)
    if 200 <= reply.status < 300:
        headers = tuple(reply.headers.items())
        await desk.emulator.idempotency.remember(call.merchant, name, reply.status, reply.body, headers)
    return reply
