"""Running jobs when they are due: as real time passes, and all at once when a clock is moved."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never

from mock_klarna.callbacks.delivery import Deliveries
from mock_klarna.domain.callbacks import KINDS_OF_JOB
from mock_klarna.domain.records import Job, RecordJob
from mock_klarna.domain.time import require_reachable
from mock_klarna.emulator import Emulator
from mock_klarna.errors import MockKlarnaError, StoreFailure
from mock_klarna.store.in_process import KeyedLocks

_log = logging.getLogger(__name__)
_DRAIN_SECONDS = 0.2
_RETRY_SECONDS = 1.0
_SHORTEST_TIMER = 0.001
"""Seconds: for less, uvloop makes no timer, but a call in the next turn of the loop, whose time is unknown."""
_REPEATED = frozenset(job for job, kinds in KINDS_OF_JOB.items() if kinds[0].has_several_tries)


class DueMerchants:
    """The merchants whose jobs the scheduler has to look at: now, or when a timer ends."""

    def __init__(self) -> None:
        self._due: set[str] = set()
        self._any_due = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def add(self, merchant: str) -> None:
        """Let the scheduler look at the jobs of a merchant soon."""
        self._due.add(merchant)
        self._any_due.set()

    def jobs_added(self, merchant: str, seconds: float) -> None:
        """Let the scheduler look at a merchant whose new jobs are due in `seconds` or later, unless a timer ends before that."""
        timer = self._timers.get(merchant)
        if timer is None or timer.when() > asyncio.get_running_loop().time() + seconds:
            self.add(merchant)

    def set_timer(self, merchant: str, seconds: float | None) -> None:
        """Add a merchant in `seconds`, and not at any other time that was set before; None sets no timer."""
        timer = self._timers.pop(merchant, None)
        if timer is not None:
            timer.cancel()
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timers[merchant] = loop.call_later(max(_SHORTEST_TIMER, seconds), self._end_timer, merchant)

    def _end_timer(self, merchant: str) -> None:
        del self._timers[merchant]
        self.add(merchant)

    async def wait(self) -> set[str]:
        """Wait until jobs may be due; return the merchants that have them."""
        await self._any_due.wait()
        self._any_due.clear()
        due, self._due = self._due, set()
        return due

    def timed(self) -> list[str]:
        """Return the merchants that have a timer."""
        return list(self._timers)

    def cancel_timers(self) -> None:
        """Cancel all timers."""
        for timer in self._timers.values():
            timer.cancel()


class Scheduler:
    """Runs the jobs that are due. Jobs of one merchant start in their order; none waits for another one to end."""

    def __init__(self, emulator: Emulator, deliveries: Deliveries, due_merchants: DueMerchants) -> None:
        self._emulator = emulator
        self._store = emulator.store
        self._deliveries = deliveries
        self._due_merchants = due_merchants
        self._moving = KeyedLocks()
        self._woken: set[str] = set()
        self._looking: set[str] = set()
        self._running: dict[asyncio.Task[None], Job] = {}
        self._unreleased: set[Job] = set()

    def wake(self, merchant: str) -> None:
        """Look at the jobs of a merchant soon."""
        self._due_merchants.add(merchant)

    def forget(self, merchant: str | None) -> None:
        """Keep no timer for jobs that a reset of a merchant, or of all, has deleted."""
        for name in self._due_merchants.timed() if merchant is None else [merchant]:
            self.wake(name)

    async def run(self) -> None:
        """Run jobs as they become due, until cancelled."""
        for merchant in await self._all_merchants():
            self.wake(merchant)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_other_servers())
                while True:
                    for merchant in await self._due_merchants.wait():
                        self._woken.add(merchant)
                        if merchant not in self._looking:
                            self._looking.add(merchant)
                            group.create_task(self._look(merchant, group))
        finally:
            self._due_merchants.cancel_timers()

    async def _all_merchants(self) -> list[str]:
        """Return the merchants of the store; where it fails, as soon as it does not."""
        while True:
            try:
                return await self._store.merchants()
            except StoreFailure as failure:
                _log.warning("no jobs can be looked at: %s; again in %g s", failure, _RETRY_SECONDS)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _look(self, merchant: str, group: asyncio.TaskGroup) -> None:
        """Look at the jobs of one merchant, again if it was woken meanwhile; other merchants do not wait for it."""
        try:
            while merchant in self._woken:
                self._woken.discard(merchant)
                await self._try_due(merchant, group)
        finally:
            self._looking.discard(merchant)

    async def _follow_other_servers(self) -> None:
        """Look at the jobs that another server left."""
        async for merchant in self._store.overdue():
            self.wake(merchant)

    async def drain(self) -> None:
        """Give running jobs a moment to finish before the group is cancelled."""
        if self._running:
            await asyncio.wait(self._running, timeout=_DRAIN_SECONDS)

    async def _try_due(self, merchant: str, group: asyncio.TaskGroup) -> None:
        """Start the jobs that are due; try again a little later where the store fails."""
        if self._moving.is_used(merchant):
            return  # moving the clock runs the jobs that are due, and wakes for this merchant afterwards
        try:
            async with self._moving.locked(merchant):
                await self._start_due(merchant, group)
        except StoreFailure as failure:
            _log.warning("the jobs of %s cannot be looked at: %s; again in %g s", merchant, failure, _RETRY_SECONDS)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.wake, merchant)
        except Exception:
            _log.exception("the jobs of %s cannot be looked at; again in %g s", merchant, _RETRY_SECONDS)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.wake, merchant)

    async def _start_due(self, merchant: str, group: asyncio.TaskGroup) -> None:
        for job in [job for job in self._unreleased if job.merchant == merchant]:
            await self._store.release(job)
            self._unreleased.discard(job)
        jobs, pause = await self._store.claim_due(merchant, self._emulator.context.real_time())
        for job in jobs:
            task = group.create_task(self._do(job))
            self._running[task] = job
            task.add_done_callback(self._running.pop)
        self._due_merchants.set_timer(merchant, pause)

    async def _do(self, job: Job) -> None:
        """Run one job; an error of ours is logged and ends that job alone."""
        try:
            draws = ("callback",) if job.kind in KINDS_OF_JOB else ()
            await self._store.preload(job.merchant, job.subject, draws=draws)
            await self._command(job)
        except (MockKlarnaError, LookupError) as error:
            _log.debug("job %s: %s", job.job_id, error)
        except StoreFailure as failure:
            _log.warning("job %s: %s; it runs again in %g s", job.job_id, failure, _RETRY_SECONDS)
            await self._release(job)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.wake, job.merchant)
            return
        except Exception:
            _log.exception("job %s failed", job.job_id)
        try:
            await self._store.finish(job)
        except Exception:
            _log.exception("job %s is done, and may run again after a restart: the store failed", job.job_id)

    async def _release(self, job: Job) -> None:
        """Put a job back that could not run; if the store fails here too, this is done before the merchant's next jobs start."""
        try:
            await self._store.release(job)
        except Exception as failure:
            _log.warning("job %s cannot be put back: %s; again in %g s", job.job_id, failure, _RETRY_SECONDS)
            self._unreleased.add(job)

    async def _command(self, job: Job) -> None:
        if job.kind in KINDS_OF_JOB:
            await self._deliveries.send(job)
            return
        match RecordJob(job.kind):
            case RecordJob.TIME_OUT:
                await self._emulator.authorizations.time_out(job.subject)
            case RecordJob.EXPIRE:
                await self._emulator.authorizations.expire(job.subject)
            case RecordJob.END_REVIEW:
                await self._emulator.orders.end_planned_review(job.subject)
            case RecordJob.CANCEL_REJECTED:
                await self._emulator.orders.cancel_rejected(job.subject)
            case RecordJob.FORGET_ANSWER:
                await self._emulator.idempotency.forget(job.subject)
            case unknown:
                assert_never(unknown)

    async def set_clock(self, merchant: str, seconds: float) -> None:
        """Set a merchant's clock so many seconds ahead of real time.

        All jobs that are due before the new time run, in order, before this returns, and so do those that they cause. Real time
        goes on meanwhile, so the new time is computed again for each job.
        """
        async with self._clock_locked(merchant):
            await self._run_until(merchant, seconds)

    async def advance_clock(self, merchant: str, seconds: float) -> None:
        """Set a merchant's clock ahead by so many seconds, as `set_clock` does; raises `InvalidInput` for a time out of range."""
        async with self._clock_locked(merchant):
            await self._run_until(merchant, await self.require_reachable(merchant, seconds))

    @asynccontextmanager
    async def _clock_locked(self, merchant: str) -> AsyncIterator[None]:
        """Let no other call move a merchant's clock, once the callbacks have ended that may be repeated.

        Jobs that became due meanwhile are looked at afterwards, also if the move failed.
        """
        try:
            async with self._moving.locked(merchant), self._store.exclusive(f"clock:{merchant}"):
                await self._finish_calls(merchant)
                yield
        finally:
            self.wake(merchant)

    async def _run_until(self, merchant: str, offset: float) -> None:
        """Run what is due until a merchant's clock is `offset` seconds ahead of real time, and set it."""
        while job := await self._store.claim(merchant, self._emulator.context.real_time() + offset):
            try:
                await self._move_to(merchant, job.due)
            except StoreFailure:
                await self._release(job)
                raise
            await self._do(job)
        await self._emulator.merchants.move_clock(merchant, offset)

    async def require_reachable(self, merchant: str, seconds: float) -> float:
        """Return how many seconds ahead of real time an advanced clock is; raises `InvalidInput` for a time out of range."""
        offset = await self._emulator.merchants.offset(merchant) + seconds
        require_reachable(self._emulator.context.real_time() + offset, "advance", seconds)
        return offset

    async def _finish_calls(self, merchant: str) -> None:
        """Wait for the callbacks that are being sent and may be repeated: their next tries may be due before the new time."""
        calls = [task for task, job in self._running.items() if job.merchant == merchant and job.kind in _REPEATED]
        if calls:
            await asyncio.wait(calls)
        await self._store.wait_for_other_servers(merchant, _REPEATED)

    async def _move_to(self, merchant: str, due: float) -> None:
        now = await self._emulator.context.now(merchant)
        if due > now:
            offset = due - self._emulator.context.real_time()
            await self._emulator.merchants.move_clock(merchant, offset, announce=False)
