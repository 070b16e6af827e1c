"""What every command needs: the store, the settings, a clock and a seed for each merchant, and the way to commit."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mock_klarna.domain.errors import Conflict, NotAllowed, NotFound
from mock_klarna.domain.hosts import host_of
from mock_klarna.domain.placing import PlacingRules
from mock_klarna.domain.records import Decision, Merchant, Purchase, Record
from mock_klarna.emulator.chance import uuid_from
from mock_klarna.settings import Settings
from mock_klarna.store.port import Store

R = TypeVar("R", bound=Record)
_TRIES = 50


async def _no_answer(_purchase: Purchase, _url: str, _body: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    return {}, "no way to reach the merchant"


class Context:
    """The emulator's surroundings. Whoever runs jobs sets `expect`, whoever calls merchants sets `ask_update`."""

    def __init__(self, store: Store, settings: Settings, real_time: Callable[[], float], seed: str) -> None:
        self.store = store
        self.settings = settings
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
        """Commit a decision and have its jobs looked at; raises `Conflict` when somebody else was first."""
        position = await self.store.commit(merchant, decision, now)
        if decision.jobs:
            self.expect(merchant, min(job.due for job in decision.jobs) - now)
        return position

    async def decide(
        self, kind: type[R], key: str, command: Callable[[R, float], Decision], known: R | None = None
    ) -> Decision:
        """Load a record unless it is known, decide, commit; do it again when somebody else committed in between.

        Raises `LookupError` when there is no such record, and whatever the command raises.
        """
        for _ in range(_TRIES):
            record = known or await self.store.get(kind, key)
            if record is None:
                raise LookupError(key)
            now = await self.now(record.merchant)
            decision = command(record, now)
            try:
                await self.commit(record.merchant, decision, now)
            except Conflict:
                known = None
                continue
            return decision
        raise Conflict(f"{kind.kind} {key} changes faster than it can be written")

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
