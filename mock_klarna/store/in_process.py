"""Locks, counts, and waiting for journal entries, inside one process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import inf

from mock_klarna.domain.journal import Entry, JournalFilter


class KeyedLocks:
    """A lock for each name that is in use."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def locked(self, name: str) -> AsyncIterator[None]:
        """Wait until no other caller has the lock of this name, and take it."""
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


_Topic = tuple[str | None, str | None]


class Waiters:
    """Futures by topic, so that an entry wakes only those who wait for its merchant or its purchase."""

    def __init__(self) -> None:
        self._futures: defaultdict[_Topic, set[asyncio.Future[None]]] = defaultdict(set)

    def __bool__(self) -> bool:
        return bool(self._futures)

    def wake(self, entry: Entry) -> None:
        """Wake all callers that wait for this entry."""
        for topic in (
            (entry.merchant, entry.purchase_id),
            (entry.merchant, None),
            (None, None),
            (None, entry.purchase_id),
        ):
            for future in self._futures.pop(topic, ()):
                if not future.done():
                    future.set_result(None)

    def wake_all(self) -> None:
        """Wake all callers that wait."""
        for topic in list(self._futures):
            for future in self._futures.pop(topic):
                if not future.done():
                    future.set_result(None)

    @contextmanager
    def watching(self, watch: JournalFilter, longest: float = inf) -> Iterator["Watching"]:
        """Notice every entry of a topic from now on; each wait ends after `longest` seconds at the latest."""
        watching = Watching(self, (watch.merchant, watch.purchase_id), longest)
        try:
            yield watching
        finally:
            watching.end()

    async def wait(self, watch: JournalFilter, seconds: float) -> bool:
        """Wait for the next entry of a topic; False when the time ran out first."""
        with self.watching(watch) as watching:
            return await watching.wait(seconds)

    def add(self, topic: _Topic) -> "asyncio.Future[None]":
        """Return a future that is done with the next entry of a topic."""
        future = asyncio.get_running_loop().create_future()
        self._futures[topic].add(future)
        return future

    def forget(self, topic: _Topic, future: "asyncio.Future[None]") -> None:
        """Remove a future that nothing waits for any more."""
        waiting = self._futures.get(topic)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._futures[topic]


class Watching:
    """Waits for entries between looks at the state; no entry between a look and the next wait is missed."""

    def __init__(self, waiters: Waiters, topic: _Topic, longest: float) -> None:
        self._waiters, self._topic, self._longest = waiters, topic, longest
        self._next = waiters.add(topic)

    async def wait(self, seconds: float) -> bool:
        """Wait for an entry since the last wait; False when the time ran out first."""
        try:
            async with asyncio.timeout(min(seconds, self._longest)):
                await asyncio.shield(self._next)
        except TimeoutError:
            return False
        self._next = self._waiters.add(self._topic)
        return True

    def end(self) -> None:
        """Stop."""
        self._waiters.forget(self._topic, self._next)
