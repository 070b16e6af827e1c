"""The kinds of callbacks, when each is sent and repeated, and the states of one callback from its first try to its last."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain import events
from mock_klarna.domain.events import Event
from mock_klarna.domain.records import Decision, Job, Order, Purchase, Record, RecordJob, job_id

DELIVERY_STATES = ("in_flight", "delivered", "waiting", "failed")
"""States of a callback: being sent, answered 2xx, to be tried again, given up."""
_MINUTE, _HOUR = 60, 3600
_INTERRUPTED = (
    "the server ended, or its state was replaced, before an answer was read; the merchant may have received this"
)


def _until(end: int, first: tuple[int, ...], every: int) -> tuple[int, ...]:
    return first + tuple(takewhile(lambda at: at <= end, count(first[-1] + every, every)))


SCHEDULES: Mapping[str, tuple[int, ...]] = {
    "once": (0,),
    "push": _until(48 * _HOUR, (5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 60 * _MINUTE), 4 * _HOUR),
    "push-old": _until(48 * _HOUR, (2 * _MINUTE,), 2 * _HOUR),
    "notification": _until(24 * _HOUR, (0,), 10 * _MINUTE),
}
"""Seconds after the event at which each try of a callback is due (klarna.md §4.4, §4.5)."""


def first_pause(schedule: str) -> int:
    """Return the seconds between the event and the first try."""
    return SCHEDULES[schedule][0]


def pause_after(schedule: str, number: int) -> int | None:
    """Return the seconds between try `number` (from 1) and the next, or None when it was the last."""
    tries = SCHEDULES[schedule]
    return tries[number] - tries[number - 1] if number < len(tries) else None


def event_type(fraud_status: str) -> str:
    """Return the `event_type` of a notification about a fraud status (klarna.md §4.5)."""
    return f"FRAUD_RISK_{fraud_status}"


@dataclass(frozen=True, slots=True)
class CallbackKind:
    """One kind of callback: a row of `CALLBACKS`.

    name: the member of `merchant_urls` with its URL; also its name in the journal, in faults and of its schema.
    job: the kind of the job that sends it, "" where a shopper waits for the answer. Of the rows with the same job, the
    first one that has a URL is sent.
    record: the class of the record that it is about, and that the job names.
    url: the member of the record with its URL, "" where the merchant URLs of the authorized order have it; an `Order` needs one.
    body: returns bytes, or what becomes JSON, from the record.
    causes: the events that cause it, each with a condition on the record.
    ends: the events after which a waiting try is not needed any more.
    is_wanted: returns whether a record still needs it.
    schedule: its entry of `SCHEDULES`; the setting `push_schedule` replaces "push".
    until_200: it is repeated until the merchant answers 200, else until it is not wanted any more.
    """

    name: str
    job: str = ""
    record: type[Purchase] | type[Order] = Purchase
    url: str = ""
    body: Callable[[Any], bytes | Mapping[str, Any]] = lambda _record: b""
    causes: Mapping[type[Event], Callable[[Any], bool]] = field(default_factory=dict)
    ends: tuple[type[Event], ...] = ()
    is_wanted: Callable[[Any], bool] = lambda _record: True
    schedule: str = "once"
    until_200: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a row whose callback would never be sent."""
        if self.record is Order and not self.url:
            raise ValueError(f"the callback {self.name} is about an Order, so its row needs the member with its URL")

    def schedule_name(self, push_schedule: str) -> str:
        """Return the entry of `SCHEDULES` that applies under a value of the setting `push_schedule`."""
        return push_schedule if self.schedule == "push" else self.schedule

    @property
    def has_several_tries(self) -> bool:
        """Whether there is more than one try."""
        return len(SCHEDULES[self.schedule]) > 1


def _with_order(purchase: Purchase) -> bytes:
    """Return the token, the button key and the authorized order, byte for byte (klarna.md §4.1)."""
    head = f'{{"authorization_token":"{purchase.authorization_token}","button_key":"{purchase.button_key}","order":'
    return head.encode() + purchase.order + b"}"


def _review_ended(order: Order) -> Mapping[str, Any]:
    return {"order_id": order.order_id, "event_type": event_type(order.fraud_status)}


def _is_authorized(purchase: Purchase) -> bool:
    return purchase.state == "authorized"


def wants_push(order: Order) -> bool:
    """Return whether pushes are sent for an order: it is not acknowledged, cancelled or closed (klarna.md §4.4)."""
    return not order.acknowledged and order.fulfilment.ended is None


