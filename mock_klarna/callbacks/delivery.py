"""Sending callbacks and keeping what came of every attempt."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from msgspec.structs import replace

from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.callbacks.payloads import Letter, letter
from mock_klarna.domain.callbacks import Attempt, Delivery, is_heard, job_of, pause_after, state_after, taken_up, tried
from mock_klarna.domain.journal import CALLBACK, Sent
from mock_klarna.domain.order import wants_push
from mock_klarna.domain.records import Decision, Job, Order, Purchase
from mock_klarna.emulator import Emulator
from mock_klarna.emulator.checkout_steps import UNUSABLE
from mock_klarna.emulator.faults import Faults
from mock_klarna.errors import UnknownName, in_words
from mock_klarna.validation import MalformedBody, Validator, read_json


def read_update_answer(attempt: Attempt, validator: Validator) -> tuple[dict[str, Any], str | None]:
    """Return the changes that an answer makes and why it could not be used: 304 changes nothing, 200 brings JSON."""
    if attempt.status == 304:
        return {}, None
    if attempt.outcome != "answered" or attempt.status != 200:
        said = f"answered {attempt.status}" if attempt.outcome == "answered" else f"{attempt.outcome}: {attempt.error}"
        return {}, f"the update callback {said}; expected 200 with JSON, or 304"
    try:
        changes, problems = validator.check("update_answer", read_json(attempt.answer), nulls=True)
    except MalformedBody as malformed:
        return {}, f"the answer to update is not JSON: {malformed.problem.as_text()}"
    if problems:
        return {}, f"{UNUSABLE}: {in_words(problems)}"
    return changes, None


GARBAGE = b'{"authorization_token": "\xff\xfe garbage'
"""What a garbled callback carries: neither UTF-8 nor JSON."""
HELD_AT_MOST = 5.0
"""Seconds that a callback which is to arrive out of order waits for the next one, if none comes."""


class Trouble:
    """Posts a callback the way the merchant's faults ask for, or plainly when there are none."""

    def __init__(self, faults: Faults, client: MerchantClient) -> None:
        self._faults = faults
        self._client = client
        self._passed: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def post(self, delivery: Delivery, at: float) -> list[Attempt]:
        """Send a delivery once, or as often as a fault says; return the attempts made."""
        wish = await self._faults.take(delivery.merchant, "callback", delivery.callback)
        if wish is not None:
            return await self._spoiled(delivery, at, wish)
        attempt = await self._client.post(delivery.url, delivery.body, at)
        self._pass(delivery.merchant)
        return [attempt]

    def _pass(self, merchant: str) -> None:
        """Let those go that wait for a later callback to overtake them."""
        waiting = self._passed.pop(merchant, None)
        if waiting is not None:
            waiting.set()

    async def _spoiled(self, delivery: Delivery, at: float, wish: dict[str, Any]) -> list[Attempt]:
        await asyncio.sleep(wish.get("delay", 0))
        if wish.get("out_of_order"):
            await self._wait_for_next(delivery.merchant)
        if wish.get("drop"):
            return [_never_sent(at, "dropped", None, "a fault dropped it")]
        if wish.get("status"):
            return [_never_sent(at, "answered", wish["status"], "a fault answered in the merchant's place")]
        body = GARBAGE if wish.get("garbage") else delivery.body
        times = 2 if wish.get("twice") else 1
        return [await self._client.post(delivery.url, body, at) for _ in range(times)]

    async def _wait_for_next(self, merchant: str) -> None:
        try:
            async with asyncio.timeout(HELD_AT_MOST):
                await self._passed[merchant].wait()
        except TimeoutError:
            self._passed.pop(merchant, None)


def _never_sent(at: float, outcome: str, status: int | None, error: str) -> Attempt:
    return Attempt(at=at, duration=0.0, outcome=outcome, status=status, error=error)


_log = logging.getLogger("mock_klarna.callbacks")
AT_ONCE = 100
"""Callbacks that one merchant may have under way at the same time; more wait their turn and hold up nobody else."""


