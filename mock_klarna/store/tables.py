"""The in-memory tables: the job queue and records of each merchant, and the index of all records."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.records import Job, Record
from mock_klarna.errors import MockKlarnaError, WriteConflict
from mock_klarna.store.journal import JournalBuffer


class JobQueue:
    """A heap of jobs. Cancelling is cheap: a cancelled entry is skipped when it is at the top."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str]] = []
        self._jobs: dict[str, tuple[int, Job]] = {}
        self._claimed: dict[Job, None] = {}
        self._number = 0

    def add(self, job: Job) -> None:
        """Schedule a job; it replaces an unclaimed one with the same id."""
        self._number += 1
        job_id = job.job_id
        self._jobs.pop(job_id, None)
        self._jobs[job_id] = (self._number, job)
        heapq.heappush(self._heap, (job.due, self._number, job_id))
        if len(self._heap) > 2 * len(self._jobs) + 64:
            self._heap = [entry for entry in self._heap if self._waits(entry)]
            heapq.heapify(self._heap)

    def cancel(self, job_id: str) -> None:
        """Delete a job that is not claimed."""
        self._jobs.pop(job_id, None)

    def release(self, job: Job) -> None:
        """Put a claimed job back, unless another one with the same id has replaced it."""
        self._claimed.pop(job, None)
        if job.job_id not in self._jobs:
            self.add(job)

    def _waits(self, entry: tuple[float, int, str]) -> bool:
        waiting = self._jobs.get(entry[2])
        return waiting is not None and waiting[0] == entry[1]

    def _first(self) -> Job | None:
        while self._heap and not self._waits(self._heap[0]):
            heapq.heappop(self._heap)
        return self._jobs[self._heap[0][2]][1] if self._heap else None

    def next_due(self) -> float | None:
        """Return when the first job is due, or None."""
        first = self._first()
        return None if first is None else first.due

    def claim(self, until: float) -> Job | None:
        """Take the first job that is due at `until`, or None."""
        first = self._first()
        if first is None or first.due > until:
            return None
        heapq.heappop(self._heap)
        del self._jobs[first.job_id]
        self._claimed[first] = None
        return first

    def finish(self, job: Job) -> None:
        """Forget a claimed job."""
        self._claimed.pop(job, None)

    def waiting(self) -> list[Job]:
        """Return the unclaimed jobs, first due first."""
        return [job for _, job in sorted(self._jobs.values(), key=lambda entry: (entry[1].due, entry[0]))]

    def unfinished(self) -> list[Job]:
        """Return the jobs that a restart must resume: claimed ones, then the others, each in the order of scheduling."""
        return [*self._claimed, *(job for _, job in self._jobs.values())]


class MerchantState:
    """A merchant's records by kind and key in the order in which they were made, jobs, counters and journal."""

    def __init__(self, journal_bytes: int, most_callbacks: int) -> None:
        self._most_callbacks = most_callbacks
        self._records: dict[str, dict[str, Record]] = {}
        self._callbacks: dict[str, list[str]] = {}
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
        """Return the record of a kind that was made last, or None."""
        return next(reversed(self._records.get(kind, {}).values()), None)

    def put(self, record: Record) -> Sequence[Record]:
        """Store a record; return the records that were dropped to stay within the limit."""
        kind, key = record.kind, record.key
        records = self._records.setdefault(kind, {})
        is_new = key not in records
        records[key] = record
        return self._make_room(record, records) if is_new and kind == Delivery.kind else ()

    def _make_room(self, record: Record, records: dict[str, Record]) -> list[Record]:
        if record.subject is not None:
            self._callbacks.setdefault(record.subject, []).append(record.key)
        if len(records) <= self._most_callbacks:
            return []
        oldest = next(iter(records.values()))
        self.remove(oldest)
        return [oldest]

    def remove(self, record: Record) -> None:
        """Delete a record."""
        self._records[record.kind].pop(record.key, None)
        if record.kind == Delivery.kind and record.subject is not None:
            keys = self._callbacks.get(record.subject, [])
            keys.remove(record.key)
            if not keys:
                del self._callbacks[record.subject]

    def everything(self) -> Iterator[Record]:
        """Yield every record, kind by kind, oldest first."""
        for records in self._records.values():
            yield from records.values()


class RecordIndex:
    """The index of the records of all merchants by kind and by key or alias."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Record]] = {}

    def get(self, kind: str, key: str) -> Any:
        """Return a record, of the class that has this kind, by its key or its alias, or None."""
        records = self._records.get(kind)
        return records.get(key) if records else None

    def check(self, writes: Iterable[Record]) -> None:
        """Raise `WriteConflict` unless every record's version follows the stored one."""
        for record in writes:
            stored = self._records.get(record.kind, {}).get(record.key)
            if record.version != (stored.version + 1 if stored else 1):
                raise WriteConflict(f"{record.kind} {record.key}")

    def check_free(self, incoming: "RecordIndex", replaced: Collection[str]) -> None:
        """Raise `MockKlarnaError` if an incoming key or alias belongs to a merchant that is not replaced."""
        for kind, records in incoming._records.items():
            stored = self._records.get(kind, {})
            for name in records.keys() & stored.keys():
                if stored[name].merchant not in replaced:
                    raise MockKlarnaError(f"{kind} {name} already belongs to {stored[name].merchant!r}")

    def put_all(self, incoming: "RecordIndex") -> None:
        """Store the records of another index."""
        for kind, records in incoming._records.items():
            self._records.setdefault(kind, {}).update(records)

    def put_new(self, record: Record) -> None:
        """Store a record of a snapshot; raises `MockKlarnaError` if its key or alias belongs to another one."""
        records = self._records.setdefault(record.kind, {})
        for name in filter(None, (record.key, record.alias)):
            if name in records:
                raise MockKlarnaError(f"the snapshot contains {record.kind} {name} twice", where="merchants")
            records[name] = record

    def put(self, record: Record) -> None:
        """Store a record under its key and alias."""
        records = self._records.setdefault(record.kind, {})
        records[record.key] = record
        alias = record.alias
        if alias is not None:
            records[alias] = record

    def drop(self, record: Record) -> None:
        """Delete a record."""
        records = self._records.get(record.kind, {})
        records.pop(record.key, None)
        if record.alias is not None:
            records.pop(record.alias, None)
