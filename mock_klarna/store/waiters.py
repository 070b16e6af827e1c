"""Who waits for the next journal entry of a merchant or of a purchase."""

import asyncio
from collections import defaultdict

from mock_klarna.domain.journal import Entry, Watch

_Topic = tuple[str | None, str | None]


class Waiters:
    """Futures by topic, so that an entry wakes only those who wait for its merchant or its purchase."""

    def __init__(self) -> None:
        self._futures: defaultdict[_Topic, set[asyncio.Future[None]]] = defaultdict(set)

    def __bool__(self) -> bool:
        return bool(self._futures)

    def wake(self, entry: Entry) -> None:
        """Wake everybody who waits for this entry."""
        for topic in (
            (entry.merchant, entry.purchase_id),
            (entry.merchant, None),
            (None, None),
            (None, entry.purchase_id),
        ):
            for future in self._futures.pop(topic, ()):
                if not future.done():
                    future.set_result(None)

    async def wait(self, watch: Watch, seconds: float) -> bool:
        """Wait for the next entry of a topic; False when the time ran out first."""
        topic = (watch.merchant, watch.purchase_id)
        future = asyncio.get_running_loop().create_future()
        self._futures[topic].add(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._forget(topic, future)
        return True

    def _forget(self, topic: _Topic, future: "asyncio.Future[None]") -> None:
        waiting = self._futures.get(topic)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._futures[topic]
