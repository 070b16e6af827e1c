"""A merchant's clock in the control API."""

from typing import Any

import orjson

from mock_klarna.domain.clock import moment
from mock_klarna.domain.durations import seconds as seconds_of
from mock_klarna.web import moments
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk


async def get_clock(desk: Desk, call: Call) -> Reply:
    """Return the time on a merchant's clock and how many seconds it is ahead of real time."""
    return _reply(await _clock(desk, call.merchant))


async def _clock(desk: Desk, merchant: str) -> dict[str, Any]:
    offset = await desk.emulator.merchants.offset(merchant)
    now = moment(await desk.emulator.context.now(merchant))
    return {"merchant": merchant or None, "now": now, "ahead_seconds": round(offset, 3)}


async def set_clock(desk: Desk, call: Call) -> Reply:
    """Advance or set the clock; everything due on the way happens, in order, before this answers.

    Set back, it undoes nothing: what has happened keeps its times, and what is not yet due waits until the clock is there again.
    """
    merchants = [call.merchant] if call.merchant else await desk.emulator.merchants.names()
    if "advance" in call.body:
        seconds = seconds_of(call.body["advance"])
        for merchant in merchants:
            await desk.runner.require_reachable(merchant, seconds)
    else:
        seconds = moments.parsed(call.body["set"]) - desk.emulator.context.real_time()
    for merchant in merchants:
        await desk.runner.move_clock(merchant, seconds, further="advance" in call.body)
    return _reply(await _clock(desk, call.merchant))


def _reply(data: Any) -> Reply:
    return Reply(200, orjson.dumps(data))
