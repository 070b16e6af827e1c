"""An engine that really awaits, as one over a network does: others get their turn before and after every call."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from mock_klarna.store.base import Store

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

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._store, name)

        async def awaiting(*args: Any, **named: Any) -> Any:
            await self._wait()
            try:
                return await call(*args, **named)
            finally:
                await self._wait()

        return awaiting
