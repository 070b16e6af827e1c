"""Locks and counts of one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class KeyedLocks:
    """One lock for each name that somebody uses; nothing is kept of a name that nobody uses any more."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def locked(self, name: str) -> AsyncIterator[None]:
        """Wait until nobody else is in under this name."""
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            self._leave(name)

    def _leave(self, name: str) -> None:
        lock, users = self._locks[name]
        if users == 1:
            del self._locks[name]
        else:
            self._locks[name] = lock, users - 1


_MOST_COUNTS = 10_000


class RequestCounts:
    """How many requests each merchant sent in the current second."""

    def __init__(self) -> None:
        self._second = 0
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, merchant: str, limit: str, second: int) -> int:
        """Count a request under a rate limit, and return how many there were in this second."""
        if second != self._second or len(self._counts) > _MOST_COUNTS:
            self._second, self._counts = second, {}
        counted = self._counts[merchant, limit] = self._counts.get((merchant, limit), 0) + 1
        return counted
