"""Locks, counts, and waiting for journal entries, inside one process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import inf

from mock_klarna.domain.journal import JournalFilter


class KeyedLocks:
    """A lock for each name that is in use, for `at_once` callers at a time."""

    def __init__(self, at_once: int = 1) -> None:
        self._at_once = at_once
        self._locks: dict[str, tuple[asyncio.Semaphore, int]] = {}

    def is_used(self, name: str) -> bool:
        """Return whether a caller has the lock of this name."""
        return name in self._locks

    @asynccontextmanager
    async def locked(self, name: str) -> AsyncIterator[None]:
        """Wait until fewer than `at_once` other callers have the lock of this name, and take it."""
        lock, users = self._locks.get(name) or (asyncio.Semaphore(self._at_once), 0)
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


_MAX_COUNTS = 10_000


class RequestCounts:
    """How many requests each merchant sent in the current second."""

    def __init__(self) -> None:
        self._second = 0
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, merchant: str, limit: str, second: int) -> int:
        """Count a request under a rate limit, and return how many there were in this second."""
        if second != self._second or len(self._counts) > _MAX_COUNTS:
            self._second, self._counts = second, {}
        counted = self._counts[merchant, limit] = self._counts.get((merchant, limit), 0) + 1
        return counted


class Waiters:
    """Futures by the filter of the entries that they wait for.

    An entry costs a few look-ups for each set of members that filters have, however many callers wait for other entries.
    """

    def __init__(self) -> None:
        self._futures: dict[JournalFilter, set[asyncio.Future[bool]]] = {}
        self._members: Counter[tuple[str, ...]] = Counter()

    def __bool__(self) -> bool:
        return bool(self._futures)

    def wake(self, entry: JournalFilter) -> None:
        """Wake all callers that wait for an entry, which is given as its narrowest filter."""
        for members in list(self._members):
            for journal_filter in entry.only(members):
                if journal_filter in self._futures:
                    self._wake(journal_filter)

    def wake_all(self) -> None:
        """Wake all callers that wait."""
        for journal_filter in list(self._futures):
            self._wake(journal_filter)

    def cleared(self, merchant: str | None) -> None:
        """Wake all callers whose entries may be among those that were deleted: those of a merchant, or of all for None.

        A caller that waits for any merchant looks at the state again when that of one was deleted, and goes on waiting.
        """
        for journal_filter in list(self._futures):
            is_cleared = merchant is None or journal_filter.merchant == merchant
            if is_cleared or journal_filter.merchant is None:
                self._wake(journal_filter, is_cleared=is_cleared)

    def _wake(self, journal_filter: JournalFilter, *, is_cleared: bool = False) -> None:
        for future in self._remove(journal_filter):
            if not future.done():
                future.set_result(is_cleared)

    def _remove(self, journal_filter: JournalFilter) -> "set[asyncio.Future[bool]]":
        members = journal_filter.members()
        self._members[members] -= 1
        if not self._members[members]:
            del self._members[members]
        return self._futures.pop(journal_filter)

    @contextmanager
    def watching(self, journal_filter: JournalFilter, longest: float = inf) -> Iterator["Watching"]:
        """Notice every entry that matches from now on; each wait ends after `longest` seconds at the latest."""
        watching = Watching(self, journal_filter, longest)
        try:
            yield watching
        finally:
            watching.end()

    async def wait(self, journal_filter: JournalFilter, seconds: float) -> bool:
        """Wait for the next entry that matches; False when the time ran out first, or when the entries were deleted."""
        with self.watching(journal_filter) as watching:
            return await watching.wait(seconds) and not watching.is_cleared

    def add(self, journal_filter: JournalFilter) -> "asyncio.Future[bool]":
        """Return a future that is done with the next entry that matches; its result is whether entries were deleted instead."""
        future = asyncio.get_running_loop().create_future()
        if journal_filter not in self._futures:
            self._futures[journal_filter] = set()
            self._members[journal_filter.members()] += 1
        self._futures[journal_filter].add(future)
        return future

    def forget(self, journal_filter: JournalFilter, future: "asyncio.Future[bool]") -> None:
        """Remove a future that nothing waits for any more."""
        waiting = self._futures.get(journal_filter)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                self._remove(journal_filter)


class Watching:
    """Waits for entries between looks at the state; no entry between a look and the next wait is missed.

    is_cleared: whether a wait ended because the state of the merchant, or of all, was deleted or replaced.
    """

    def __init__(self, waiters: Waiters, journal_filter: JournalFilter, longest: float) -> None:
        self._waiters, self._watch, self._longest = waiters, journal_filter, longest
        self._next = waiters.add(journal_filter)
        self.is_cleared = False

    async def wait(self, seconds: float) -> bool:
        """Wait until there was an entry or the state was deleted since the last wait; False when the time ran out first."""
        try:
            async with asyncio.timeout(min(seconds, self._longest)):
                self.is_cleared |= await asyncio.shield(self._next)
        except TimeoutError:
            return False
        self._next = self._waiters.add(self._watch)
        return True

    def end(self) -> None:
        """Stop."""
        self._waiters.forget(self._watch, self._next)
