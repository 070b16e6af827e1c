"""Rate limits per merchant and second (protocol 1.5); off by default."""

from collections.abc import Callable
from dataclasses import dataclass

from mock_klarna.errors import TooManyRequests
from mock_klarna.settings import requests_per_second

_MAX_COUNTERS = 10_000


@dataclass(slots=True)
class Allowance:
    """The number of requests that a merchant may send in the current second, and how many are left."""

    limit: int
    remaining: int

    @property
    def headers(self) -> dict[str, str]:
        """The response headers; they count real seconds, not those of the merchant's clock."""
        return {
            "X-Ratelimit-Limit": f"{self.limit}, {self.limit};w=1",
            "X-Ratelimit-Remaining": str(max(self.remaining, 0)),
            "X-Ratelimit-Reset": "1",
        }


class RateLimits:
    """Counts the requests of each merchant in each second of real time; `rate_limit` is the setting."""

    def __init__(self, rate_limit: str, real_time: Callable[[], float]) -> None:
        self._of_sessions, self._of_others = requests_per_second(rate_limit)
        self._real_time = real_time
        self._second = 0
        self._used: dict[tuple[str, bool], int] = {}

    def take(self, merchant: str, operation: str) -> Allowance:
        """Count a request and return what is left; less than 0 is one request too many."""
        second = int(self._real_time())
        if second != self._second or len(self._used) > _MAX_COUNTERS:
            self._second, self._used = second, {}
        is_session = operation in SESSION_CALLS
        used = self._used[merchant, is_session] = self._used.get((merchant, is_session), 0) + 1
        limit = self._of_sessions if is_session else self._of_others
        return Allowance(limit, limit - used)


def used_up(operation: str, rate_limit: str) -> Allowance:
    """Return an allowance that is used up: by the setting, or by the playground's rates if it is not set."""
    of_sessions, of_others = rates(rate_limit or "playground")
    return Allowance(of_sessions if operation in SESSION_CALLS else of_others, 0)


def refuse(allowance: Allowance) -> None:
    """Raise `TooManyRequests` if the allowance is exceeded."""
    if allowance.remaining < 0:
        raise TooManyRequests(f"more than {allowance.limit} requests in a second; try again in 1 second")
