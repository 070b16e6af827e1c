"""When a callback that has to be repeated is sent again (protocol 4.4 and 4.5). Seconds on the merchant's clock."""

from collections.abc import Mapping
from itertools import count, takewhile

_MINUTE, _HOUR = 60, 3600


def _until(end: int, first: tuple[int, ...], every: int) -> tuple[int, ...]:
    return first + tuple(takewhile(lambda at: at <= end, count(first[-1] + every, every)))


SCHEDULES: Mapping[str, tuple[int, ...]] = {
    "push": _until(48 * _HOUR, (5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 60 * _MINUTE), 4 * _HOUR),
    "push-old": _until(48 * _HOUR, (2 * _MINUTE,), 2 * _HOUR),
    "notification": _until(24 * _HOUR, (0,), 10 * _MINUTE),
}
"""Seconds after the event at which each try is due: `push` until the order is acknowledged, `notification` until HTTP 200."""


def first_pause(schedule: str) -> int:
    """Return the seconds between the event and the first try."""
    return SCHEDULES[schedule][0]


def pause_after(schedule: str, number: int) -> int | None:
    """Return the seconds between try `number` (from 1) and the one that follows, or None when it was the last."""
    tries = SCHEDULES[schedule]
    return tries[number] - tries[number - 1] if number < len(tries) else None
