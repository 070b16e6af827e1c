"""The in-memory tables: the job queue and records of each merchant, and the index of all records."""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.records import Job, Purchase, Record
from mock_klarna.errors import MockKlarnaError, WriteConflict
from mock_klarna.store.journal_buffers import JournalBuffer
from mock_klarna.store.packing import Stored, can_be_packed, packed

AT_ONCE = 256
"""Records that are moved or deleted before other tasks run."""


_Waiting = tuple[float, int, str, Job]
"""A waiting job: when it is due, how many were added before it, its id, and the job."""


class JobQueue:
    """A heap of jobs. Cancelling is cheap: a cancelled entry is skipped when it is at the top."""

    def __init__(self) -> None:
        self._heap: list[_Waiting] = []
        self._waiting: dict[str, _Waiting] = {}
        self._claimed: dict[Job, None] = {}
        self._number = 0

    def add(self, job: Job) -> None:
        """Schedule a job; it replaces an unclaimed one with the same id."""
        self._number += 1
        job_id = job.job_id
        entry = (job.due, self._number, job_id, job)
        self._waiting.pop(job_id, None)
        self._waiting[job_id] = entry
        heapq.heappush(self._heap, entry)
        if len(self._heap) > 2 * len(self._waiting) + 64:
            self._heap = list(self._waiting.values())
            heapq.heapify(self._heap)

    def cancel(self, job_id: str) -> None:
        """Delete a job that is not claimed."""
        self._waiting.pop(job_id, None)

    def release(self, job: Job) -> None:
        """Put a claimed job back, unless another one with the same id has replaced it."""
        self._claimed.pop(job, None)
        if job.job_id not in self._waiting:
            self.add(job)

    def _first(self) -> _Waiting | None:
        while self._heap and self._waiting.get(self._heap[0][2]) is not self._heap[0]:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def next_due(self) -> float | None:
        """Return when the first job is due, or None."""
        first = self._first()
        return None if first is None else first[0]

    def claim(self, until: float) -> Job | None:
        """Take the first job that is due at `until`, or None."""
        first = self._first()
        if first is None or first[0] > until:
            return None
        *_, job_id, job = heapq.heappop(self._heap)
        del self._waiting[job_id]
        self._claimed[job] = None
        return job

    def finish(self, job: Job) -> None:
        """Forget a claimed job."""
        self._claimed.pop(job, None)

    def __bool__(self) -> bool:
        return bool(self._waiting or self._claimed)

    def waiting(self) -> list[Job]:
        """Return the unclaimed jobs, first due first."""
        return [job for *_, job in sorted(self._waiting.values())]

    def unfinished(self) -> list[Job]:
        """Return the jobs that a restart must resume: claimed ones, then the others, each in the order of scheduling."""
        return [*self._claimed, *(job for *_, job in self._waiting.values())]


class MerchantState:
    """A merchant's records by kind and key in the order in which they were created, jobs, counters and journal."""

    def __init__(self, journal_bytes: int, most_callbacks: int) -> None:
        self._most_callbacks = most_callbacks
        self._records: dict[str, dict[str, Stored]] = {}
        self._callbacks: dict[str, tuple[str, ...]] = {}
        self.job_queue = JobQueue()
        self.counters: dict[str, int] = {}
        self.journal = JournalBuffer(journal_bytes)

    def of_kind(self, kind: str, subject: str | None) -> Collection[Any]:
        """Return the records of a kind, oldest first; with a subject only that purchase's."""
        records = self._records.get(kind, {})
        if subject is None:
            return records.values()
        if kind == Delivery.kind:
            return [records[key] for key in self._callbacks.get(subject, ())]
        return [record for record in records.values() if record.subject == subject]

    def newest(self, kind: str) -> Any:
        """Return the record of a kind that was created last, or None."""
        return next(reversed(self._records.get(kind, {}).values()), None)

    def packed(self, record: Record) -> Stored:
        """Return a record as it takes the least memory here: an order or a callback is compared with its purchase."""
        if not can_be_packed(record):
            return record
        purchase = self._records.get(Purchase.kind, {}).get(record.subject or "")
        return packed(record, purchase.order) if isinstance(purchase, Purchase) and purchase.order else record

    def put(self, record: Stored) -> Sequence[Stored]:
        """Store a record; return the records that were removed to stay within the limit."""
        kind, key = record.kind, record.key
        records = self._records.setdefault(kind, {})
        is_new = key not in records
        records[key] = record
        return self._limit_callbacks(record, records) if is_new and kind == Delivery.kind else ()

    def _limit_callbacks(self, record: Stored, records: dict[str, Stored]) -> list[Stored]:
        if record.subject is not None:
            self._callbacks[record.subject] = (*self._callbacks.get(record.subject, ()), record.key)
        if len(records) <= self._most_callbacks:
            return []
        oldest = next(iter(records.values()))
        self.remove(oldest)
        return [oldest]

    def remove(self, record: Stored) -> None:
        """Delete a record."""
        self._records[record.kind].pop(record.key, None)
        if record.kind == Delivery.kind and record.subject is not None:
            keys = tuple(key for key in self._callbacks.pop(record.subject, ()) if key != record.key)
            if keys:
                self._callbacks[record.subject] = keys

    def has(self, record: Stored) -> bool:
        """Return whether a record is stored here in this version."""
        records = self._records.get(record.kind)
        return records is not None and records.get(record.key) is record

    def take_apart(self) -> Iterator[list[Stored]]:
        """Delete all records and yield them in portions; for a state that nobody uses any more."""
        self._callbacks.clear()
        for records in self._records.values():
            while records:
                yield [records.popitem()[1] for _ in range(min(AT_ONCE, len(records)))]

    def is_empty(self) -> bool:
        """Return whether there are no records, jobs, counters and journal entries."""
        return not (self.journal or self.counters or self.job_queue or any(self._records.values()))

    def everything(self) -> Iterator[Stored]:
        """Yield every record, kind by kind, oldest first."""
        for records in self._records.values():
            yield from records.values()


