"""Journals in memory, bounded by size: exchanges and callbacks are dropped first, oldest first, and counted."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import dropwhile, takewhile

from mock_klarna.domain.journal import EVENT, Entry


class JournalBuffer:
    """The journal entries of one merchant in two queues, so that exchanges can be dropped before events.

    size: of all entries in bytes. newest: `seq` of the last entry. dropped: how many entries were dropped. newest_dropped: `seq`
    of the newest of those.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._exchanges: deque[Entry] = deque()
        self._events: deque[Entry] = deque()
        self.size = 0
        self.newest = 0
        self.dropped = 0
        self.newest_dropped = 0

    def __bool__(self) -> bool:
        return bool(self._exchanges or self._events)

    def append(self, entry: Entry) -> None:
        """Add an entry; above the limit, drop exchanges and callbacks first, then events."""
        (self._events if entry.kind == EVENT else self._exchanges).append(entry)
        self.size += entry.size
        self.newest = entry.seq
        if self.size > self._limit:
            self.shrink(self._limit)

    def shrink(self, limit: int, keep: int = 1) -> None:
        """Drop entries until at most `limit` bytes or only the `keep` newest entries are left."""
        while self.size > limit and len(self._exchanges) + len(self._events) > keep:
            entry = self._queue_to_shorten().popleft()
            self.size -= entry.size
            self.dropped += 1
            self.newest_dropped = max(self.newest_dropped, entry.seq)

    def _queue_to_shorten(self) -> deque[Entry]:
        has_older = self._exchanges and self._exchanges[0].seq != self.newest
        return self._exchanges if has_older or not self._events else self._events

    def after(self, seq: int) -> Iterator[Entry]:
        """Yield the entries after a position, oldest first."""
        return merge(_tail(self._events, seq), _tail(self._exchanges, seq), key=lambda entry: entry.seq)

    def before(self, seq: int, after: int) -> Iterator[Entry]:
        """Yield the entries before a position and after another one, newest first."""
        newest = merge(reversed(self._events), reversed(self._exchanges), key=lambda entry: entry.seq, reverse=True)
        return takewhile(lambda entry: entry.seq > after, dropwhile(lambda entry: entry.seq >= seq, newest))

    def find(self, seq: int) -> Entry | None:
        """Return the entry at a position, or None if it was dropped."""
        return next((entry for entry in self.after(seq - 1) if entry.seq == seq), None)


def _tail(queue: deque[Entry], seq: int) -> list[Entry]:
    tail = []
    for entry in reversed(queue):
        if entry.seq <= seq:
            break
        tail.append(entry)
    tail.reverse()
    return tail


_FREED_PART = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits: bytes of each merchant's journal and of all journals together, callbacks of each merchant."""

    journal_bytes: int = 8 << 20
    all_journals_bytes: int = 64 << 20
    most_callbacks: int = 10_000


DEFAULT_BOUNDS = Bounds()


_JOURNAL_BYTES = 4096
"""The approximate memory of a merchant with a journal, without the entries."""


class TotalSize:
    """Keeps all journals together within `limit` bytes, with the merchants that have nothing but a journal.

    An added entry costs one addition: the sum of the added sizes is an upper bound, as entries may have been dropped. When
    the bound is above the limit, the journals are measured and a sixteenth of the limit is freed at once.
    """

    def __init__(self, limit: int, journals: Callable[[], Iterable[JournalBuffer]]) -> None:
        self._limit = limit
        self._journals = journals
        self._upper_bound = 0

    def add(self, size: int, *, is_first: bool) -> bool:
        """Count an added entry, the first of its journal or a further one; above the limit, drop entries and return True."""
        self._upper_bound += size + _JOURNAL_BYTES if is_first else size
        if self._upper_bound <= self._limit:
            return False
        self._make_room()
        return True

    def _make_room(self) -> None:
        """Halve the largest journals until there is room; if that is not enough, empty those without recent entries."""
        journals = [journal for journal in self._journals() if journal]
        self._upper_bound = sum(journal.size + _JOURNAL_BYTES for journal in journals)
        for journal in sorted(journals, key=lambda journal: journal.size, reverse=True):
            self._shrink(journal, journal.size // 2, keep=1)
        for journal in sorted(journals, key=lambda journal: journal.newest)[:-1]:
            self._shrink(journal, 0, keep=0)

    def _shrink(self, journal: JournalBuffer, size: int, keep: int) -> None:
        """Drop entries of a journal until it has `size` bytes, or until all journals together are small enough."""
        excess = self._upper_bound - (self._limit - self._limit // _FREED_PART)
        if excess > 0:
            before = journal.size
            journal.shrink(max(size, before - excess), keep)
            self._upper_bound -= before - journal.size + (0 if journal else _JOURNAL_BYTES)
