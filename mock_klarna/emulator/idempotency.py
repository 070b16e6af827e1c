"""Executing a request once for each `Klarna-Idempotency-Key` (klarna.md §9.4)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mock_klarna.domain.records import RememberedAnswer
from mock_klarna.emulator.context import Context, digest

MAX_ANSWERS = 10_000
"""Answers that are stored for each merchant; the oldest are deleted first."""


class Idempotency:
    """Finds the successful answers of 24 hours; refusals are not stored, so that a request can be corrected.

    A command commits its answer together with what it changes (`remembered`), so that no crash separates them.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    @asynccontextmanager
    async def turn(self, merchant: str, operation: str, key: str) -> AsyncIterator[str]:
        """Wait until no other request executes the operation under this key; the value is the name of its answer."""
        name = digest(merchant, operation, key).hex()
        async with self._context.store.exclusive(f"idempotency:{name}"):
            yield name

    async def recall(self, merchant: str, name: str) -> RememberedAnswer | None:
        """Return the first answer, or None if there was none in the last 24 hours; an older one is deleted."""
        answer = await self._context.store.get(RememberedAnswer, name)
        if answer is None or await self._context.now(merchant) < answer.until:
            return answer
        await self.forget(name)
        return None

    async def delete_oldest(self, merchant: str) -> None:
        """Delete the merchant's oldest answers if there are too many."""
        await self._context.store.keep_newest(RememberedAnswer, merchant, MAX_ANSWERS)

    async def forget(self, name: str) -> None:
        """Delete an answer."""
        answer = await self._context.store.get(RememberedAnswer, name)
        if answer is not None:
            await self._context.store.delete(RememberedAnswer, name)
