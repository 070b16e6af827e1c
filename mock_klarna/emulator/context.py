"""What every command needs: the store, the settings, a clock and a seed for each merchant, and the way to commit."""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any, TypeVar

from mock_klarna.domain.events import AuthorizationRefused
from mock_klarna.domain.purchase import PlacingRules
from mock_klarna.domain.records import Decision, Merchant, Purchase, Record
from mock_klarna.domain.urls import host_of
from mock_klarna.errors import NotAllowed, NotFound, WriteConflict
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store
from mock_klarna.validation import shared_validator

_VERSION_4 = 0x00000000_0000_4000_8000_000000000000
_RANDOM = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF


def digest(*parts: object) -> bytes:
    """Return sixteen bytes that depend on every part and on nothing else."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()


def uuid_from(*parts: object) -> str:
    """Return a UUID (version 4 in form, C-21) that depends on every part and on nothing else."""
    text = "%032x" % (int.from_bytes(digest(*parts)) & _RANDOM | _VERSION_4)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


R = TypeVar("R", bound=Record)
T = TypeVar("T")
_TRIES = 50


async def _no_answer(_purchase: Purchase, _url: str, _body: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    return {}, "no way to reach the merchant"


class Context:
    """The emulator's surroundings. Whoever runs jobs sets `expect`, whoever calls merchants sets `ask_update`."""

    def __init__(self, store: Store, settings: Settings, real_time: Callable[[], float], seed: str) -> None:
        self.store = store
        self.settings = settings
        self.validator = shared_validator(strict=settings.strict)
        self.real_time = real_time
        self.default_seed = seed
        self.expect: Callable[[str, float], None] = lambda merchant, seconds: None
        self.ask_update: Callable[[Purchase, str, dict[str, Any]], Awaitable[tuple[dict[str, Any], str | None]]]
        self.ask_update = _no_answer
        self.rules = PlacingRules(
            strict=settings.strict,
            timeout_ends_token=settings.timeout_ends_token,
            token_lifetime=settings.token_lifetime,
            confirmation_order_id=settings.confirmation_order_id,
            push_schedule=settings.push_schedule,
        )

    async def now(self, merchant: str) -> float:
        """Return the time on a merchant's own clock, seconds in UTC."""
        held = await self.store.get(Merchant, merchant)
        return self.real_time() + (held.clock_offset if held else 0.0)

    async def chance(self, merchant: str, what: str) -> tuple[str, str, int]:
        """Return the next draw of a merchant's chance for one purpose: seed, purpose and number."""
        held = await self.store.get(Merchant, merchant)
        seed = held.seed if held and held.seed is not None else self.default_seed
        return seed, what, await self.store.count(merchant, what)

    async def new_id(self, merchant: str, what: str) -> str:
        """Return a fresh UUID for something of a merchant."""
        return uuid_from(merchant, *await self.chance(merchant, what))

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Commit a decision and have its jobs looked at; raises `WriteConflict` when somebody else was first."""
        position = await self.store.commit(merchant, decision, now)
        if decision.jobs:
            self.expect(merchant, min(job.due for job in decision.jobs) - now)
        return position

    async def persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Load, decide and commit, and do all of it again when somebody else committed in between.

        Whatever a decision rests on is loaded by the attempt itself: an engine that really awaits lets others commit
        between any two calls. Raises what the attempt raises.
        """
        for _ in range(_TRIES):
            try:
                return await attempt()
            except WriteConflict as conflict:
                last = conflict
        raise WriteConflict(f"{last} changes faster than it can be written")

    async def decide(
        self, load: Callable[[], Awaitable[R]], command: Callable[[R, float], Decision]
    ) -> tuple[R, Decision]:
        """Decide on a record and commit, again with the record as it is then when somebody else was first.

        Returns the record as it was decided on, and the decision; raises what loading and the command raise.
        """

        async def attempt() -> tuple[R, Decision]:
            record = await load()
            now = await self.now(record.merchant)
            decision = command(record, now)
            await self.commit(record.merchant, decision, now)
            return record, decision

        return await self.persist(attempt)

    async def found(self, kind: type[R], key: str) -> R:
        """Load a record; raises `LookupError` when there is none."""
        record = await self.store.get(kind, key)
        if record is None:
            raise LookupError(f"{kind.kind} {key}")
        return record

    async def own(self, kind: type[R], merchant: str, key: str, name: str) -> R:
        """Load a merchant's own record; raises `NotFound` for an unknown one and `NotAllowed` for another merchant's.

        What belongs to another of Klarna's API hosts is unknown here (protocol 1.2).
        """
        record = await self.store.get(kind, key)
        if record is not None and record.merchant == merchant:
            return record
        if record is None or host_of(record.merchant) != host_of(merchant):
            raise NotFound(f"{name} is not known")
        raise NotAllowed(f"{name} belongs to another merchant")

    async def own_purchase(self, merchant: str, token: str) -> Purchase:
        """Load the purchase of a merchant's own token; that somebody else used it is told to whom it belongs.

        Raises `NotFound` for an unknown token and `NotAllowed` for another merchant's.
        """
        try:
            return await self.own(Purchase, merchant, token, "authorization_token")
        except NotAllowed:
            await self._tell_owner(merchant, token)
            raise

    async def _tell_owner(self, merchant: str, token: str) -> None:
        purchase = await self.store.get(Purchase, token)
        if purchase is not None and purchase.authorization_token == token:
            event = AuthorizationRefused(
                purchase_id=purchase.purchase_id, authorization_token=token, refused_merchant=merchant
            )
            await self.commit(purchase.merchant, Decision(events=(event,)), await self.now(purchase.merchant))
