"""A merchant's order, and the calls of Order Management."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mock_klarna.client import Answer
from mock_klarna.pytest_plugin.api import MockKlarnaAsync

CLOSED = "http://127.0.0.1:1"
NOBODYS = "00000000-0000-4000-8000-000000000000"
Place = Callable[..., Awaitable[str]]


class Managed:
    """One order under management: every call gives the whole answer."""

    def __init__(self, klarna: MockKlarnaAsync, order_id: str) -> None:
        self.klarna = klarna
        self.order_id = order_id
        self.path = f"/ordermanagement/v1/orders/{order_id}"

    async def get(self, part: str = "") -> Any:
        answer = await self.klarna.send("GET", self.path + part)
        assert answer.status == 200, answer.body
        return answer.body

    async def send(self, method: str, part: str, body: Any = None, *, key: str = "") -> Answer:
        headers = {"Klarna-Idempotency-Key": key} if key else None
        return await self.klarna.send(method, self.path + part, body, headers)

    async def capture(self, amount: int, *, key: str = "", **details: Any) -> Answer:
        return await self.send("POST", "/captures", {"captured_amount": amount, **details}, key=key)

    async def refund(self, amount: int, *, key: str = "", **details: Any) -> Answer:
        return await self.send("POST", "/refunds", {"refunded_amount": amount, **details}, key=key)


@pytest.fixture
async def place(klarna: MockKlarnaAsync, page: Callable[[str], Any]) -> Callable[..., Awaitable[Managed]]:
    """Places an order of 124000 with an outcome of the risk check."""
    urls = {name: f"{CLOSED}/{name}" for name in ("place_order", "terms", "push", "notification")}
    await klarna.create_button(merchant_urls=urls)

    async def placed(outcome: Any = "ACCEPTED") -> Managed:
        bought = await klarna.purchase(page=page("se-battery-pack"), outcome=outcome, wait=0)
        order = await klarna.create_order(bought["authorization_token"], bought["order"])
        return Managed(klarna, order["order_id"])

    return placed


@pytest.fixture
async def order(place: Callable[..., Awaitable[Managed]]) -> Managed:
    """An accepted order of 124000."""
    return await place()


def refusal(answer: Answer) -> tuple[int, str, str]:
    """Status, code and first message of a refusal in the shape of Order Management."""
    assert set(answer.body) == {"error_code", "error_messages", "correlation_id"}, answer.body
    assert answer.body["correlation_id"] == answer.headers["Klarna-Correlation-Id"]
    return answer.status, answer.body["error_code"], answer.body["error_messages"][0]
