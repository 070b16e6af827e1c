"""One merchant's journal in memory, bounded by size: the bulky entries are dropped first, oldest first, and counted."""

from collections import deque
from collections.abc import Iterator
from heapq import merge

from mock_klarna.domain.journal import EVENT, Entry


class Pages:
    """Journal entries of one merchant in two queues, so that exchanges can go while the events stay."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bulky: deque[Entry] = deque()
        self._events: deque[Entry] = deque()
        self._size = 0
        self.dropped = 0

    def append(self, entry: Entry) -> None:
        """Add an entry; when that is too much, drop exchanges and callbacks first and events only after them."""
        (self._events if entry.kind == EVENT else self._bulky).append(entry)
        self._size += entry.size
        if self._size > self._most:
            self._make_room(entry)

    def _make_room(self, newest: Entry) -> None:
        while self._size > self._most and len(self._bulky) + len(self._events) > 1:
            queue = self._bulky if self._bulky and self._bulky[0] is not newest else self._events
            self._size -= queue.popleft().size
            self.dropped += 1

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
