"""Durations as people write them: a number of seconds, or `90s`, `5m`, `2h`, `1d`, `1h30m`."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")


def seconds(duration: float | str) -> float:
    """Return a duration in seconds; raises `ValueError` for text that is none."""
    if not isinstance(duration, str):
        return float(duration)
    if not _WHOLE.fullmatch(duration):
        raise ValueError(f"{duration!r} is not a duration such as 90s, 5m, 2h, 1d or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
