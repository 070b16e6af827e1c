"""Times on a merchant's clock: their range, their text, and durations; and days on which shoppers can be born."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from mock_klarna.errors import InvalidInput, Problem

EARLIEST = 0.0
"""1970-01-01T00:00:00Z, the first time that a clock can have."""
LATEST = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""The last time that a clock can have; what is due or expires after it still has a text."""
LAST_SECOND = 253402300799.0
"""9999-12-31T23:59:59Z, the last second that has a text."""
_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST, _LAST = (edge.replace(tzinfo=UTC) for edge in (datetime.min, datetime.max))


def utc(seconds: float) -> datetime:
    """Return seconds since 1970 as a time in UTC; a time outside the years 1 to 9999 becomes the nearest one inside."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return _FIRST if seconds < 0 else _LAST


def moment(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC with milliseconds and a literal Z (klarna.md §13)."""
    return utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_since_1970(text: str) -> float:
    """Return the time that a text names, as `moment` returns it, in seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def precise_moment(seconds: float) -> str:
    """Return a time as `moment` does, with microseconds: what happens in one millisecond has an order."""
    return utc(seconds).isoformat(timespec="microseconds").replace("+00:00", "Z")


def require_reachable(seconds: float, name: str, sent: object) -> None:
    """Raise `InvalidInput` for a time out of range; `name` and `sent` are the member of the body and its value."""
    if not EARLIEST <= seconds <= LATEST:
        hint = f"a time of the clock from {moment(EARLIEST)} to {moment(LATEST)}; this would be {moment(seconds)}"
        raise InvalidInput([Problem(name, "range", sent, hint)], where="body")


EARLIEST_BIRTH = "1900-01-01"
"""The first day on which a shopper can be born."""
SHOPPERS_DAY = date(2026, 1, 1)
"""The day for which the ages of shoppers are calculated by default, so that they are the same in every run."""


def last_birth(today: date) -> date:
    """Return the last day on which a shopper can be born: today, or the day for which shoppers are generated if that is later.

    Tests freeze clocks, and machines without a battery start in 1970; test shoppers can buy there too.
    """
    return max(today, SHOPPERS_DAY)


@lru_cache(maxsize=1024)
def is_birth(text: str, last: date) -> bool:
    """Return whether a text in the form 1985-10-20 is a day that exists, from 1900 to `last`."""
    return len(text) == len(EARLIEST_BIRTH) and is_day(text) and EARLIEST_BIRTH <= text <= last.isoformat()


def is_day(text: str) -> bool:
    """Return whether a text in the form 1985-10-20 is a day that exists."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")


def seconds(duration: float | str) -> float:
    """Return a duration in seconds; raises `ValueError` for invalid text."""
    if not isinstance(duration, str):
        return float(duration)
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is not a duration such as 90s, 5m, 2h, 1d or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
