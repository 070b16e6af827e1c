"""A placed order and the requests of Order Management about it."""

from typing import Any

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Answer

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
"""A valid id that no order, capture, refund or token has."""


class ManagedOrder:
    """One order; `send`, `capture` and `refund` return the whole answer, whatever its status."""

    def __init__(self, klarna: MockKlarnaAsync, order_id: str) -> None:
        self.klarna = klarna
        self.order_id = order_id
        self.path = f"/ordermanagement/v1/orders/{order_id}"

    async def get(self, part: str = "") -> Any:
        """Return the order, or a part of it by the rest of its path; fails if the status is not 200."""
        answer = await self.klarna.send("GET", self.path + part)
        assert answer.status == 200, answer.body
        return answer.body

    async def send(self, method: str, part: str, body: Any = None, *, key: str = "") -> Answer:
        """Send a request to the rest of the order's path, with an idempotency key if one is given."""
        headers = {"Klarna-Idempotency-Key": key} if key else None
        return await self.klarna.send(method, self.path + part, body, headers)

    async def capture(self, amount: int, *, key: str = "", **details: Any) -> Answer:
        """Capture an amount."""
        return await self.send("POST", "/captures", {"captured_amount": amount, **details}, key=key)

    async def refund(self, amount: int, *, key: str = "", **details: Any) -> Answer:
        """Refund an amount."""
        return await self.send("POST", "/refunds", {"refunded_amount": amount, **details}, key=key)


def error_of(answer: Answer) -> tuple[int, str, str]:
    """Return status, code and first message of an error in the format of Order Management."""
    assert set(answer.body) == {"error_code", "error_messages", "correlation_id"}, answer.body
    assert answer.body["correlation_id"] == answer.headers["Klarna-Correlation-Id"]
    return answer.status, answer.body["error_code"], answer.body["error_messages"][0]
