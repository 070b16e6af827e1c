"""How many requests a merchant may send in a second (klarna.md §1.5); off unless a setting says otherwise."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mock_klarna.allowed_values import requests_per_second
from mock_klarna.errors import TooManyRequests

CountRequest = Callable[[str, str, int], Awaitable[int]]
"""Counts a request of a merchant under a limit in a second, and returns how many there were."""
SESSION_CALLS = frozenset({"create_button"})
"""Which calls of Instant Shopping count as creating a session is not documented; a button key is the nearest to one."""


@dataclass(slots=True)
class Allowance:
    """The limit of a merchant in the current second, and what remains of it."""

    limit: int
    remaining: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers for the merchant; seconds are in real time, not of the merchant's clock."""
        return {
            "X-Ratelimit-Limit": f"{self.limit}, {self.limit};w=1",
            "X-Ratelimit-Remaining": str(max(self.remaining, 0)),
            "X-Ratelimit-Reset": "1",
        }


class RateLimits:
    """Limits the requests of each merchant in whole seconds of real time; `rate_limit` is the setting."""

    def __init__(self, rate_limit: str, real_time: Callable[[], float], count_request: CountRequest) -> None:
        self._of_sessions, self._of_others = requests_per_second(rate_limit)
        self._real_time = real_time
        self._count_request = count_request

    async def take(self, merchant: str, operation: str) -> Allowance:
        """Count a request and return the remaining number; negative above the limit."""
        is_session = operation in SESSION_CALLS
        limit = self._of_sessions if is_session else self._of_others
        used = await self._count_request(merchant, "sessions" if is_session else "others", int(self._real_time()))
        return Allowance(limit, limit - used)


def used_up(operation: str, rate_limit: str) -> Allowance:
    """Return the exceeded limit of a merchant: by the setting, or without one by the playground's rates."""
    of_sessions, of_others = requests_per_second(rate_limit or "playground")
    return Allowance(of_sessions if operation in SESSION_CALLS else of_others, 0)


def refuse(allowance: Allowance) -> None:
    """Raise `TooManyRequests` for a request above the limit."""
    if allowance.remaining < 0:
        raise TooManyRequests(f"more than {allowance.limit} requests in a second; try again in 1 second")
