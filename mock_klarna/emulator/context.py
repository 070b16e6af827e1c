"""The context of every command: the store, the settings, each merchant's clock and seed, and how a decision is committed."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from mock_klarna.domain.callbacks import callback_jobs
from mock_klarna.domain.events import AuthorizationRefused, Event, event_name
from mock_klarna.domain.journal import EVENT, Exchange, Sent
from mock_klarna.domain.purchase import PlacingRules
from mock_klarna.domain.records import CommandResult, Decision, Merchant, Purchase, Record
from mock_klarna.domain.urls import host_of
from mock_klarna.errors import (
    KlarnaError,
    MockKlarnaError,
    NotAllowed,
    NotFound,
    TooManyConflicts,
    UnknownName,
    WriteConflict,
)
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store
from mock_klarna.texts import text
from mock_klarna.validation import shared_validator

_VERSION_4 = 0x00000000_0000_4000_8000_000000000000
_RANDOM = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_TRIES = 50

R = TypeVar("R", bound=Record)
T = TypeVar("T")

AnswerDecision = Callable[[T, float], Decision]
"""Returns what stores the answer to an idempotency key: for the value of a command, at a time on the merchant's clock."""


class JobObserver(Protocol):
    """The receiver of notifications about new jobs."""

    def jobs_added(self, merchant: str, seconds: float) -> None:
        """Notice that new jobs of a merchant are due in `seconds` or later."""
        ...


class JournalObserver(Protocol):
    """The receiver of what this process records in the journal."""

    def recorded(
        self,
        merchant: str,
        kind: str,
        name: str,
        data: Exchange | Sent | Event,
        at: float,
        purchase_id: str | None,
    ) -> None:
        """Notice an entry; `at` is the merchant's time. Must return soon, and raise nothing."""
        ...


class UpdateSender(Protocol):
    """The sender of `update` callbacks, for whose answers a shopper waits."""

    async def send_update(
        self, purchase: Purchase, url: str, body: dict[str, Any]
    ) -> tuple[dict[str, Any], str | None]:
        """Return the changes that the merchant answers and, if the callback failed, why."""
        ...


