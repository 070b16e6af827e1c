"""One merchant's journal in memory, bounded by size: the bulky entries are dropped first, oldest first, and counted."""

from collections import deque
from collections.abc import Iterator
from heapq import merge

from mock_klarna.domain.journal import EVENT, Entry


class Pages:
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
