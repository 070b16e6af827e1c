"""Answers as faults would have them: slow, failed, lost, garbled, executed twice."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from mock_klarna.domain.errors import OrderedFault
from mock_klarna.web.call import JSON, Call, Reply
from mock_klarna.web.desk import Desk

GARBAGE = b'{"order_id": "\xff\xfe garbage'
"""A garbled answer: neither UTF-8 nor JSON."""


async def answered(desk: Desk, call: Call, answer: Callable[[Desk, Call], Awaitable[Reply]]) -> Reply:
    """Answer the way the call's fault asks for; `drop` and `garbage` spoil only what is sent back, after it was done.

    With a `status` nothing is done at all, so `drop` beside it loses the request and not the answer.
    """
    fault = call.fault or {}
    await asyncio.sleep(fault.get("delay", 0))
    if fault.get("status"):
        raise OrderedFault(fault["status"])
    reply = await answer(desk, call)
    return await answer(desk, call) if fault.get("twice") else reply


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