def digest(*parts: object) -> bytes:
    """Return sixteen bytes that depend only on the parts."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()


def uuid_from(*parts: object) -> str:
    """Return a UUID (version 4 in form, klarna.md C-21) that depends only on the parts."""
    text = "%032x" % (int.from_bytes(digest(*parts)) & _RANDOM | _VERSION_4)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Context:
    """The store, the settings and the sources of time and ids that all commands share.

    `real_time` returns seconds in UTC, `seed` is that of every merchant without one of its own.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        real_time: Callable[[], float],
        seed: str,
        job_observer: JobObserver,
        journal_observer: JournalObserver | None = None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.validator = shared_validator(strict=settings.strict, tolerant_sums=settings.sum_tolerance == "lines")
        self.real_time = real_time
        self.default_seed = seed
        self._renewals = 0
        self.rules = PlacingRules(
            strict=settings.strict,
            timeout_ends_token=settings.timeout_ends_token,
            token_lifetime=settings.token_lifetime,
            confirmation_order_id=settings.confirmation_order_id,
            text=text,
        )
        self._job_observer = job_observer
        self.journal_observer = journal_observer

    async def now(self, merchant: str) -> float:
        """Return the time on a merchant's own clock, seconds in UTC."""
        return self._time(await self.store.get(Merchant, merchant))

    async def time_of(self, merchant: str, real_time: float) -> float:
        """Return the time on a merchant's clock at a real time, seconds in UTC."""
        record = await self.store.get(Merchant, merchant)
        return real_time + (record.clock_offset if record else 0.0)

    def _time(self, record: Merchant | None) -> float:
        return self.real_time() + (record.clock_offset if record else 0.0)

    async def draw(self, merchant: str, purpose: str) -> tuple[float, tuple[str, str, int]]:
        """Return the time on a merchant's clock, and its next random draw for a purpose: seed, purpose and number."""
        record = await self.store.get(Merchant, merchant)
        seed = record.seed if record and record.seed is not None else self._current_seed()
        number = await self.store.count(merchant, purpose)
        return self._time(record), (seed, purpose, number)

    def _current_seed(self) -> str:
        return f"{self.default_seed}/{self._renewals}" if self._renewals else self.default_seed

    def renew_seed(self) -> str:
        """Let the counters of merchants without a seed of their own begin again without repeating ids; return the new seed."""
        self._renewals += 1
        return self._current_seed()

    async def new_id(self, merchant: str, purpose: str, *of: object) -> tuple[float, str]:
        """Return the time on a merchant's clock, and a new UUID for something that the merchant creates.

        `of` is what it belongs to, in a state that it has once, so that the id is new whatever the counters of a snapshot say.
        """
        now, draw = await self.draw(merchant, purpose)
        return now, uuid_from(merchant, *draw, *of)

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Commit a decision with the jobs of the callbacks that it causes; raises `WriteConflict` for an outdated record."""
        if decision.events and (callbacks := callback_jobs(decision, now, self.settings.push_schedule)):
            decision = replace(decision, jobs=(*callbacks, *decision.jobs))
        position = await self.store.commit(merchant, decision, now)
        if self.journal_observer is not None:
            for event in decision.events:
                self.journal_observer.recorded(merchant, EVENT, event_name(event), event, now, event.purchase_id)
        if decision.jobs:
            self._job_observer.jobs_added(merchant, min(job.due for job in decision.jobs) - now)
        return position

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an exchange or a callback to the journal; return its `seq`."""
        seq = await self.store.record(merchant, kind, name, data, at, purchase_id)
        if self.journal_observer is not None:
            self.journal_observer.recorded(merchant, kind, name, data, at, purchase_id)
        return seq

    async def create(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run an attempt that draws ids and commits a new record, and again with the next ids while a record has one of them.

        A snapshot can have more records than its counters say.
        """
        while True:
            try:
                return await attempt()
            except WriteConflict:
                await asyncio.sleep(0)

    async def persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run an attempt that loads, decides and commits, and again while it raises `WriteConflict`; raises `TooManyConflicts`.

        The attempt loads every record that it decides on: others may commit while an engine awaits.
        """
        for _ in range(_TRIES):
            try:
                return await attempt()
            except WriteConflict as conflict:
                last = conflict
        raise TooManyConflicts(f"{last} changes faster than it can be written")

    async def decide(
        self,
        load: Callable[[], Awaitable[R]],
        command: Callable[[R, float], CommandResult[T]],
        loaded: R | None = None,
        now: float | None = None,
        answer: AnswerDecision[T] | None = None,
    ) -> T:
        """Load a record, decide and commit; repeat if the record was outdated, also for a refusal; return the value of the result.

        A caller that has just loaded the record, or knows the time on the merchant's clock, passes them for the first try.
        The answer of a request with an idempotency key is committed together with the result.
        Raises what loading and the command raise, and `TooManyConflicts`.
        """
        record = loaded if loaded is not None else await load()
        last: Exception | None = None
        for _ in range(_TRIES):
            time = now if now is not None else await self.now(record.merchant)
            try:
                result = command(record, time)
                if answer is not None:
                    stored = answer(result.value, time)
                    result = replace(result, writes=(*result.writes, *stored.writes), jobs=(*result.jobs, *stored.jobs))
                await self.commit(record.merchant, result, time)
                return result.value
            except (KlarnaError, MockKlarnaError):
                current = await load()
                if current.version == record.version:
                    raise
                record, now = current, None  # the refusal was about an outdated record
            except WriteConflict as conflict:
                record, now, last = await load(), None, conflict
        raise TooManyConflicts(f"{last or record.key} changes faster than it can be written")

    async def load_existing(self, kind: type[R], key: str) -> R:
        """Load a record; raises `LookupError` if there is none."""
        record = await self.store.get(kind, key)
        if record is None:
            raise LookupError(f"{kind.kind} {key}")
        return record

    async def find(self, kind: type[R], merchant: str | None, key: str, where: str, hint: str) -> R:
        """Load a record for the control API: one of a merchant, or of any for None.

        Raises `UnknownName` if there is none; `where` is the name of the id, such as `purchase_id`, and `hint` where it comes from.
        """
        record = await self.store.get(kind, key)
        if record is None or (merchant is not None and record.merchant != merchant):
            what = where.removesuffix("_id").replace("_", " ")
            raise UnknownName(f"{what} {key[:80]!r} is not known", where=where, hint=hint)
        return record

    async def load_own(self, kind: type[R], merchant: str, key: str, name: str) -> R:
        """Load a merchant's own record; raises `NotFound` for an unknown one and `NotAllowed` for another merchant's.

        A record that belongs to another of Klarna's API hosts is unknown here (klarna.md §1.2).
        """
        return _own(await self.store.get(kind, key), merchant, name)

    async def load_own_purchase(self, merchant: str, token: str) -> Purchase:
        """Load the purchase of a merchant's own token; another merchant's use of a token is an event of its owner.

        Raises `NotFound` for an unknown token, such as the id of a purchase, and `NotAllowed` for another merchant's.
        """
        found = await self.store.get(Purchase, token)
        purchase = found if found is not None and found.authorization_token == token else None
        try:
            return _own(purchase, merchant, "authorization_token")
        except NotAllowed:
            if purchase is not None:
                event = AuthorizationRefused(
                    purchase_id=purchase.purchase_id, authorization_token=token, refused_merchant=merchant
                )
                await self.commit(purchase.merchant, Decision(events=(event,)), await self.now(purchase.merchant))
            raise


def _own(record: R | None, merchant: str, name: str) -> R:
    """Return a record that was loaded, if it is the merchant's; raises what `Context.load_own` raises."""
    if record is not None and record.merchant == merchant:
        return record
    if record is None or host_of(record.merchant) != host_of(merchant):
        raise NotFound(f"{name} is not known")
    raise NotAllowed(f"{name} belongs to merchant {record.merchant!r}, and this request is from {merchant!r}")
