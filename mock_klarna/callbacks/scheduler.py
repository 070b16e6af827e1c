"""Doing what is due: as real time passes, and all at once when a clock is moved."""

import asyncio
import logging
from collections import defaultdict

from mock_klarna.callbacks.delivery import Deliveries
from mock_klarna.callbacks.payloads import ORDER_CALLBACKS
from mock_klarna.domain.records import Job
from mock_klarna.domain.time import require_reachable
from mock_klarna.emulator import Emulator
from mock_klarna.errors import MockKlarnaError, StoreFailure

_log = logging.getLogger(__name__)
_FINISHING_SECONDS = 0.2
_AGAIN_SECONDS = 1.0
_CALLING = ("place_order", *ORDER_CALLBACKS)


class Runner:
    """Owns all background work. Jobs of one merchant begin in order; none waits for another's, or for another merchant's."""

    def __init__(self, emulator: Emulator, deliveries: Deliveries) -> None:
        self._emulator = emulator
        self._store = emulator.store
        self._deliveries = deliveries
        self._woken: set[str] = set()
        self._looked_at: set[str] = set()
        self._bell = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._moving: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running: dict[asyncio.Task[None], Job] = {}
        emulator.context.expect = self.expect

    def wake(self, merchant: str) -> None:
        """Have a merchant's jobs looked at soon."""
        self._woken.add(merchant)
        self._bell.set()

    def expect(self, merchant: str, seconds: float) -> None:
        """Have a merchant's jobs looked at when the first is due, `seconds` from now; a timer that rings sooner will do."""
        timer = self._timers.get(merchant)
        if timer is None or timer.when() > asyncio.get_running_loop().time() + seconds:
            self.wake(merchant)

    async def run(self) -> None:
        """Do jobs as they become due, until cancelled; then let what runs finish for a moment."""
        for merchant in await self._store.merchants():
            self.wake(merchant)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_others())
                while True:
                    await self._bell.wait()
                    self._bell.clear()
                    for merchant in self._woken - self._looked_at:
                        self._looked_at.add(merchant)
                        group.create_task(self._look(merchant, group))
        finally:
            for timer in self._timers.values():
                timer.cancel()

    async def _look(self, merchant: str, group: asyncio.TaskGroup) -> None:
        """Look at one merchant's jobs until nobody has woken it meanwhile; others do not wait for it."""
        try:
            while merchant in self._woken:
                self._woken.discard(merchant)
                await self._try_due(merchant, group)
        finally:
            self._looked_at.discard(merchant)

    async def _follow_others(self) -> None:
        """Look at jobs that another server left."""
        async for merchant in self._store.overdue():
            self.wake(merchant)

    async def drain(self) -> None:
        """Give what runs a moment to finish before the group is cancelled."""
        if self._running:
            await asyncio.wait(self._running, timeout=_FINISHING_SECONDS)

    async def _try_due(self, merchant: str, group: asyncio.TaskGroup) -> None:
        """Begin what is due; where the store fails, a little later."""
        if self._moving[merchant].locked():
            return  # whoever moves the clock does what is due, and wakes us after it
        try:
            async with self._moving[merchant]:
                await self._start_due(merchant, group)
        except StoreFailure as away:
            _log.warning("the jobs of %s cannot be looked at: %s; again in %g s", merchant, away, _AGAIN_SECONDS)
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.wake, merchant)
        except Exception:
            _log.exception("the jobs of %s cannot be looked at; again in %g s", merchant, _AGAIN_SECONDS)
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.wake, merchant)

    async def _start_due(self, merchant: str, group: asyncio.TaskGroup) -> None:
        jobs, pause = await self._store.claim_due(merchant, self._emulator.context.real_time())
        for job in jobs:
            task = group.create_task(self._do(job))
            self._running[task] = job
            task.add_done_callback(self._running.pop)
        self._set_timer(merchant, pause)

    def _set_timer(self, merchant: str, pause: float | None) -> None:
        timer = self._timers.pop(merchant, None)
        if timer is not None:
            timer.cancel()
        if pause is not None:
            self._timers[merchant] = asyncio.get_running_loop().call_later(max(0.0, pause), self._ring, merchant)

    def _ring(self, merchant: str) -> None:
        del self._timers[merchant]
        self.wake(merchant)

    async def _do(self, job: Job) -> None:
        """Do one job; a fault of ours is logged and ends that job alone."""
        try:
            draws = ("callback",) if job.kind in _CALLING else ()
            await self._store.preload(job.merchant, job.subject, draws=draws)
            await self._command(job)
        except (MockKlarnaError, LookupError) as gone:
            _log.debug("job %s: %s", job.job_id, gone)
        except StoreFailure as away:
            _log.warning("job %s: %s; it is done again in %g s", job.job_id, away, _AGAIN_SECONDS)
            await self._store.release(job)
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.wake, job.merchant)
            return
        except Exception:
            _log.exception("job %s failed", job.job_id)
        try:
            await self._store.finish(job)
        except Exception:
            _log.exception(
                "job %s is done, and may be done again after a restart: the store cannot be told", job.job_id
            )

    async def _command(self, job: Job) -> None:
        match job.kind:
            case "time_out":
                await self._emulator.authorizations.time_out(job.subject)
            case "expire":
                await self._emulator.authorizations.expire(job.subject)
            case "end_review":
                await self._emulator.orders.end_planned_review(job.subject)
            case "cancel_rejected":
                await self._emulator.orders.cancel_rejected(job.subject)
            case "forget_answer":
                await self._emulator.idempotency.forget(job.subject)
            case _:
                await self._deliveries.send(job)

    async def move_clock(self, merchant: str, seconds: float, *, further: bool = False) -> None:
        """Set a merchant's clock so many seconds ahead of real time, or `further` ahead than it is when its turn has come.

        All that is due on the way happens, in order, before this returns, and so does what that leads to at once: real time
        goes on meanwhile, so the end of the way is looked at anew for each job. Raises `InvalidInput` where that is too far.
        """
        async with self._moving[merchant], self._store.exclusive(f"clock:{merchant}"):
            await self._finish_calls(merchant)
            offset = await self.require_reachable(merchant, seconds) if further else seconds
            while job := await self._store.claim(merchant, self._emulator.context.real_time() + offset):
                await self._move_to(merchant, job.due)
                await self._do(job)
            await self._emulator.merchants.move_clock(merchant, offset)
        self.wake(merchant)

    async def require_reachable(self, merchant: str, seconds: float) -> float:
        """Return how far ahead of real time a merchant's clock is so much later; raises `InvalidInput` where that is too far."""
        offset = await self._emulator.merchants.offset(merchant) + seconds
        require_reachable(self._emulator.context.real_time() + offset, "advance", seconds)
        return offset

    async def _finish_calls(self, merchant: str) -> None:
        """Let pushes and notifications end that are under way: their next tries may be due on the way."""
        calls = [
            task for task, job in self._running.items() if job.merchant == merchant and job.kind in ORDER_CALLBACKS
        ]
        if calls:
            await asyncio.wait(calls)

    async def _move_to(self, merchant: str, due: float) -> None:
        now = await self._emulator.context.now(merchant)
        if due > now:
            offset = due - self._emulator.context.real_time()
            await self._emulator.merchants.move_clock(merchant, offset, announce=False)