class RecordIndex:
    """The index of the records of all merchants by kind and by key or alias.

    A merchant's state may disappear at once, and that of a snapshot may appear at once. So `is_current` returns whether a record
    is still part of a merchant's state: entries of other records count as missing and are deleted little by little.
    `removals` is how many such deletions have not ended; while there are none, no entry has to be checked.
    """

    def __init__(self, is_current: Callable[[Stored], bool]) -> None:
        self.removals = 0
        self._is_current = is_current
        self._records: dict[str, dict[str, Stored]] = {}
        self._added: list[SnapshotIndex] = []
        self._incoming: list[SnapshotIndex] = []

    def get(self, kind: str, name: str) -> Any:
        """Return a record, of the class that has this kind, by its key or its alias, or None."""
        records = self._records.get(kind)
        record = records.get(name) if records else None
        if record is not None and (not self.removals or self._is_current(record)):
            return record
        return self._get_added(kind, name) if self._added else None

    def _get_added(self, kind: str, name: str) -> Stored | None:
        found = (index.records.get(kind, {}).get(name) for index in self._added)
        return next((record for record in found if record is not None and self._is_current(record)), None)

    def check(self, writes: Iterable[Record]) -> None:
        """Raise `WriteConflict` unless every record's version follows the stored one."""
        for record in writes:
            stored = self.get(record.kind, record.key)
            if record.version != (stored.version + 1 if stored else 1):
                raise WriteConflict(f"{record.kind} {record.key}")

    def put(self, record: Stored) -> None:
        """Store a record under its key and alias."""
        records = self._records.setdefault(record.kind, {})
        records[record.key] = record
        alias = record.alias
        if alias is not None:
            records[alias] = record
        for incoming in self._incoming:
            incoming.note_taken(record)

    def remove(self, record: Stored) -> None:
        """Delete a record."""
        records = self._records.get(record.kind, {})
        for name in filter(None, (record.key, record.alias)):
            if records.get(name) is record:
                del records[name]

    @contextmanager
    def incoming(self) -> Iterator["SnapshotIndex"]:
        """Return an index for the records of a snapshot, which notices what is stored meanwhile."""
        incoming = SnapshotIndex(self.get)
        self._incoming.append(incoming)
        try:
            yield incoming
        finally:
            self._incoming.remove(incoming)

    def add(self, incoming: "SnapshotIndex") -> None:
        """Find the records of a snapshot from now on; other snapshots that are being loaded notice them."""
        self._added.append(incoming)
        for other in self._incoming:
            other.note_loaded(incoming)

    def merge(self, incoming: "SnapshotIndex") -> Iterator[None]:
        """Move the records that were added into this index; yields between portions, and may be continued later."""
        for kind, records in incoming.records.items():
            stored = self._records.setdefault(kind, {})
            for number, (name, record) in enumerate(records.items()):
                if self._is_current(record):
                    stored[name] = record
                if number % AT_ONCE == 0:
                    yield
        self._added.remove(incoming)


class SnapshotIndex:
    """The index of the records of a snapshot that is being loaded. `get` finds the records that are stored."""

    def __init__(self, get: Callable[[str, str], Stored | None]) -> None:
        self.records: dict[str, dict[str, Stored]] = {}
        self._get = get
        self._taken: list[tuple[str, str, str]] = []
        self._loaded: list[SnapshotIndex] = []

    def put(self, record: Stored) -> None:
        """Store a record; raises `MockKlarnaError` if its key or alias belongs to another one of the snapshot."""
        records = self.records.setdefault(record.kind, {})
        for name in filter(None, (record.key, record.alias)):
            if name in records:
                raise MockKlarnaError(f"the snapshot contains {record.kind} {name} twice", where="merchants")
            records[name] = record
            stored = self._get(record.kind, name)
            if stored is not None and stored.merchant != record.merchant:
                self._taken.append((record.kind, name, stored.merchant))

    def remove(self, record: Stored) -> None:
        """Delete a record."""
        for name in filter(None, (record.key, record.alias)):
            del self.records[record.kind][name]

    def note_taken(self, stored: Stored) -> None:
        """Remember a record that was stored just now, if the snapshot has its key or alias."""
        records = self.records.get(stored.kind, {})
        for name in filter(None, (stored.key, stored.alias)):
            if name in records:
                self._taken.append((stored.kind, name, stored.merchant))

    def note_loaded(self, other: "SnapshotIndex") -> None:
        """Remember a snapshot that was loaded just now: it may have the same keys and aliases."""
        self._loaded.append(other)

    def _all_taken(self) -> Iterator[tuple[str, str, str]]:
        yield from self._taken
        for other in self._loaded:
            for kind, records in other.records.items():
                for name in records.keys() & self.records.get(kind, {}).keys():
                    yield kind, name, records[name].merchant

    def check_free(self, replaced: Collection[str]) -> None:
        """Raise `MockKlarnaError` if a key or alias belongs to a merchant that is not replaced."""
        for kind, name, merchant in self._all_taken():
            if merchant not in replaced and name in self.records[kind] and self._get(kind, name) is not None:
                raise MockKlarnaError(f"{kind} {name} already belongs to {merchant!r}", where="merchants")
