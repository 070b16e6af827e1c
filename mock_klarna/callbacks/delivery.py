"""Sending callbacks, with injected faults, and recording every attempt."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from msgspec.structs import replace

from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.callbacks.payloads import CallbackRequest, forged_place_order, read_update_answer, request_of
from mock_klarna.domain.callbacks import (
    CALLBACKS,
    KINDS_OF_JOB,
    Attempt,
    Delivery,
    abandoned,
    is_wanted_again,
    job_of,
    pause_after,
    resumed,
    state_after,
    with_attempts,
)
from mock_klarna.domain.journal import CALLBACK, Injected, Sent
from mock_klarna.domain.records import CommandResult, Decision, Job, Order, Purchase
from mock_klarna.emulator.checkout import PURCHASE_HINT
from mock_klarna.emulator.context import Context
from mock_klarna.emulator.faults import Faults, injected
from mock_klarna.store.in_process import KeyedLocks
from mock_klarna.validation import write_json

GARBLED_BODY = b'{"authorization_token": "\xff\xfe garbage'
"""The body of a garbled callback: neither UTF-8 nor JSON."""
LONGEST_WAIT = 5.0
"""Seconds that a callback which is to arrive out of order waits for the next one."""


class _Attempts(NamedTuple):
    """The attempts that were made at once, and what the sandbox did to them on purpose."""

    made: tuple[Attempt, ...]
    injected: Injected | None = None

    def with_injected(self, **members: object) -> "_Attempts":
        """Return the same attempts, and what else was done on purpose."""
        return self._replace(injected={**(self.injected or {}), **members})


class WaitingCallbacks:
    """The callbacks that are to arrive out of order: they wait until the next one to the same merchant was sent."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    async def wait(self, merchant: str, seconds: float) -> None:
        """Wait until `release` is called for a merchant, or for so many seconds."""
        released = asyncio.Event()
        self._waiting[merchant].add(released)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await released.wait()
        finally:
            self._waiting[merchant].discard(released)
            if not self._waiting[merchant]:
                del self._waiting[merchant]

    def release(self, merchant: str) -> None:
        """Let all callbacks of a merchant go on that wait."""
        for released in self._waiting.pop(merchant, ()):
            released.set()


class FaultInjector:
    """Sends callbacks with the faults that merchants have created."""

    def __init__(self, faults: Faults, client: MerchantClient) -> None:
        self._faults = faults
        self._client = client
        self._waiting = WaitingCallbacks()

    async def post(self, delivery: Delivery, at: float) -> _Attempts:
        """Send a callback once, or as often as a fault says; return the attempts made, with what the fault did."""
        fault = await self._faults.take(delivery.merchant, "callback", delivery.callback)
        if fault is not None:
            return _Attempts(tuple(await self._post_with(fault, delivery, at)), injected(fault))
        attempt = await self._client.post(delivery.url, delivery.body, at, delivery.merchant)
        self._waiting.release(delivery.merchant)
        return _Attempts((attempt,))

    async def _post_with(self, fault: dict[str, Any], delivery: Delivery, at: float) -> list[Attempt]:
        await asyncio.sleep(fault.get("delay", 0))
        if fault.get("out_of_order"):
            await self._waiting.wait(delivery.merchant, LONGEST_WAIT)
        if fault.get("drop"):
            return [_not_sent(at, "dropped", None, "a fault dropped it")]
        if fault.get("status"):
            return [_not_sent(at, "answered", fault["status"], "a fault answered in the merchant's place")]
        body = GARBLED_BODY if fault.get("garbage") else delivery.body
        times = 2 if fault.get("twice") else 1
        return [await self._client.post(delivery.url, body, at, delivery.merchant) for _ in range(times)]


def _not_sent(at: float, outcome: str, status: int | None, error: str) -> Attempt:
    return Attempt(at=at, duration=0.0, outcome=outcome, status=status, error=error)


AT_ONCE = 100
"""Callbacks that are sent to one merchant at the same time; further ones wait and delay no other merchant."""


