"""The clocks of merchants, and the jobs that wait for them."""

from calendar import monthrange
from datetime import UTC, datetime
from typing import Any

from mock_klarna.domain.callbacks import KINDS_OF_JOB
from mock_klarna.domain.records import Job, Merchant, Order, RecordJob
from mock_klarna.domain.time import moment, require_reachable
from mock_klarna.domain.time import seconds as seconds_of
from mock_klarna.errors import InvalidInput, Problem, StateConflict
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response

Json = dict[str, Any]
_JUST_AFTER = 0.001
"""Seconds by which a clock goes beyond the time of the next job, so that rounding leaves it due."""
_OF_ORDER = {job for job, kinds in KINDS_OF_JOB.items() if kinds[0].record is Order}
_OF_ORDER |= {RecordJob.END_REVIEW, RecordJob.CANCEL_REJECTED}
"""The kinds of jobs whose subject is an order."""


async def get_clock(services: Services, request: ApiRequest) -> ApiResponse:
    """Return the time on a merchant's clock and how many seconds it is ahead of real time."""
    return json_response(await _clock(services, request.merchant))


async def set_clock(services: Services, request: ApiRequest) -> ApiResponse:
    """Advance the clock, set it, or move it to the next job; everything due on the way happens, in order, before this answers.

    Setting it back undoes nothing: what happened keeps its times, and what is not yet due waits until the clock is there again.
    """
    merchants = [request.merchant] if request.merchant else await services.emulator.merchants.names()
    scheduler, is_advance = services.scheduler, "set" not in request.body
    if is_advance:
        is_next = "to" in request.body
        seconds = await _until_next(services, request.scope) if is_next else seconds_of(request.body["advance"])
        for merchant in merchants:
            await scheduler.require_reachable(merchant, seconds)
    else:
        seconds = _time(request.body["set"]) - services.emulator.context.real_time()
    for merchant in merchants:
        await (scheduler.advance_clock if is_advance else scheduler.set_clock)(merchant, seconds)
    return json_response(await _clock(services, request.merchant))


async def _until_next(services: Services, merchant: str | None) -> float:
    """Return the seconds until the first job of a merchant, or of any, is due on the clock of its merchant."""
    waiting = await _waiting(services, merchant)
    if not waiting:
        hint = "GET /_mock/jobs lists what waits; advance and set move the clock without a job"
        raise StateConflict("no job waits for this clock", where="to", hint=hint)
    return max(0.0, waiting[0][0]) + _JUST_AFTER


async def _clock(services: Services, merchant: str) -> Json:
    offset = await services.emulator.merchants.offset(merchant)
    now = moment(await services.emulator.context.now(merchant))
    return {"merchant": merchant or None, "now": now, "ahead_seconds": round(offset, 3)}


def _time(text: str) -> float:
    """Return an RFC 3339 time as seconds in UTC; raises `InvalidInput` for one that is invalid or that no clock can show."""
    try:
        time = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        year, month = int(text[:4]), int(text[5:7])
        last = f"a day that exists: {text[:7]} has {monthrange(year, month)[1]} days" if year else "a year from 1970"
        raise InvalidInput([Problem("set", "date", text, last)], where="body") from None
    seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    require_reachable(seconds, "set", text)
    return seconds


async def list_jobs(services: Services, request: ApiRequest) -> ApiResponse:
    """List what waits for a merchant's clock, or for the clocks of all merchants: first what is due first.

    Callbacks that are being sent are not in the list.
    """
    waiting = await _waiting(services, request.scope)
    shown = [await _job(services, job, left) for left, job in waiting[: request.query["limit"]]]
    return json_response({"jobs": shown, "total": len(waiting)})


async def _waiting(services: Services, merchant: str | None) -> list[tuple[float, Job]]:
    """Return the jobs of a merchant, or of all, each with the seconds until it is due, the first one first."""
    store, real_time = services.emulator.store, services.emulator.context.real_time()
    clocks = {clock.merchant: clock.clock_offset for clock in await store.records(Merchant, merchant)}
    left = [(job.due - real_time - clocks.get(job.merchant, 0.0), job) for job in await store.jobs(merchant)]
    return sorted(left, key=lambda entry: entry[0])


async def _job(services: Services, job: Job, seconds_left: float) -> Json:
    order = await services.emulator.store.get(Order, job.subject) if job.kind in _OF_ORDER else None
    purchase_id = None if job.kind in (*_OF_ORDER, RecordJob.FORGET_ANSWER) else job.subject
    return {
        "merchant": job.merchant,
        "kind": job.kind,
        "callback": job.kind in KINDS_OF_JOB,
        "attempt": job.number if job.kind in KINDS_OF_JOB else None,
        "purchase_id": order.purchase_id if order else purchase_id,
        "order_id": job.subject if job.kind in _OF_ORDER else None,
        "due_at": moment(job.due),
        "due_in_seconds": round(seconds_left, 3),
    }
