"""One merchant's journal in memory, bounded by size: the bulky entries are dropped first, oldest first, and counted."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge

from mock_klarna.domain.journal import EVENT, Entry


class JournalBuffer:
    """Journal entries of one merchant in two queues, so that exchanges can go while the events stay.

    `size` is what they take in bytes, `newest` the `seq` of the last one, `dropped` how many had to go.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bulky: deque[Entry] = deque()
        self._events: deque[Entry] = deque()
        self.size = 0
        self.newest = 0
        self.dropped = 0

    def append(self, entry: Entry) -> None:
        """Add an entry; when that is too much, drop exchanges and callbacks first and events only after them."""
        (self._events if entry.kind == EVENT else self._bulky).append(entry)
        self.size += entry.size
        self.newest = entry.seq
        if self.size > self._most:
            self.shrink(self._most)

    def shrink(self, most: int, keep: int = 1) -> None:
        """Drop entries until no more than `most` bytes are left, or the `keep` newest ones, which may be more than that."""
        while self.size > most and len(self._bulky) + len(self._events) > keep:
            self.size -= self._next_to_go().popleft().size
            self.dropped += 1

    def _next_to_go(self) -> deque[Entry]:
        has_older = self._bulky and self._bulky[0].seq != self.newest
        return self._bulky if has_older or not self._events else self._events

    def after(self, seq: int) -> Iterator[Entry]:
        """Yield the entries after a position, oldest first."""
        return merge(_tail(self._events, seq), _tail(self._bulky, seq), key=lambda entry: entry.seq)

    def find(self, seq: int) -> Entry | None:
        """Return the entry at a position, if it is still here."""
        return next((entry for entry in self.after(seq - 1) if entry.seq == seq), None)


def _tail(queue: deque[Entry], seq: int) -> list[Entry]:
    tail = []
    for entry in reversed(queue):
        if entry.seq <= seq:
            break
        tail.append(entry)
    tail.reverse()
    return tail


_SHARE_FREED = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept at the most: bytes of each merchant's journal and of all together, callbacks of each merchant."""

    journal_bytes: int = 8 << 20
    all_journals_bytes: int = 64 << 20
    most_callbacks: int = 10_000


USUAL = Bounds()
"""What is kept where nobody says otherwise."""


class Budget:
    """Keeps journals within `most_bytes` together; an entry costs one addition, and all are looked at once in a while.

    What was added since the last look is the most that the journals can have grown by. When that is too much they are
    measured, and a sixteenth of everything is made free at once, so that the next look is far away.
    """

    def __init__(self, most_bytes: int, journals: Callable[[], Iterable[JournalBuffer]]) -> None:
        self._most = most_bytes
        self._journals = journals
        self._at_most = 0

    def spend(self, size: int) -> None:
        """Count an entry that was added; when that is too much, make room."""
        self._at_most += size
        if self._at_most > self._most:
            self._make_room()

    def _make_room(self) -> None:
        """Halve the largest, then the next one, until there is room; where that is not enough, empty the quietest."""
        journals = list(self._journals())
        self._at_most = sum(journal.size for journal in journals)
        for journal in sorted(journals, key=lambda journal: journal.size, reverse=True):
            self._shrink(journal, journal.size // 2, keep=1)
        for journal in sorted(journals, key=lambda journal: journal.newest)[:-1]:
            self._shrink(journal, 0, keep=0)

    def _shrink(self, journal: JournalBuffer, most: int, keep: int) -> None:
        excess = self._at_most - (self._most - self._most // _SHARE_FREED)
        if excess > 0:
            before = journal.size
            journal.shrink(max(most, before - excess), keep)
            self._at_most -= before - journal.size
