"""Compacting a log while lines are added to it: when, and in which steps, so that nothing is lost and nobody waits long."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from mock_klarna.store.draft import Abandoned, Draft
from mock_klarna.store.lines import Line
from mock_klarna.store.log import Log
from mock_klarna.store.snapshot import MerchantSnapshot, encode

_log = logging.getLogger(__name__)
_REST = 1 << 18
"""Bytes that may be left to copy in the last step, for which everybody waits."""
_ROUNDS = 10


def shortest_log(seq: int, states: Mapping[str, MerchantSnapshot]) -> Iterator[Line]:
    """Yield the lines that lead to a state of all merchants; `seq` is the journal's position."""
    yield {"do": "go_on", "seq": seq}
    for merchant, state in states.items():
        for record in state.records:
            yield {"do": "commit", "merchant": merchant, "writes": [[record.kind, encode(record)]]}
        jobs = [encode(job) for job in state.jobs]
        yield {"do": "commit", "merchant": merchant, "jobs": jobs, "counters": state.counters}


class Compaction:
    """Compacts a log when it has grown by as much as it was after the last time, and by `growth` bytes at least.

    `shortest` gives the lines of the present state; they are read in a thread, so what they come from must not change.
    """

    def __init__(self, log: Log, shortest: Callable[[], Iterable[Line]], growth: int) -> None:
        self._log = log
        self._shortest = shortest
        self._growth = growth
        self._limit = log.size + max(log.size, growth)
        self._draft: Draft | None = None
        self._task: asyncio.Task[None] | None = None
        self._put_off = 0

    def consider(self) -> None:
        """Begin to compact, once the line that was just added has had its effect, if it is time and nobody does it yet."""
        if self._log.size > self._limit and self._task is None and not self._put_off:
            self._task = asyncio.create_task(self._compact())

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Begin no compaction while several lines are added that only together have an effect."""
        self._put_off += 1
        try:
            yield
        finally:
            self._put_off -= 1

    async def stop(self) -> None:
        """Leave off, if that can be; the old file is as good."""
        if self._draft is not None:
            self._draft.abandon()
        if self._task is not None:
            await self._task

    async def _compact(self) -> None:
        try:
            await self._write()
            await asyncio.to_thread(self._log.sync)
        except Abandoned:
            _log.debug("the store's file was not compacted: the server ends")
        except OSError as fault:
            _log.error("the store's file was not compacted and goes on as it is: %s", fault.strerror)
            self._limit = self._log.size + self._growth
        finally:
            self._draft = self._task = None

    async def _write(self) -> None:
        draft = self._draft = self._log.draft()
        try:
            await self._fill(draft)
            self._log.follow(draft)
        except BaseException:
            draft.discard()
            raise

    async def _fill(self, draft: Draft) -> None:
        """Write the state as it is now, then what was added meanwhile, which gets less; the last bit is left."""
        await asyncio.to_thread(draft.write, self._shortest())
        self._limit = draft.size + max(draft.size, self._growth)
        for _ in range(_ROUNDS):
            if self._log.size - draft.covered <= _REST:
                break
            await asyncio.to_thread(draft.catch_up, self._log.size)