class Deliveries:
    """Sends callbacks to merchants and records what came of them."""

    def __init__(self, context: Context, client: MerchantClient) -> None:
        self._context = context
        self._store = context.store
        self._injector = FaultInjector(Faults(context), client)
        self._slots = KeyedLocks(AT_ONCE)

    async def find(self, merchant: str | None, callback_id: str) -> Delivery:
        """Return a callback by its id; raises `UnknownName` when there is none, or none of this merchant."""
        hint = "GET /_mock/callbacks lists them"
        return await self._context.find(Delivery, merchant, callback_id, "callback_id", hint)

    async def send(self, job: Job) -> None:
        """Send the callback of a due job and schedule the next try where its kind is repeated (klarna.md §4.4, §4.5).

        A merchant may acknowledge an order before it answers the push: the job that this makes due waits until the answer is
        written.
        """
        if not KINDS_OF_JOB[job.kind][0].has_several_tries:
            await self._send(job)
            return
        async with self._store.exclusive(f"callback:{job.job_id}"):
            await self._send(job)

    async def _send(self, job: Job) -> None:
        request = await request_of(self._store, job)
        delivery = await self._delivery_of(job, request) if request else None
        if delivery is None:
            await self._give_up(job)
            return
        attempts = await self._attempt(delivery)
        repeated = await self._repeated(job, attempts.made[-1])
        state = state_after(attempts.made[-1], repeated)
        await self._record(delivery, attempts, state, (repeated,) if repeated else (), finished=(job,))
        if repeated is not None:
            await self._end_if_unwanted(repeated, attempts.made[-1])

    async def _end_if_unwanted(self, repeated: Job, last: Attempt) -> None:
        """Make the job of the next try due at once if its callback is not wanted any more.

        What ended the callback made such a job, and this one replaces it if it was committed between the reading of the order and
        the writing of the attempt.
        """
        kind = KINDS_OF_JOB[repeated.kind][0]
        record = await self._store.get(kind.record, repeated.subject)
        if record is not None and not is_wanted_again(kind, record, last):
            now = await self._context.now(repeated.merchant)
            await self._context.commit(repeated.merchant, Decision(jobs=(replace(repeated, due=now),)), now)

    async def _give_up(self, job: Job) -> None:
        """End the callbacks that wait for a job which has nothing to send any more."""
        order = await self._store.get(Order, job.subject)
        purchase_id = order.purchase_id if order else job.subject
        deliveries = await self._store.records(Delivery, job.merchant, subject=purchase_id)
        await self._end_waiting(job, deliveries)
        for delivery in deliveries:
            if delivery.state == "in_flight" and job_of(delivery) == job.job_id:
                await self._written(delivery, abandoned)  # its server failed before it could write what came of it

    async def _end_waiting(self, job: Job, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.state == "waiting" and job_of(delivery) == job.job_id:
                await self._record(delivery, _Attempts(()), state_after(delivery.attempts[-1], None))

    async def _delivery_of(self, job: Job, request: CallbackRequest) -> Delivery | None:
        """Return the delivery that a job continues, from its first try or an interrupted one, or a new delivery.

        None for a further try of a delivery that has ended: it was sent again by hand, or before its turn, and answered 200.
        """
        earlier = await self._store.records(Delivery, job.merchant, subject=request.purchase_id)
        about = request.callback, request.order_id, request.body
        same = [delivery for delivery in earlier if (delivery.callback, delivery.order_id, delivery.body) == about]
        for delivery in same:
            if delivery.state in ("waiting", "in_flight"):
                return await self._written(delivery, resumed) or await self._new(job.merchant, request)
        if same and job.number > 1:
            return None
        await self._end_waiting(job, earlier)  # the new callback replaces them
        return await self._new(job.merchant, request)

    async def _written(
        self,
        delivery: Delivery,
        change: Callable[[Delivery], Delivery],
        jobs: tuple[Job, ...] = (),
        now: float | None = None,
        finished: tuple[Job, ...] = (),
    ) -> Delivery | None:
        """Change a delivery, with the jobs that follow; return None where it was reset, or deleted to make room."""

        def command(current: Delivery, _now: float) -> CommandResult[Delivery]:
            changed = change(current)
            return CommandResult(value=changed, writes=(changed,), jobs=jobs, finished=finished)

        try:
            return await self._context.decide(
                lambda: self._context.load_existing(Delivery, delivery.callback_id), command, delivery, now
            )
        except LookupError:
            return None

    async def _new(self, merchant: str, request: CallbackRequest) -> Delivery:
        return await self._context.create(lambda: self._create(merchant, request))

    async def _create(self, merchant: str, request: CallbackRequest) -> Delivery:
        now, callback_id = await self._context.new_id(merchant, "callback")
        delivery = Delivery(
            merchant=merchant,
            callback_id=callback_id,
            callback=request.callback,
            url=request.url,
            purchase_id=request.purchase_id,
            order_id=request.order_id,
            body=request.body,
            created_at=now,
        )
        await self._store.commit(merchant, Decision(writes=(delivery,)), now)
        return delivery

    async def _attempt(self, delivery: Delivery) -> _Attempts:
        """Send a callback once, or as often as a fault says; what was loaded before is old afterwards."""
        async with self._slots.locked(delivery.merchant):
            now = await self._context.now(delivery.merchant)
            attempts = await self._injector.post(delivery, now)
        self._store.forget_preloaded(keep_draws=True)
        return attempts

    async def _record(
        self,
        delivery: Delivery,
        attempts: _Attempts,
        state: str,
        jobs: tuple[Job, ...] = (),
        finished: tuple[Job, ...] = (),
        sent_body: bytes | None = None,
        kept_states: Collection[str] = (),
    ) -> Delivery:
        """Add attempts to a delivery, with those that were made meanwhile, and write them to the journal.

        `state` is its state from now on, unless it has one of `kept_states`. `sent_body` is what was sent, if not the body of the
        delivery. A delivery that was deleted to make room keeps its schedule and is in the journal; of one that was reset
        meanwhile nothing is written.
        """
        made = attempts.made
        now = made[-1].at + made[-1].duration if made else None

        def changed(current: Delivery) -> Delivery:
            return with_attempts(current, made, current.state if current.state in kept_states else state)

        written = await self._written(delivery, changed, jobs, now, finished)
        if written is None:
            written = with_attempts(delivery, made, state)
            if await self._is_reset(delivery):
                return written
            await self._reschedule(delivery, jobs)
        body = written.body if sent_body is None else sent_body
        count = written.attempts_dropped + len(written.attempts)
        for number, attempt in enumerate(made, count - len(made) + 1):
            await self._write_entry(written, number, attempt, body, attempts.injected)
        return written

    async def _is_reset(self, delivery: Delivery) -> bool:
        """Return whether all that a callback was about has been deleted, and so the journal too."""
        order = await self._store.get(Order, delivery.order_id or "")
        return order is None and await self._store.get(Purchase, delivery.purchase_id or "") is None

    async def _reschedule(self, delivery: Delivery, jobs: tuple[Job, ...]) -> None:
        """Keep the schedule of a callback that was deleted to make room; a reset deletes the schedule too."""
        if jobs and await self._store.get(Order, delivery.order_id or "") is not None:
            now = await self._context.now(delivery.merchant)
            await self._context.commit(delivery.merchant, Decision(jobs=jobs), now)

    async def _write_entry(
        self, delivery: Delivery, number: int, attempt: Attempt, body: bytes, injected: Injected | None
    ) -> None:
        sent = Sent(
            callback_id=delivery.callback_id,
            url=delivery.url,
            number=number,
            request_body=body,
            attempt=attempt,
            injected=injected,
        )
        await self._context.record(
            delivery.merchant, CALLBACK, delivery.callback, sent, attempt.at, delivery.purchase_id
        )

    async def _repeated(self, job: Job, last: Attempt) -> Job | None:
        """Return the job of the next try, or None where the callback is not sent again."""
        kind = KINDS_OF_JOB[job.kind][0]
        pause = pause_after(kind.schedule_name(self._context.settings.push_schedule), job.number)
        if pause is None:
            return None
        record = await self._store.get(kind.record, job.subject)
        if not is_wanted_again(kind, record, last):
            return None
        return replace(job, due=job.due + pause, number=job.number + 1)

    async def resend(self, merchant: str | None, callback_id: str, body: bytes | None = None) -> Delivery:
        """Send a callback again to the same URL; the attempt is added to the earlier ones, and the schedule goes on.

        A notification that is answered 200 now is not repeated (klarna.md §4.5). `body` is sent instead of the callback's own;
        later attempts have that one again, and its schedule goes on.
        """
        delivery = await self.find(merchant, callback_id)
        sent = delivery if body is None else replace(delivery, body=body)
        attempts = (await self._attempt(sent)).with_injected(resent=True)
        last, is_changed = attempts.made[-1], sent.body != delivery.body
        if is_changed:
            attempts = attempts.with_injected(changed=True)
        goes_on = is_changed or await self._is_wanted_again(delivery, last)
        kept = ("in_flight", "waiting") if goes_on else ("in_flight",)
        return await self._record(delivery, attempts, state_after(last, None), sent_body=sent.body, kept_states=kept)

    async def _is_wanted_again(self, delivery: Delivery, last: Attempt) -> bool:
        """Return whether the schedule of a callback goes on after an attempt that was made beside it."""
        kind = CALLBACKS[delivery.callback]
        subject = delivery.order_id if kind.record is Order else delivery.purchase_id
        return is_wanted_again(kind, await self._store.get(kind.record, subject or ""), last)

    async def forge(self, merchant: str | None, purchase_id: str, token: str | None) -> Delivery:
        """Send a `place_order` callback that Klarna never sends: that of a purchase with another token.

        Without `token` it has one that no purchase has. Raises `UnknownName` for an unknown purchase, and `StateConflict` for one
        that was not authorized or has no `place_order` URL.
        """
        purchase = await self._context.find(Purchase, merchant, purchase_id, "purchase_id", PURCHASE_HINT)
        request = forged_place_order(purchase, token or "")
        if not token:
            _, unknown = await self._context.new_id(purchase.merchant, "token")
            request = forged_place_order(purchase, unknown)
        delivery = await self._new(purchase.merchant, request)
        attempts = (await self._attempt(delivery)).with_injected(forged=True)
        return await self._record(delivery, attempts, state_after(attempts.made[-1], None))

    async def send_update(
        self, purchase: Purchase, url: str, body: dict[str, Any]
    ) -> tuple[dict[str, Any], str | None]:
        """Send an `update` callback; return the changes that the merchant answers and, if it failed, why (klarna.md §4.2)."""
        request = CallbackRequest("update", url, write_json(body), purchase.purchase_id)
        delivery = await self._new(purchase.merchant, request)
        attempts = await self._attempt(delivery)
        changes, failure = read_update_answer(attempts.made[-1], self._context.validator)
        if failure and attempts.made[-1].error is None:
            attempts = attempts._replace(made=(*attempts.made[:-1], replace(attempts.made[-1], error=failure)))
        await self._record(delivery, attempts, "failed" if failure else "delivered")
        return changes, failure
