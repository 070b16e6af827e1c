"""What all merchants' journals may take together: the largest give way first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mock_klarna.store.pages import Pages

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

    def __init__(self, most_bytes: int, journals: Callable[[], Iterable[Pages]]) -> None:
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
        self._at_most = sum(pages.size for pages in journals)
        for pages in sorted(journals, key=lambda pages: pages.size, reverse=True):
            self._shrink(pages, pages.size // 2, keep=1)
        for pages in sorted(journals, key=lambda pages: pages.newest)[:-1]:
            self._shrink(pages, 0, keep=0)

    def _shrink(self, pages: Pages, most: int, keep: int) -> None:
        excess = self._at_most - (self._most - self._most // _SHARE_FREED)
        if excess > 0:
            before = pages.size
            pages.shrink(max(most, before - excess), keep)
            self._at_most -= before - pages.size
