"""Klarna's rate limits (protocol 1.5)."""

RATES = {"production": (40, 200), "playground": (5, 50)}
"""Requests a second of one merchant: calls that create a session, and all others."""
SESSION_CALLS = frozenset({"create_button"})
"""Which calls of Instant Shopping count as creating a session is not documented; a button key is the nearest to one."""


def rates(rate_limit: str) -> tuple[int, int]:
    """Return both limits of `production`, `playground` or `N/s`; raises `ValueError` for anything else."""
    if rate_limit in RATES:
        return RATES[rate_limit]
    number, _, unit = rate_limit.partition("/")
    if unit != "s" or not number.isascii() or not number.isdigit() or not int(number):
        raise ValueError(rate_limit)
    return int(number), int(number)
