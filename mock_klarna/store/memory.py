"""The default engine: everything is in this process, and is lost at its end.

It never really awaits, but to dump, load and delete whole states, so it is as fast as dicts.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from heapq import merge
from itertools import islice
from typing import Any, TypeVar

from mock_klarna.domain.events import event_name
from mock_klarna.domain.journal import (
    EVENT,
    LAST_POSITION,
    NO_MERCHANT,
    Entry,
    Exchange,
    JournalFilter,
    Sent,
    entry_size,
    narrowest_filter,
)
from mock_klarna.domain.records import ButtonKey, Decision, Job, Merchant, MerchantSummary, Order, Purchase, Record
from mock_klarna.store.in_process import KeyedLocks, RequestCounts, Waiters, Watching
from mock_klarna.store.journal_buffers import DEFAULT_BOUNDS, Bounds, TotalSize
from mock_klarna.store.packing import PACKED_KINDS, PackedRecord, Stored, unpacked
from mock_klarna.store.snapshot import SavedSnapshot
from mock_klarna.store.snapshot_stream import Portion
from mock_klarna.store.tables import AT_ONCE, MerchantState, RecordIndex

R = TypeVar("R", bound=Record)


_MAX_EMPTY = 1000
"""Merchants without records and entries that are remembered, for what was dropped of their entries."""


class MemoryStore:
    """A store in dictionaries, with limits on journals and callbacks."""

    is_shared = False

    def __init__(self, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self._bounds = bounds
        self._merchants: dict[str, MerchantState] = {}
        self._journals = TotalSize(
            bounds.all_journals_bytes, lambda: (state.journal for state in self._merchants.values())
        )
        self._index = RecordIndex(self._is_current)
        self._waiters = Waiters()
        self._locks = KeyedLocks()
        self._request_counts = RequestCounts()
        self._snapshots: dict[str, tuple[SavedSnapshot, bytes]] = {}
        self._seq = 0
        self._dropped_of_forgotten = 0
        self._newest_dropped_of_forgotten = 0

    def _is_current(self, record: Stored) -> bool:
        state = self._merchants.get(record.merchant)
        return state is not None and state.has(record)

    def _state_of(self, merchant: str) -> MerchantState:
        found = self._merchants.get(merchant)
        if found is None:
            found = self._merchants[merchant] = MerchantState(self._bounds.journal_bytes, self._bounds.most_callbacks)
        return found

    async def open(self) -> None:
        """Do nothing: there is nothing to connect to."""

    async def preload(self, merchant: str, *names: str, draws: Sequence[str] = ()) -> None:
        """Do nothing: everything is in memory."""

    def forget_preloaded(self, *, keep_draws: bool = False) -> None:
        """Do nothing."""

    async def count_records(self, kind: type[Record], merchant: str | None = None) -> int:
        """Return how many records of a kind a merchant has, or all merchants for None."""
        return sum(len(state.of_kind(kind.kind, None)) for state in self._states_of(merchant))

    async def get(self, kind: type[R], key: str) -> R | None:
        """Load a record of any merchant by its key or alias, or None."""
        stored = self._index.get(kind.kind, key)
        found: R | None = stored.unpacked() if type(stored) is PackedRecord else stored
        return found

    async def records(self, kind: type[R], merchant: str | None, *, subject: str | None = None) -> list[R]:
        """Return a merchant's records of a kind (all merchants' for None), oldest first, or those of one purchase."""
        states = self._states_of(merchant)
        return [unpacked(stored) for state in states for stored in state.of_kind(kind.kind, subject)]

    async def newest_first(
        self, kind: type[R], merchant: str | None, *, subject: str | None = None
    ) -> AsyncGenerator[R, None]:
        """Yield the records that `records` returns, newest first, in portions between which others run."""
        found = [reversed(list(state.of_kind(kind.kind, subject))) for state in self._states_of(merchant)]
        records = [map(unpacked, stored) for stored in found]
        newest_first = records[0] if len(records) == 1 else merge(*records, key=lambda record: -record.created_at)
        for number, record in enumerate(newest_first, 1):
            yield record
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _states_of(self, merchant: str | None) -> list[MerchantState]:
        if merchant is None:
            return list(self._merchants.values())
        state = self._merchants.get(merchant)
        return [state] if state else []

    async def newest(self, kind: type[R], merchant: str) -> R | None:
        """Return a merchant's newest record of a kind, or None."""
        state = self._merchants.get(merchant)
        found: R | None = unpacked(state.newest(kind.kind)) if state else None
        return found

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Write all of a decision or nothing; return the journal position after it."""
        self._index.check(decision.writes)
        state = self._state_of(merchant)
        for record in decision.writes:
            self._put(state, record)
        for job_id in decision.cancels:
            state.job_queue.cancel(job_id)
        for job in decision.finished:
            state.job_queue.finish(job)
        for job in decision.jobs:
            state.job_queue.add(job)
        for event in decision.events:
            self._append(state, now, merchant, EVENT, event_name(event), event.purchase_id, event)
        return self._seq

    def _put(self, state: MerchantState, record: Record) -> None:
        stored = state.packed(record) if record.kind in PACKED_KINDS else record
        self._index.put(stored)
        for removed in state.put(stored):
            self._index.remove(removed)

    def _append(
        self, state: MerchantState, at: float, merchant: str, kind: str, name: str, purchase_id: Any, data: Any
    ) -> int:
        self._seq += 1
        size = entry_size(merchant, data)
        entry = Entry(
            seq=self._seq, at=at, merchant=merchant, kind=kind, name=name, purchase_id=purchase_id, data=data, size=size
        )
        is_first = not state.journal
        state.journal.append(entry)
        if self._journals.add(size, is_first=is_first):
            self._forget_empty()
        if self._waiters:
            self._waiters.wake(narrowest_filter(merchant, kind, name, purchase_id, data))
        return self._seq

    def _forget_empty(self) -> None:
        """Forget merchants that had only a journal, whose entries were dropped."""
        empty = [name for name, state in self._merchants.items() if state.is_empty()]
        for name in empty[: max(0, len(empty) - _MAX_EMPTY)]:
            journal = self._merchants.pop(name).journal
            self._dropped_of_forgotten += journal.dropped
            self._newest_dropped_of_forgotten = max(self._newest_dropped_of_forgotten, journal.newest_dropped)

    async def keep_newest(self, kind: type[Record], merchant: str, most: int) -> None:
        """Delete a merchant's oldest records of a kind beyond the `most` newest."""
        state = self._merchants.get(merchant)
        stored = state.of_kind(kind.kind, None) if state else ()
        for record in list(islice(stored, max(0, len(stored) - most))):
            self._remove(kind.kind, record.key)

    async def delete(self, kind: type[Record], key: str) -> None:
        """Delete a record."""
        self._remove(kind.kind, key)

    def _remove(self, kind: str, key: str) -> None:
        record = self._index.get(kind, key)
        if record is not None:
            self._index.remove(record)
            self._merchants[record.merchant].remove(record)

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an exchange or a callback to the journal; return its `seq`."""
        return self._append(self._state_of(merchant), at, merchant, kind, name, purchase_id, data)

    def _entries(self, journal_filter: JournalFilter, after: int, before: int | None = None) -> Iterable[Entry]:
        chosen = (
            self._merchants.values()
            if journal_filter.merchant is None
            else [self._merchants.get(journal_filter.merchant)]
        )
        streams = [
            state.journal.after(after) if before is None else state.journal.before(before, after)
            for state in chosen
            if state
        ]
        return filter(journal_filter.matches, merge(*streams, key=lambda entry: entry.seq, reverse=before is not None))

    async def entries(
        self, journal_filter: JournalFilter, after: int, limit: int, *, before: int | None = None
    ) -> list[Entry]:
        """Return up to `limit` journal entries after a position, oldest first; those before `before`, if given, newest first."""
        return list(islice(self._entries(journal_filter, after, before), limit))

    async def entry(self, seq: int) -> Entry | None:
        """Return one journal entry, or None when there is none or it was dropped."""
        found = (state.journal.find(seq) for state in self._merchants.values())
        return next((entry for entry in found if entry), None)

    async def dropped(self, merchant: str | None) -> int:
        """Return how many journal entries were dropped to stay within bounds."""
        chosen = self._merchants.values() if merchant is None else [self._merchants.get(merchant)]
        forgotten = self._dropped_of_forgotten if merchant is None else 0
        return forgotten + sum(state.journal.dropped for state in chosen if state)

    async def newest_dropped(self, merchant: str | None) -> int:
        """Return the `seq` of the newest entry that was dropped, 0 for none."""
        forgotten = self._newest_dropped_of_forgotten if merchant is None else 0
        return max([forgotten, *(state.journal.newest_dropped for state in self._states_of(merchant))])

    async def position(self) -> int:
        """Return the `seq` of the newest entry of all."""
        return self._seq

    async def wait(self, journal_filter: JournalFilter, after: int, seconds: float) -> bool:
        """Wait until an entry after a position matches; False when the time ran out first."""
        if self._seq > after and next(iter(self._entries(journal_filter, after)), None):
            return True
        return await self._waiters.wait(journal_filter, seconds)

    def watching(self, journal_filter: JournalFilter) -> AbstractContextManager[Watching]:
        """Notice every entry that matches from now on."""
        return self._waiters.watching(journal_filter)

    async def claim(self, merchant: str, until: float) -> Job | None:
        """Take a merchant's first job that is due at `until`; `finish` it when done."""
        state = self._merchants.get(merchant)
        return state.job_queue.claim(until) if state else None

    async def claim_due(self, merchant: str, real_time: float) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due."""
        state, jobs = self._merchants.get(merchant), []
        clock: Merchant | None = self._index.get(Merchant.kind, merchant)
        now = real_time + (clock.clock_offset if clock else 0.0)
        while state and (job := state.job_queue.claim(now)):
            jobs.append(job)
        due = state.job_queue.next_due() if state else None
        return jobs, None if due is None else due - now

    async def finish(self, job: Job) -> None:
        """Delete a claimed job."""
        state = self._merchants.get(job.merchant)
        if state:
            state.job_queue.finish(job)

    async def release(self, job: Job) -> None:
        """Put a claimed job back, so that it is claimed again."""
        state = self._merchants.get(job.merchant)
        if state:
            state.job_queue.release(job)

    async def wait_for_other_servers(self, merchant: str, kinds: Collection[str]) -> None:
        """Do nothing: there is no other server."""

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Wait until no other caller has the lock of this name, and take it."""
        return self._locks.locked(name)

    async def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs another server left: there is no other one."""
        await asyncio.Event().wait()
        yield ""

    async def next_due(self, merchant: str) -> float | None:
        """Return when a merchant's first job is due, or None."""
        state = self._merchants.get(merchant)
        return state.job_queue.next_due() if state else None

    async def jobs(self, merchant: str | None) -> list[Job]:
        """Return the jobs of a merchant, or of all, that are not claimed, first due first."""
        return [job for state in self._states_of(merchant) for job in state.job_queue.waiting()]

    async def count(self, merchant: str, name: str) -> int:
        """Increment a counter and return its new value: 1 the first time."""
        counters = self._state_of(merchant).counters
        counters[name] = counters.get(name, 0) + 1
        return counters[name]

    async def count_request(self, merchant: str, limit: str, second: int) -> int:
        """Count a request under a rate limit, and return how many there were in this second."""
        return self._request_counts.count(merchant, limit, second)

    async def merchants(self) -> list[str]:
        """Return the names of all merchants that have any state."""
        return [name for name in self._merchants if name != NO_MERCHANT]

    async def merchant_summaries(self, merchant: str | None, limit: int) -> tuple[list[MerchantSummary], int]:
        """Return what merchants have, or one of them, the last active one first, and how many there are."""
        chosen = [(name, state) for name, state in self._merchants.items() if name and merchant in (None, name)]
        chosen.sort(key=lambda named: (-named[1].journal.newest if named[1].journal else 0, named[0]))
        return [self._summary(name, state) for name, state in chosen[:limit]], len(chosen)

    def _summary(self, name: str, state: MerchantState) -> MerchantSummary:
        buttons, purchases, orders = (len(state.of_kind(kind.kind, None)) for kind in (ButtonKey, Purchase, Order))
        clock: Merchant | None = self._index.get(Merchant.kind, name)
        last = next(state.journal.before(LAST_POSITION, 0), None)
        offset = clock.clock_offset if clock else 0.0
        seq, at = (last.seq, last.at) if last else (None, None)
        return MerchantSummary(name, buttons, purchases, orders, offset, seq, at)

    async def clear(self, merchant: str | None) -> None:
        """Delete the state of a merchant, or of all: at once for all callers, and from memory in portions."""
        if merchant is None:
            states, self._merchants = self._merchants, {}
            self._dropped_of_forgotten = self._newest_dropped_of_forgotten = 0
        else:
            states = {merchant: self._merchants.pop(merchant)} if merchant in self._merchants else {}
        self._waiters.cleared(merchant)
        await self._take_apart(states.values())

    async def _take_apart(self, states: Iterable[MerchantState]) -> None:
        self._index.removals += 1
        for state in states:
            for records in state.take_apart():
                for record in records:
                    self._index.remove(record)
                await asyncio.sleep(0)
        self._index.removals -= 1

    async def dump(self, merchants: Sequence[str] | None = None) -> AsyncGenerator[Portion]:
        """Yield the state of some merchants, or of all, as it is now: records, jobs and counters, without the journal.

        Records never change, so it is enough to keep a list of them until they are yielded.
        """
        chosen = {name: state for name, state in self._merchants.items() if merchants is None or name in merchants}
        kept = [
            (name, list(state.everything()), state.job_queue.unfinished(), dict(state.counters))
            for name, state in chosen.items()
            if name != NO_MERCHANT or any(state.everything())
        ]
        for name, records, jobs, counters in kept:
            for start in range(0, len(records), AT_ONCE):
                yield Portion(name, list(map(unpacked, records[start : start + AT_ONCE])))
            yield Portion(name, (), sorted(jobs, key=lambda job: job.due), counters)

    async def load(self, portions: AsyncIterator[Portion]) -> None:
        """Replace the state of the merchants that the portions name by what these contain, all or nothing.

        Other calls see the old state until all of the new one replaces it at once.
        """
        states: dict[str, MerchantState] = {}
        with self._index.incoming() as index:
            async for portion in portions:
                state = states.get(portion.merchant)
                if state is None:
                    state = MerchantState(self._bounds.journal_bytes, self._bounds.most_callbacks)
                    states[portion.merchant] = state
                for record in portion.records:
                    stored = state.packed(record)
                    index.put(stored)
                    for removed in state.put(stored):
                        index.remove(removed)
                for job in portion.jobs:
                    state.job_queue.add(job)
                state.counters.update(portion.counters)
            index.check_free(states)
        self._index.removals += 1
        old = [self._merchants.pop(name) for name in states if name in self._merchants]
        self._merchants.update(states)
        self._index.add(index)
        for name in states:
            self._waiters.cleared(name)
        for _ in self._index.merge(index):
            await asyncio.sleep(0)
        await self._take_apart(old)
        self._index.removals -= 1

    async def save_snapshot(self, about: SavedSnapshot, content: bytes) -> None:
        """Keep a snapshot under its name, until this process ends."""
        self._snapshots[about.name] = about, content

    async def saved_snapshots(self) -> list[SavedSnapshot]:
        """Return the snapshots that are kept, by name."""
        return [self._snapshots[name][0] for name in sorted(self._snapshots)]

    async def snapshot_content(self, name: str) -> bytes | None:
        """Return the content of a snapshot that is kept, or None."""
        return self._snapshots[name][1] if name in self._snapshots else None

    async def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot that is kept."""
        self._snapshots.pop(name, None)

    async def close(self) -> None:
        """Release nothing: memory needs no closing."""
