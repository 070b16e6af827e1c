"""A merchant's clock and seed, and deleting all that a merchant has."""

from functools import partial
from typing import Any

from msgspec.structs import replace

from mock_klarna.domain.events import ClockMoved, Event
from mock_klarna.domain.records import Decision, FirstHost, Merchant
from mock_klarna.domain.urls import host_of, username_of
from mock_klarna.emulator.context import Context


class Merchants:
    """Commands on whole merchants."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def names(self) -> list[str]:
        """Return the names of all merchants that have data."""
        return await self._context.store.merchants()

    async def offset(self, merchant: str) -> float:
        """Return how many seconds a merchant's clock is ahead of real time."""
        record = await self._context.store.get(Merchant, merchant)
        return record.clock_offset if record else 0.0

    async def move_clock(self, merchant: str, offset: float, *, announce: bool = True) -> None:
        """Set how many seconds a merchant's clock is ahead of real time; only `announce`d moves are events."""
        events = (ClockMoved(seconds=offset),) if announce else ()
        await self._context.persist(lambda: self._change(merchant, *events, clock_offset=offset))

    async def _change(self, merchant: str, *events: Event, **members: Any) -> None:
        record = await self._context.store.get(Merchant, merchant)
        version = record.version + 1 if record else 1
        new = replace(record or Merchant(merchant=merchant), version=version, **members)
        now = self._context.real_time() + new.clock_offset
        await self._context.commit(merchant, Decision(writes=(new,), events=events), now)

    async def first_host(self, merchant: str) -> str:
        """Return the API host where the username of a merchant was used first; that of the merchant, if it was used nowhere."""
        return await self._context.persist(lambda: self._first_host(merchant))

    async def _first_host(self, merchant: str) -> str:
        username = username_of(merchant)
        record = await self._context.store.get(FirstHost, username)
        if record is None:
            record = FirstHost(merchant=merchant, username=username)
            await self._context.commit(merchant, Decision(writes=(record,)), self._context.real_time())
        return host_of(record.merchant)

    async def reset(self, merchant: str | None, seed: str | None = None) -> None:
        """Delete everything of a merchant or of all, and start again with a seed.

        Without one, the server's own seed applies if the settings name it, and else a new one, so that ids are not repeated.
        It is stored only if other servers have to know it.
        """
        names = [merchant] if merchant is not None else await self.names()
        await self._context.store.clear(merchant)
        if seed is None and not self._context.settings.seed:
            fresh = self._context.renew_seed()
            seed = fresh if self._context.store.is_shared else None
        if seed is not None:
            for name in names:
                await self._context.persist(partial(self._change, name, seed=seed))
