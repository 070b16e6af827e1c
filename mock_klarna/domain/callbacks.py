"""A callback to a merchant, and what becomes of it: tried, taken up again, or interrupted because whoever sent it is gone."""

from collections.abc import Collection, Mapping
from itertools import count, takewhile
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain.records import Job, Record

_ERROR = "the server ended, or was given another state, before an answer was read; the merchant may have received this"


class Attempt(Struct, frozen=True, kw_only=True, gc=False):
    """One try to reach a merchant: what came back, or why nothing did. `duration` is in seconds."""

    at: float
    duration: float
    outcome: str
    status: int | None = None
    error: str | None = None
    answer: bytes = b""
    answer_headers: tuple[tuple[str, str], ...] = ()
    remedy: str | None = None


class Delivery(Record, frozen=True, kw_only=True):
    """A callback to a merchant's URL with every attempt made so far. `state` is one of `lifecycle.DELIVERY`."""

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

    @property
    def key(self) -> str:
        """The callback's id."""
        return self.callback_id

    @property
    def subject(self) -> str | None:
        """The purchase the callback is about."""
        return self.purchase_id


def job_of(delivery: Delivery) -> str:
    """Return the id of the job that sends a callback; `update` has none, since a shopper waits for its answer."""
    if delivery.callback in ("push", "notification"):
        return f"{delivery.callback}:{delivery.order_id}"
    return f"place_order:{delivery.purchase_id}"


def interrupted(delivery: Delivery) -> Delivery:
    """Close the attempt that nobody makes any more; its `at` is the last time that is known of the callback.

    The version stays: this is what a record comes to when it is read back, not a decision.
    """
    at = delivery.attempts[-1].at if delivery.attempts else delivery.created_at
    attempt = Attempt(at=at, duration=0.0, outcome="interrupted", error=_ERROR)
    return replace(delivery, attempts=(*delivery.attempts, attempt), state="failed")


def state_after(last: Attempt, repeated: Job | None) -> str:
    """Return the state of a callback after its last attempt, which may be repeated."""
    if repeated is not None:
        return "waiting"
    return "delivered" if is_heard(last) else "failed"


def is_heard(attempt: Attempt) -> bool:
    """Tell whether a merchant answered 2xx; one that fell silent or broke off after its first words did not."""
    if attempt.status is None or attempt.outcome not in ("answered", "too_long"):
        return False
    return 200 <= attempt.status < 300


def taken_up(delivery: Delivery) -> Delivery:
    """Return a callback that is sent once more; if its job was given to somebody else before, that one's attempt is closed."""
    closed = interrupted(delivery) if delivery.state == "in_flight" else delivery
    return replace(closed, version=delivery.version + 1, state="in_flight")


def tried(delivery: Delivery, attempts: tuple[Attempt, ...], state: str) -> Delivery:
    """Return a callback with the attempts that were made after those it has."""
    return replace(delivery, version=delivery.version + 1, attempts=(*delivery.attempts, *attempts), state=state)


def read_back(record: Record, jobs: Collection[str]) -> Record:
    """Return a record that was kept outside memory as it is now: a callback under way waits for its job, or has failed."""
    if not isinstance(record, Delivery) or record.state != "in_flight":
        return record
    closed = interrupted(record)
    return replace(closed, state="waiting") if job_of(record) in jobs else closed


_MINUTE, _HOUR = 60, 3600


def _until(end: int, first: tuple[int, ...], every: int) -> tuple[int, ...]:
    return first + tuple(takewhile(lambda at: at <= end, count(first[-1] + every, every)))


SCHEDULES: Mapping[str, tuple[int, ...]] = {
    "push": _until(48 * _HOUR, (5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 60 * _MINUTE), 4 * _HOUR),
    "push-old": _until(48 * _HOUR, (2 * _MINUTE,), 2 * _HOUR),
    "notification": _until(24 * _HOUR, (0,), 10 * _MINUTE),
}
"""Seconds after the event at which each try is due: `push` until the order is acknowledged, `notification` until HTTP 200."""


def first_pause(schedule: str) -> int:
    """Return the seconds between the event and the first try."""
    return SCHEDULES[schedule][0]


def pause_after(schedule: str, number: int) -> int | None:
    """Return the seconds between try `number` (from 1) and the one that follows, or None when it was the last."""
    tries = SCHEDULES[schedule]
    return tries[number] - tries[number - 1] if number < len(tries) else None
