"""An engine that really awaits, as one over a network does: others get their turn before and after every call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from random import Random
from typing import Any

from mock_klarna.domain.journal import JournalFilter
from mock_klarna.store.base import Store
from mock_klarna.store.in_process import Watching

MOST_TURNS = 3
"""How often others may get their turn before and after a call."""


class Awaiting:
    """A store whose every call lets others go first, as often as `seed` says."""

    def __init__(self, store: Store, seed: int = 0) -> None:
        self._store = store
        self._random = Random(seed)

    async def _wait(self) -> None:
        for _ in range(self._random.randint(1, MOST_TURNS)):
            await asyncio.sleep(0)

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Let nobody else in under the same name meanwhile."""
        return self._store.exclusive(name)

    def watching(self, watch: JournalFilter) -> AbstractContextManager[Watching]:
        """Notice every entry of a merchant or a purchase from now on."""
        return self._store.watching(watch)

    def forget_preloaded(self) -> None:
        """Let the running task read everything anew."""
        self._store.forget_preloaded()

    def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs another server left."""
        return self._store.overdue()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._store, name)

        async def awaiting(*args: Any, **named: Any) -> Any:
            await self._wait()
            try:
                return await call(*args, **named)
            finally:
                await self._wait()

        return awaiting
