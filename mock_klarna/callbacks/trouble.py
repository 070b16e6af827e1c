"""Callbacks as faults would have them: late, lost, garbled, twice, out of order."""

import asyncio
from collections import defaultdict
from typing import Any

from mock_klarna.callbacks.merchant_client import MerchantClient
from mock_klarna.domain.deliveries import Attempt, Delivery
from mock_klarna.emulator.faults import Faults

GARBAGE = b'{"authorization_token": "\xff\xfe garbage'
"""What a garbled callback carries: neither UTF-8 nor JSON."""
HELD_AT_MOST = 5.0
"""Seconds that a callback which is to arrive out of order waits for the next one, if none comes."""


class Trouble:
    """Posts a callback the way the merchant's faults ask for, or plainly when there are none."""

    def __init__(self, faults: Faults, client: MerchantClient) -> None:
        self._faults = faults
        self._client = client
        self._passed: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def post(self, delivery: Delivery, at: float) -> list[Attempt]:
        """Send a delivery once, or as often as a fault says; return the attempts made."""
        wish = await self._faults.take(delivery.merchant, "callback", delivery.callback)
        if wish is not None:
            return await self._spoiled(delivery, at, wish)
        attempt = await self._client.post(delivery.url, delivery.body, at)
        self._pass(delivery.merchant)
        return [attempt]

    def _pass(self, merchant: str) -> None:
        """Let those go that wait for a later callback to overtake them."""
        waiting = self._passed.pop(merchant, None)
        if waiting is not None:
            waiting.set()

    async def _spoiled(self, delivery: Delivery, at: float, wish: dict[str, Any]) -> list[Attempt]:
        await asyncio.sleep(wish.get("delay", 0))
        if wish.get("out_of_order"):
            await self._wait_for_next(delivery.merchant)
        if wish.get("drop"):
            return [_never_sent(at, "dropped", None, "a fault dropped it")]
        if wish.get("status"):
            return [_never_sent(at, "answered", wish["status"], "a fault answered in the merchant's place")]
        body = GARBAGE if wish.get("garbage") else delivery.body
        times = 2 if wish.get("twice") else 1
        return [await self._client.post(delivery.url, body, at) for _ in range(times)]

    async def _wait_for_next(self, merchant: str) -> None:
        try:
            async with asyncio.timeout(HELD_AT_MOST):
                await self._passed[merchant].wait()
        except TimeoutError:
            self._passed.pop(merchant, None)


def _never_sent(at: float, outcome: str, status: int | None, error: str) -> Attempt:
    return Attempt(at=at, duration=0.0, outcome=outcome, status=status, error=error)
