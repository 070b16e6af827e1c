"""The default engine: everything in this process, gone with it.

It never really awaits, but to load a snapshot, so it is as fast as dicts.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from heapq import merge
from itertools import chain, islice
from math import inf
from typing import Any, NamedTuple, TypeVar

from mock_klarna.domain.events import event_name
from mock_klarna.domain.journal import EVENT, EVENT_BYTES, NOBODY, Entry, Exchange, Sent, Watch
from mock_klarna.domain.records import Decision, Job, Merchant, Record
from mock_klarna.store.exclusion import KeyedLocks
from mock_klarna.store.journal import USUAL, Bounds, Budget
from mock_klarna.store.snapshot import VERSION, MerchantState, read_snapshot
from mock_klarna.store.tables import Named, Namespace, Shelf, named

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

    def wake_all(self) -> None:
        """Wake everybody."""
        for topic in list(self._futures):
            for future in self._futures.pop(topic):
                if not future.done():
                    future.set_result(None)

    @contextmanager
    def watching(self, watch: Watch, longest: float = inf) -> Iterator["Watching"]:
        """Notice every entry of a topic from now on; a wait ends after `longest` seconds, so that one can look anyway."""
        watching = Watching(self, (watch.merchant, watch.purchase_id), longest)
        try:
            yield watching
        finally:
            watching.end()

    async def wait(self, watch: Watch, seconds: float) -> bool:
        """Wait for the next entry of a topic; False when the time ran out first."""
        with self.watching(watch) as watching:
            return await watching.wait(seconds)

    def add(self, topic: _Topic) -> "asyncio.Future[None]":
        """Return a future that ends with the next entry of a topic."""
        future = asyncio.get_running_loop().create_future()
        self._futures[topic].add(future)
        return future

    def forget(self, topic: _Topic, future: "asyncio.Future[None]") -> None:
        """Wait for a future no more."""
        waiting = self._futures.get(topic)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._futures[topic]


class Prepared(NamedTuple):
    """The merchants of a snapshot, and their records by name."""

    spaces: dict[str, Namespace]
    named: Named


def prepared(state: Any, journal_bytes: int, most_callbacks: int) -> Prepared:
    """Return what a snapshot holds, wholly read; takes long for a large one. Raises `MockKlarnaError` if it is damaged."""
    spaces = {name: _space(held, journal_bytes, most_callbacks) for name, held in read_snapshot(state).items()}
    return Prepared(spaces, named(chain.from_iterable(space.everything() for space in spaces.values())))


def _space(held: MerchantState, journal_bytes: int, most_callbacks: int) -> Namespace:
    space = Namespace(journal_bytes, most_callbacks)
    for record in held.records:
        space.put(record)
    for job in held.jobs:
        space.agenda.add(job)
    space.counters.update(held.counters)
    return space

class Watching:
    """Who looks at something again and again: no entry between a look and the wait after it goes unnoticed."""

    def __init__(self, waiters: Waiters, topic: _Topic, longest: float) -> None:
        self._waiters, self._topic, self._longest = waiters, topic, longest
        self._next = waiters.add(topic)

    async def wait(self, seconds: float) -> bool:
        """Wait until something was noticed since the last wait; False when the time ran out first."""
        try:
            async with asyncio.timeout(min(seconds, self._longest)):
                await asyncio.shield(self._next)
        except TimeoutError:
            return False
        self._next = self._waiters.add(self._topic)
        return True

    def end(self) -> None:
        """Notice nothing any more."""
        self._waiters.forget(self._topic, self._next)


R = TypeVar("R", bound=Record)


class MemoryStore:
    """A store in dicts, within bounds."""

    def __init__(self, bounds: Bounds = USUAL) -> None:
        self._bounds = bounds
        self._namespaces: dict[str, Namespace] = {}
        self._budget = Budget(bounds.all_journals_bytes, lambda: (space.pages for space in self._namespaces.values()))
        self._shelf = Shelf()
        self._waiters = Waiters()
        self._seq = 0
        self._locks = KeyedLocks()

    def _namespace(self, merchant: str) -> Namespace:
        found = self._namespaces.get(merchant)
        if found is None:
            found = self._namespaces[merchant] = Namespace(self._bounds.journal_bytes, self._bounds.most_callbacks)
        return found

    async def open(self) -> None:
        """Connect to the engine: here there is nothing to do."""

    async def preload(self, merchant: str, *names: str, draws: Sequence[str] = ()) -> None:
        """Do nothing: everything is near."""

    def forget_preloaded(self) -> None:
        """Do nothing."""

    async def count_records(self, kind: type[Record]) -> int:
        """Return how many records of a kind all merchants have."""
        return sum(len(space.of_kind(kind.kind, None)) for space in self._namespaces.values())

    async def get(self, kind: type[R], key: str) -> R | None:
        """Load a record of any merchant by its key or alias, or None."""
        found: R | None = self._shelf.get(kind.kind, key)
        return found

    async def records(self, kind: type[R], merchant: str | None, *, subject: str | None = None) -> list[R]:
        """Return a merchant's records of a kind (all merchants' for None), oldest first, or those of one purchase."""
        chosen = self._namespaces.values() if merchant is None else [self._namespaces.get(merchant)]
        return [record for space in chosen if space for record in space.of_kind(kind.kind, subject)]

    async def newest(self, kind: type[R], merchant: str) -> R | None:
        """Return a merchant's newest record of a kind, or None."""
        space = self._namespaces.get(merchant)
        found: R | None = space.newest(kind.kind) if space else None
        return found

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Write all of a decision or nothing; return the journal position after it."""
        self._shelf.check(decision.writes)
        space = self._namespace(merchant)
        for record in decision.writes:
            self._put(space, record)
        for job_id in decision.cancels:
            space.agenda.cancel(job_id)
        for job in decision.jobs:
            space.agenda.add(job)
        for event in decision.events:
            self._append(space, now, merchant, EVENT, event_name(event), event.purchase_id, event)
        return self._seq

    def _put(self, space: Namespace, record: Record) -> None:
        self._shelf.put(record)
        for dropped in space.put(record):
            self._shelf.drop(dropped)

    def _append(
        self, space: Namespace, at: float, merchant: str, kind: str, name: str, purchase_id: Any, data: Any
    ) -> int:
        self._seq += 1
        size = EVENT_BYTES if kind == EVENT else data.size()
        entry = Entry(
            seq=self._seq, at=at, merchant=merchant, kind=kind, name=name, purchase_id=purchase_id, data=data, size=size
        )
        space.pages.append(entry)
        self._budget.spend(entry.size)
        if self._waiters:
            self._waiters.wake(entry)
        return self._seq

    async def delete(self, kind: type[Record], key: str) -> None:
        """Forget a record."""
        self._remove(kind.kind, key)

    def _remove(self, kind: str, key: str) -> None:
        record = self._shelf.get(kind, key)
        if record is not None:
            self._shelf.drop(record)
            self._namespaces[record.merchant].remove(record)

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an entry that is no event to the journal; return its `seq`."""
        return self._append(self._namespace(merchant), at, merchant, kind, name, purchase_id, data)

    def _entries(self, watch: Watch, after: int) -> Iterable[Entry]:
        chosen = self._namespaces.values() if watch.merchant is None else [self._namespaces.get(watch.merchant)]
        streams = [space.pages.after(after) for space in chosen if space]
        return filter(watch.matches, merge(*streams, key=lambda entry: entry.seq))

    async def entries(self, watch: Watch, after: int, limit: int) -> list[Entry]:
        """Return up to `limit` journal entries after a position, oldest first."""
        return list(islice(self._entries(watch, after), limit))

    async def entry(self, seq: int) -> Entry | None:
        """Return one journal entry, or None when there is none or it was dropped."""
        found = (space.pages.find(seq) for space in self._namespaces.values())
        return next((entry for entry in found if entry), None)

    async def dropped(self, merchant: str | None) -> int:
        """Return how many journal entries were dropped to stay within bounds."""
        chosen = self._namespaces.values() if merchant is None else [self._namespaces.get(merchant)]
        return sum(space.pages.dropped for space in chosen if space)

    async def position(self) -> int:
        """Return the `seq` of the newest entry of all."""
        return self._seq

    async def wait(self, watch: Watch, after: int, seconds: float) -> bool:
        """Wait until an entry after a position matches; False when the time ran out first."""
        if self._seq > after and next(iter(self._entries(watch, after)), None):
            return True
        return await self._waiters.wait(watch, seconds)

    def watching(self, watch: Watch) -> AbstractContextManager[Watching]:
        """Notice every entry of a merchant or a purchase from now on."""
        return self._waiters.watching(watch)

    async def claim(self, merchant: str, until: float) -> Job | None:
        """Take a merchant's first job that is due at `until`; `finish` it when done."""
        space = self._namespaces.get(merchant)
        return space.agenda.claim(until) if space else None

    async def claim_due(self, merchant: str, real_time: float) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due."""
        space, jobs = self._namespaces.get(merchant), []
        clock: Merchant | None = self._shelf.get(Merchant.kind, merchant)
        now = real_time + (clock.clock_offset if clock else 0.0)
        while space and (job := space.agenda.claim(now)):
            jobs.append(job)
        due = space.agenda.next_due() if space else None
        return jobs, None if due is None else due - now

    async def finish(self, job: Job) -> None:
        """Forget a claimed job."""
        space = self._namespaces.get(job.merchant)
        if space:
            space.agenda.finish(job)

    async def next_due(self, merchant: str) -> float | None:
        """Return when a merchant's first job is due, or None."""
        space = self._namespaces.get(merchant)
        return space.agenda.next_due() if space else None

    async def jobs(self, merchant: str) -> list[Job]:
        """Return a merchant's jobs that wait for their time, first due first."""
        space = self._namespaces.get(merchant)
        return space.agenda.waiting() if space else []

    async def count(self, merchant: str, name: str) -> int:
        """Count one up and return the new value: 1 the first time."""
        counters = self._namespace(merchant).counters
        counters[name] = counters.get(name, 0) + 1
        return counters[name]

    async def merchants(self) -> list[str]:
        """Return the names of all merchants that have anything here."""
        return [name for name in self._namespaces if name != NOBODY]

    async def release(self, job: Job) -> None:
        """Put a claimed job back, to be claimed again."""
        space = self._namespaces.get(job.merchant)
        if space:
            space.agenda.release(job)

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Let nobody else in under the same name meanwhile."""
        return self._locks.locked(name)

    async def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs another server left: here there is none."""
        await asyncio.Event().wait()
        yield ""

    async def clear(self, merchant: str | None) -> None:
        """Forget everything of a merchant, or of all."""
        self._clear(merchant)

    def _clear(self, merchant: str | None) -> None:
        for name in [merchant] if merchant is not None else list(self._namespaces):
            space = self._namespaces.pop(name, None)
            for record in space.everything() if space else ():
                self._shelf.drop(record)

    async def dump(self, merchants: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the state as JSON-ready data: records, jobs and counters, without the journal."""
        chosen = {name: space for name, space in self._namespaces.items() if merchants is None or name in merchants}
        states = {name: space.state() for name, space in chosen.items() if name != NOBODY or any(space.everything())}
        return {"version": VERSION, "merchants": {name: state.data() for name, state in states.items()}}

    async def load(self, state: dict[str, Any]) -> None:
        """Replace the state of the merchants that a dump names by what it holds, all or nothing.

        It is read in a thread while others go on, who see the old state until all of it takes its place at once.
        """
        self._replace(await asyncio.to_thread(self._prepared, state))

    def _prepared(self, state: dict[str, Any]) -> Prepared:
        return prepared(state, self._bounds.journal_bytes, self._bounds.most_callbacks)

    def _replace(self, incoming: Prepared) -> None:
        self._shelf.check_free(incoming.named, incoming.spaces)
        for name in incoming.spaces:
            self._clear(name)
        self._namespaces.update(incoming.spaces)
        self._shelf.put_all(incoming.named)

    async def close(self) -> None:
        """Let go of whatever the engine holds."""