def _is_accepted(order: Order) -> bool:
    return order.fraud_status == "ACCEPTED" and wants_push(order)


def _always(_record: Record) -> bool:
    return True


CALLBACKS: Mapping[str, CallbackKind] = {
    kind.name: kind
    for kind in (
        CallbackKind(
            "place_order",
            job="place_order",
            body=_with_order,
            causes={events.PurchaseAuthorized: _is_authorized},
            is_wanted=_is_authorized,
        ),
        CallbackKind("update"),
        # A key without a place_order URL is asked for a customer token, with the same body (klarna.md §4.3).
        CallbackKind("create_customer_token", job="place_order", body=_with_order, is_wanted=_is_authorized),
        CallbackKind(
            "push",
            job="push",
            record=Order,
            url="push_url",
            causes={
                events.PurchasePlaced: _is_accepted,
                events.OrderFromToken: _is_accepted,
                events.FraudReviewEnded: _is_accepted,
            },
            ends=(events.OrderAcknowledged, events.OrderCaptured, events.OrderCancelled, events.OrderClosed),
            is_wanted=wants_push,
            schedule="push",
        ),
        CallbackKind(
            "notification",
            job="notification",
            record=Order,
            url="notification_url",
            body=_review_ended,
            causes={events.FraudReviewEnded: _always},
            schedule="notification",
            until_200=True,
        ),
    )
}
"""Every kind of callback by its name."""

ORDER_CALLBACKS = tuple(kind for kind in CALLBACKS.values() if kind.record is Order)
"""The kinds of callbacks about an order, which keeps their URLs."""

KINDS_OF_JOB: Mapping[str, tuple[CallbackKind, ...]] = {
    job: tuple(kind for kind in CALLBACKS.values() if kind.job == job)
    for job in dict.fromkeys(kind.job for kind in CALLBACKS.values() if kind.job)
}
"""The kinds of callbacks that a job can send, by the kind of the job."""

JOBS = (*KINDS_OF_JOB, *RecordJob)
"""Every kind of job: those that send callbacks, and those that change a record when its time has come."""

_CAUSED: Mapping[type[Event], tuple[CallbackKind, ...]] = {
    event: tuple(kind for kind in CALLBACKS.values() if event in kind.causes)
    for event in {event for kind in CALLBACKS.values() for event in kind.causes}
}
_ENDED: Mapping[type[Event], tuple[CallbackKind, ...]] = {
    event: tuple(kind for kind in CALLBACKS.values() if event in kind.ends)
    for event in {event for kind in CALLBACKS.values() for event in kind.ends}
}


def callback_jobs(decision: Decision, now: float, push_schedule: str = "push") -> tuple[Job, ...]:
    """Return the jobs of the callbacks that the events of a decision cause.

    An event that ends a kind makes its waiting job due at once: the job then finds that the callback is not wanted.
    """
    jobs = []
    for event in decision.events:
        for kind in _CAUSED.get(type(event), ()):
            record = _written(decision, kind)
            if record is not None and kind.causes[type(event)](record):
                jobs.append(_job(kind, record, now + first_pause(kind.schedule_name(push_schedule))))
        for kind in _ENDED.get(type(event), ()):
            record = _written(decision, kind)
            if record is not None:
                jobs.append(_job(kind, record, now))
    return tuple(jobs)


def _written(decision: Decision, kind: CallbackKind) -> Record | None:
    """Return the record that a callback of a kind would be about, if the decision writes one that has its URL."""
    record = next((record for record in decision.writes if type(record) is kind.record), None)
    return None if record is None or (kind.url and not getattr(record, kind.url)) else record


def _job(kind: CallbackKind, record: Record, due: float) -> Job:
    return Job(due=due, merchant=record.merchant, kind=kind.job, subject=record.key)


class Attempt(Struct, frozen=True, kw_only=True, gc=False):
    """One try to reach a merchant: the answer, or why there is none. `duration` is in seconds."""

    at: float
    duration: float
    outcome: str
    status: int | None = None
    error: str | None = None
    answer: bytes = b""
    answer_headers: tuple[tuple[str, str], ...] = ()
    remedy: str | None = None


MAX_ATTEMPTS = 200
"""Attempts that a callback keeps, which is more than a schedule has; of the resent ones, the oldest are dropped first."""
KEPT_BYTES = 64 << 10
"""Bytes of answers that a callback keeps, beside the newest answer; of older ones it keeps the length. The journal has them."""


