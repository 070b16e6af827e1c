"""How many requests a merchant may send in a second (klarna.md §1.5)."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mock_klarna.client import Client
from mock_klarna.errors import TooManyRequests
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from mock_klarna.store.memory import MemoryStore
from mock_klarna.web.rate_limits import RateLimits, refuse


class Clock:
    """A clock that only the test moves; in seconds."""

    def __init__(self) -> None:
        self.now = 1000.25

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("rate_limit", "sessions", "others"), [("production", 40, 200), ("playground", 5, 50), ("7/s", 7, 7)]
)
async def test_each_kind_of_request_has_a_limit_per_second(rate_limit: str, sessions: int, others: int) -> None:
    limits = RateLimits(rate_limit, clock := Clock(), MemoryStore().count_request)
    for operation, limit in (("create_button", sessions), ("capture_order", others)):
        for left in range(limit - 1, -2, -1):
            allowance = await limits.take("shop", operation)
            assert allowance.remaining == left
        with pytest.raises(TooManyRequests):
            refuse(allowance)
        assert allowance.headers["X-Ratelimit-Remaining"] == "0"
        assert (await limits.take("another", operation)).remaining == limit - 1
    clock.now += 0.8
    assert (await limits.take("shop", "create_button")).remaining == sessions - 1


@pytest.fixture
async def limited() -> AsyncIterator[Client]:
    """A client of a server that allows one request in a second."""
    settings = Settings(port=0, rate_limit="1/s")
    async with serve(settings) as running, Client(running.url) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/instantshopping/v1/buttons/x", {"error_code": "too_many_requests"}),
        ("/ordermanagement/v1/orders/x", {"error_code": "TOO_MANY_REQUESTS"}),
    ],
)
async def test_a_request_over_the_limit_gets_429_in_the_format_of_its_api(
    limited: Client, path: str, error: dict[str, str]
) -> None:
    answers = await asyncio.gather(*(limited.send("GET", path) for _ in range(20)))  # in much less than 20 seconds
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert all(answer.body.items() >= error.items() for answer in refused)
    assert refused[0].headers["X-Ratelimit-Limit"] == "1, 1;w=1"
    assert refused[0].headers["X-Ratelimit-Reset"] == "1"
    assert all("X-Ratelimit-Remaining" in answer.headers for answer in answers)
    assert all("Mock-Klarna-Explanation" in answer.headers for answer in answers)


async def test_without_the_setting_there_are_no_rate_limit_headers() -> None:
    async with serve(Settings(port=0)) as running, Client(running.url) as client:
        answer = await client.send("GET", "/instantshopping/v1/buttons/x")
    assert not [name for name in answer.headers if name.lower().startswith("x-ratelimit")]
