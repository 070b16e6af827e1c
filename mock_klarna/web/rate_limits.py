"""How many requests a merchant may send in a second (klarna.md §1.5); off unless a setting says otherwise."""

from collections.abc import Callable
from dataclasses import dataclass

from mock_klarna.errors import TooManyRequests
from mock_klarna.settings import requests_per_second

_MOST_WINDOWS = 10_000
SESSION_CALLS = frozenset({"create_button"})
"""Which calls of Instant Shopping count as creating a session is not documented; a button key is the nearest to one."""


@dataclass(slots=True)
class Allowance:
    """What a merchant may send in the present second, and what is left of it."""

    limit: int
    remaining: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers that tell a merchant so; seconds are real ones, whatever its clock says."""
        return {
            "X-Ratelimit-Limit": f"{self.limit}, {self.limit};w=1",
            "X-Ratelimit-Remaining": str(max(self.remaining, 0)),
            "X-Ratelimit-Reset": "1",
        }


class RateLimits:
    """Counts the requests of each merchant by whole seconds of real time; `rate_limit` is the setting."""

    def __init__(self, rate_limit: str, real_time: Callable[[], float]) -> None:
        self._of_sessions, self._of_others = requests_per_second(rate_limit)
        self._real_time = real_time
        self._second = 0
        self._used: dict[tuple[str, bool], int] = {}

    def take(self, merchant: str, operation: str) -> Allowance:
        """Count a request and return what is left; below 0 it is one too many."""
        second = int(self._real_time())
        if second != self._second or len(self._used) > _MOST_WINDOWS:
            self._second, self._used = second, {}
        is_session = operation in SESSION_CALLS
        used = self._used[merchant, is_session] = self._used.get((merchant, is_session), 0) + 1
        limit = self._of_sessions if is_session else self._of_others
        return Allowance(limit, limit - used)


def used_up(operation: str, rate_limit: str) -> Allowance:
    """Return the allowance of a merchant who has sent too much: by the setting, or by the playground's rates without one."""
    of_sessions, of_others = requests_per_second(rate_limit or "playground")
    return Allowance(of_sessions if operation in SESSION_CALLS else of_others, 0)


def refuse(allowance: Allowance) -> None:
    """Raise `TooManyRequests` for a request that is one too many."""
    if allowance.remaining < 0:
        raise TooManyRequests(f"more than {allowance.limit} requests in a second; try again in 1 second")