class Delivery(Record, frozen=True, kw_only=True):
    """A callback to a merchant's URL with the attempts made so far, at most `MAX_ATTEMPTS`. `state` is one of `DELIVERY_STATES`.

    attempts_dropped: how many earlier attempts are no longer in `attempts`.
    """

    kind: ClassVar[str] = "callback"
    callback_id: str
    callback: str
    url: str
    purchase_id: str | None
    order_id: str | None
    body: bytes
    created_at: float
    state: str = "in_flight"
    attempts: tuple[Attempt, ...] = ()
    attempts_dropped: int = 0

    @property
    def key(self) -> str:
        """The callback's id."""
        return self.callback_id

    @property
    def subject(self) -> str | None:
        """The purchase the callback is about."""
        return self.purchase_id


def job_of(delivery: Delivery) -> str | None:
    """Return the id of the job that sends a callback, or None where a shopper waits for the answer."""
    kind = CALLBACKS[delivery.callback]
    subject = delivery.order_id if kind.record is Order else delivery.purchase_id
    return job_id(kind.job, subject or "") if kind.job else None


def interrupted(delivery: Delivery) -> Delivery:
    """Close an attempt that was never finished; its `at` is the latest known time of the callback.

    The version stays the same: this is how a record is read, and not a decision.
    """
    at = delivery.attempts[-1].at if delivery.attempts else delivery.created_at
    attempt = Attempt(at=at, duration=0.0, outcome="interrupted", error=_INTERRUPTED)
    return replace(delivery, attempts=(*delivery.attempts, attempt), state="failed")


def abandoned(delivery: Delivery) -> Delivery:
    """Return a callback whose job has nothing to send any more: an attempt that is still open was interrupted."""
    closed = interrupted(delivery) if delivery.state == "in_flight" else delivery
    return replace(closed, version=delivery.version + 1)


def state_after(last: Attempt, repeated: Job | None) -> str:
    """Return the state of a callback after its last attempt and the job that repeats it, if any."""
    if repeated is not None:
        return "waiting"
    return "delivered" if is_delivered(last) else "failed"


def is_delivered(attempt: Attempt) -> bool:
    """Return whether a merchant answered 2xx; an answer that stopped or broke off is none."""
    if attempt.status is None or attempt.outcome not in ("answered", "too_long"):
        return False
    return 200 <= attempt.status < 300


def is_wanted_again(kind: CallbackKind, record: Record | None, last: Attempt) -> bool:
    """Return whether a callback about a record is sent again after its last attempt, as far as its schedule goes."""
    if not kind.has_several_tries:
        return False
    if kind.until_200:
        return not (last.status == 200 and is_delivered(last))
    return record is not None and kind.is_wanted(record)


def resumed(delivery: Delivery) -> Delivery:
    """Return a callback that is sent once more; an attempt that was never finished is closed first."""
    closed = interrupted(delivery) if delivery.state == "in_flight" else delivery
    return replace(closed, version=delivery.version + 1, state="in_flight")


def with_attempts(delivery: Delivery, attempts: tuple[Attempt, ...], state: str) -> Delivery:
    """Return a callback with further attempts; the oldest answers and attempts are dropped where there are too many."""
    every = (*delivery.attempts, *attempts)
    dropped = max(0, len(every) - MAX_ATTEMPTS)
    return replace(
        delivery,
        version=delivery.version + 1,
        attempts=_bounded(every[dropped:]),
        attempts_dropped=delivery.attempts_dropped + dropped,
        state=state,
    )


def _bounded(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Return attempts with the answers of the newest ones, up to `KEPT_BYTES` beside the very newest."""
    kept = list(attempts[-1:])
    left = KEPT_BYTES
    for attempt in reversed(attempts[:-1]):
        size = len(attempt.answer) + sum(len(name) + len(value) for name, value in attempt.answer_headers)
        left -= size
        kept.append(attempt if left >= 0 or size <= _SMALL_BYTES else _without_answer(attempt))
    return tuple(reversed(kept))


_SMALL_BYTES = 64


def _without_answer(attempt: Attempt) -> Attempt:
    answer = f"… ({len(attempt.answer)} bytes)".encode() if attempt.answer else b""
    return replace(attempt, answer=answer, answer_headers=())


def read_back(record: Record, jobs: Collection[str]) -> Record:
    """Return a record that was kept outside memory as it is now: a callback under way waits for its job, or has failed."""
    if not isinstance(record, Delivery) or record.state != "in_flight":
        return record
    closed = interrupted(record)
    return replace(closed, state="waiting") if job_of(record) in jobs else closed
