"""Tests that are all the same merchant: each begins and ends with what was there before all of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from mock_klarna.pytest_plugin.commands import Json, MockKlarna


@contextmanager
def as_found(klarna: MockKlarna) -> Iterator[None]:
    """Leave the merchant as it was found, such as with the button keys that a shop made; the journal begins anew."""
    found = klarna.snapshot()
    _back(klarna, found)
    yield
    _back(klarna, found)


def _back(klarna: MockKlarna, found: Json) -> None:
    klarna.reset()
    klarna.load_snapshot(found)


@contextmanager
def emptied(klarna: MockKlarna) -> Iterator[None]:
    """Leave nothing of the merchant."""
    yield
    klarna.reset()