class Deliveries:
    """Calls merchants for the emulator, within bounds that hold for each merchant alone."""

    def __init__(self, emulator: Emulator, validator: Validator, client: MerchantClient) -> None:
        self._emulator = emulator
        self._store = emulator.store
        self._validator = validator
        self._client = client
        self._trouble = Trouble(emulator.faults, client)
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        emulator.context.ask_update = self.ask_update

    async def find(self, merchant: str | None, callback_id: str) -> Delivery:
        """Return a callback by its id; raises `UnknownName` when there is none, or none of this merchant."""
        delivery = await self._store.get(Delivery, callback_id)
        if delivery is None or (merchant is not None and delivery.merchant != merchant):
            raise UnknownName(
                f"callback {callback_id!r} is not known", where="callback_id", hint="GET /_mock/callbacks lists them"
            )
        return delivery

    async def send(self, job: Job) -> None:
        """Send the callback of a due job and schedule the next try where its kind is repeated (protocol 4.4, 4.5)."""
        what = await letter(self._store, job)
        if what is None:
            await self._give_up(job)
            return
        delivery = await self._opened(job, what)
        attempts = await self._attempt(delivery)
        repeated = await self._repeated(job, attempts[-1])
        await self._keep(delivery, attempts, state_after(attempts[-1], repeated), (repeated,) if repeated else ())

    async def _give_up(self, job: Job) -> None:
        """End what waits for a job that has nothing to say any more."""
        order = await self._store.get(Order, job.subject)
        purchase_id = order.purchase_id if order else job.subject
        await self._end_waiting(job, await self._store.records(Delivery, job.merchant, subject=purchase_id))

    async def _end_waiting(self, job: Job, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.state == "waiting" and job_of(delivery) == job.job_id:
                await self._keep(delivery, (), state_after(delivery.attempts[-1], None))

    async def _opened(self, job: Job, what: Letter) -> Delivery:
        """Return the delivery that a job goes on with: that of its first try, or of one that was interrupted, or a new one."""
        earlier = await self._store.records(Delivery, job.merchant, subject=what.purchase_id)
        for delivery in earlier:
            is_same = (delivery.callback, delivery.order_id, delivery.body) == (what.callback, what.order_id, what.body)
            if is_same and (job.number > 1 or delivery.state in ("waiting", "in_flight")):
                return await self._written(delivery, taken_up) or await self._new(job.merchant, what)
        await self._end_waiting(job, earlier)  # news that other news has overtaken
        return await self._new(job.merchant, what)

    async def _written(
        self, delivery: Delivery, change: Callable[[Delivery], Delivery], jobs: tuple[Job, ...] = ()
    ) -> Delivery | None:
        """Change a delivery as it is now, with the jobs that follow; None when it was reset, or dropped to make room."""
        context = self._emulator.context
        try:
            held, _ = await context.decide(
                lambda: context.found(Delivery, delivery.callback_id),
                lambda held, _now: Decision(writes=(change(held),), jobs=jobs),
            )
        except LookupError:
            return None
        return change(held)

    async def _new(self, merchant: str, what: Letter) -> Delivery:
        now = await self._emulator.context.now(merchant)
        delivery = Delivery(
            merchant=merchant,
            callback_id=await self._emulator.context.new_id(merchant, "callback"),
            callback=what.callback,
            url=what.url,
            purchase_id=what.purchase_id,
            order_id=what.order_id,
            body=what.body,
            created_at=now,
        )
        await self._store.commit(merchant, Decision(writes=(delivery,)), now)
        return delivery

    async def _attempt(self, delivery: Delivery) -> tuple[Attempt, ...]:
        """Call the merchant once, or as often as faults would have it."""
        async with self._turns[delivery.merchant]:
            now = await self._emulator.context.now(delivery.merchant)
            return tuple(await self._trouble.post(delivery, now))

    async def _keep(
        self, delivery: Delivery, attempts: tuple[Attempt, ...], state: str, jobs: tuple[Job, ...] = ()
    ) -> Delivery:
        """Add attempts to those of others that were made meanwhile, and write them to the journal."""
        kept = await self._written(delivery, lambda held: tried(held, attempts, state), jobs)
        if kept is None:
            await self._reschedule(delivery, jobs)
            kept = tried(delivery, attempts, state)
        for number, attempt in enumerate(attempts, len(kept.attempts) - len(attempts) + 1):
            await self._note(kept, number, attempt)
        return kept

    async def _reschedule(self, delivery: Delivery, jobs: tuple[Job, ...]) -> None:
        """Keep the schedule of a callback that was dropped to make room; that of a merchant who was reset is gone too."""
        if jobs and await self._store.get(Order, delivery.order_id or "") is not None:
            now = await self._emulator.context.now(delivery.merchant)
            await self._emulator.context.commit(delivery.merchant, Decision(jobs=jobs), now)

    async def _note(self, delivery: Delivery, number: int, attempt: Attempt) -> None:
        sent = Sent(
            callback_id=delivery.callback_id,
            url=delivery.url,
            number=number,
            request_body=delivery.body,
            attempt=attempt,
        )
        await self._store.record(delivery.merchant, CALLBACK, delivery.callback, sent, attempt.at, delivery.purchase_id)
        if attempt.outcome != "answered":
            _log_failure(delivery, attempt)

    async def _repeated(self, job: Job, last: Attempt) -> Job | None:
        if job.kind == "place_order" or not await self._is_wanted(job, last):
            return None
        schedule = self._emulator.settings.push_schedule if job.kind == "push" else job.kind
        pause = pause_after(schedule, job.number)
        return None if pause is None else replace(job, due=job.due + pause, number=job.number + 1)

    async def _is_wanted(self, job: Job, last: Attempt) -> bool:
        """Tell whether a callback is sent again: a push until it is acknowledged, a notification until HTTP 200."""
        if job.kind == "notification":
            return not (last.status == 200 and is_heard(last))
        order = await self._store.get(Order, job.subject)
        return order is not None and wants_push(order)

    async def resend(self, merchant: str | None, callback_id: str) -> Delivery:
        """Send a callback again, the same bytes to the same URL; the attempt is added to those made before."""
        delivery = await self.find(merchant, callback_id)
        attempts = await self._attempt(delivery)
        return await self._keep(delivery, attempts, state_after(attempts[-1], None))

    async def ask_update(self, purchase: Purchase, url: str, body: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """Send an `update` callback; return the changes that the merchant answers and, if it went wrong, why (protocol 4.2)."""
        what = Letter("update", url, orjson.dumps(body), purchase.purchase_id)
        delivery = await self._new(purchase.merchant, what)
        attempts = await self._attempt(delivery)
        changes, failure = read_update_answer(attempts[-1], self._validator)
        if failure and attempts[-1].error is None:
            attempts = (*attempts[:-1], replace(attempts[-1], error=failure))
        await self._keep(delivery, attempts, "failed" if failure else "delivered")
        return changes, failure


def _log_failure(delivery: Delivery, attempt: Attempt) -> None:
    """Tell who looks at the log, and nowhere else, why a shop hears nothing."""
    remedy = f"; {attempt.remedy}" if attempt.remedy else ""
    _log.warning(
        "%s of %s to %s: %s: %s%s",
        delivery.callback,
        delivery.merchant,
        delivery.url[:200],
        attempt.outcome,
        attempt.error,
        remedy,
    )
