"""An engine that really awaits, as one over a network does: others get their turn before and after every call."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing
from random import Random
from typing import Any

from mock_klarna.domain.journal import JournalFilter
from mock_klarna.store.base import Store
from mock_klarna.store.in_process import Watching
from mock_klarna.store.snapshot_stream import Portion

MAX_TURNS = 3
"""How often others may get their turn before and after a call."""


class Awaiting:
    """A store whose every call lets others go first, as often as `seed` says."""

    def __init__(self, store: Store, seed: int = 0) -> None:
        self._store = store
        self.is_shared = store.is_shared
        self._random = Random(seed)

    async def _wait(self) -> None:
        for _ in range(self._random.randint(1, MAX_TURNS)):
            await asyncio.sleep(0)

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Let nobody else in under the same name meanwhile."""
        return self._store.exclusive(name)

    def watching(self, journal_filter: JournalFilter) -> AbstractContextManager[Watching]:
        """Notice every entry of a merchant or a purchase from now on."""
        return self._store.watching(journal_filter)

    def forget_preloaded(self, *, keep_draws: bool = False) -> None:
        """Let the running task read everything anew."""
        self._store.forget_preloaded(keep_draws=keep_draws)

    def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs another server left."""
        return self._store.overdue()

    async def dump(self, merchants: Sequence[str] | None = None) -> AsyncGenerator[Portion, None]:
        """Yield the portions of a snapshot."""
        async with aclosing(self._store.dump(merchants)) as portions:
            async for portion in portions:
                await self._wait()
                yield portion

    async def newest_first(self, *args: Any, **named: Any) -> AsyncGenerator[Any, None]:
        """Yield records, newest first."""
        async with aclosing(self._store.newest_first(*args, **named)) as records:
            async for record in records:
                await self._wait()
                yield record

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._store, name)

        async def awaiting(*args: Any, **named: Any) -> Any:
            await self._wait()
            try:
                return await call(*args, **named)
            finally:
                await self._wait()

        return awaiting
