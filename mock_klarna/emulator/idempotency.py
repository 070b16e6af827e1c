"""Executing a request once for each `Klarna-Idempotency-Key` (klarna.md §9.4)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mock_klarna.domain.records import REMEMBERED_SECONDS, RememberedAnswer, remembered
from mock_klarna.emulator.context import Context, digest

MAX_ANSWERS = 10_000
"""Answers that are stored for each merchant; the oldest are deleted first."""
Headers = tuple[tuple[str, str], ...]


class Idempotency:
    """Stores the successful answers of 24 hours; refusals are not stored, so that a request can be corrected."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @asynccontextmanager
    async def turn(self, merchant: str, operation: str, key: str) -> AsyncIterator[str]:
        """Wait until no other request executes the operation under this key; the value is the name for `recall` and `remember`."""
        name = digest(merchant, operation, key).hex()
        async with self._context.store.exclusive(f"idempotency:{name}"):
            yield name

    async def recall(self, merchant: str, name: str) -> RememberedAnswer | None:
        """Return the first answer, or None if there was none in the last 24 hours."""
        answer = await self._context.store.get(RememberedAnswer, name)
        if answer is None or await self._context.now(merchant) >= answer.until:
            return None
        return answer

    async def remember(self, merchant: str, name: str, status: int, body: bytes, headers: Headers) -> None:
        """Store an answer, and delete the merchant's oldest ones if there are too many."""
        now = await self._context.now(merchant)
        await self.forget(name)
        answer = RememberedAnswer(
            merchant=merchant,
            name=name,
            status=status,
            body=body,
            answer_headers=headers,
            until=now + REMEMBERED_SECONDS,
        )
        await self._context.commit(merchant, remembered(answer), now)
        await self._context.store.keep_newest(RememberedAnswer, merchant, MAX_ANSWERS)

    async def forget(self, name: str) -> None:
        """Delete an answer."""
        answer = await self._context.store.get(RememberedAnswer, name)
        if answer is not None:
            await self._context.store.delete(RememberedAnswer, name)
