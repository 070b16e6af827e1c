"""The records that a request or a job will need, loaded with one statement and kept for its task alone.

A record that is read from here may have been changed elsewhere since: a decision that rests on it then conflicts and is taken
again with nothing preloaded. A task that waits, for the journal or for a merchant, forgets its preloaded records, so that it
reads new ones.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.journal import NO_MERCHANT
from mock_klarna.domain.records import ButtonKey, Fault, Record

Row = Sequence[Any]
PRELOAD = """
WITH drawn AS (INSERT INTO counters (merchant, name, value) SELECT $1, n, 1 FROM unnest($3::text[]) AS n
        ON CONFLICT (merchant, name) DO UPDATE SET value = counters.value + 1
        RETURNING name, value, set_config('synchronous_commit', 'off', true))
SELECT 'record', kind, key, alias, position, body FROM records WHERE key = ANY ($2::text[])
UNION ALL SELECT 'record', kind, key, alias, position, body FROM records WHERE alias = ANY ($2::text[])
UNION ALL SELECT 'record', kind, key, alias, position, body FROM records WHERE kind = 'merchant' AND key = $1
UNION ALL SELECT 'fault', merchant, key, NULL, position, body FROM records WHERE merchant = $1 AND kind = 'fault'
UNION ALL SELECT 'fault', merchant, key, NULL, position, body FROM records WHERE merchant = '' AND kind = 'fault'
UNION ALL SELECT 'callback', subject, key, NULL, position, body FROM records
    WHERE subject = ANY ($2::text[]) AND kind = 'callback'
UNION ALL SELECT * FROM (SELECT 'newest', kind, key, NULL, position, body FROM records
    WHERE merchant = $1 AND kind = 'button' ORDER BY position DESC LIMIT 1) AS button
UNION ALL SELECT 'draw', name, NULL, NULL, value, NULL FROM drawn"""
"""Merchant, names, counters to draw from; rows of part, kind or owner, key, alias, position or number, body."""


class Preloaded:
    """Records as they were when a task preloaded them, and as the task wrote them since.

    are_records_old: whether the task waited since, so that only the numbers that were drawn are still used.
    """

    def __init__(self, merchant: str, names: Iterable[str], rows: Iterable[Row]) -> None:
        self.are_records_old = False
        self.merchant = merchant
        self.names = frozenset(names)
        self._records: dict[tuple[str, str], bytes] = {}
        self._lists: dict[tuple[str, str], list[tuple[int, bytes]]] = {
            (Fault.kind, merchant): [],
            (Fault.kind, NO_MERCHANT): [],
            **{(Delivery.kind, name): [] for name in self.names},
        }
        self._draws: dict[str, int] = {}
        self._newest: bytes | None = None
        for row in rows:
            self._take(*row)

    def _take(self, part: str, kind: str, key: str, alias: str | None, number: int, body: bytes) -> None:
        match part:
            case "record":
                self._records[kind, key] = body
                if alias is not None:
                    self._records[kind, alias] = body
            case "fault":
                self._lists[Fault.kind, kind].append((number, body))
            case "callback":
                self._lists[Delivery.kind, kind].append((number, body))
            case "newest":
                self._newest = body
            case _:
                self._draws[kind] = number

    def get(self, kind: str, key: str) -> tuple[bool, bytes | None]:
        """Return whether it is known what a name stands for, and the record or None."""
        body = self._records.get((kind, key))
        return body is not None or key in self.names or (kind == "merchant" and key == self.merchant), body

    def listed(self, kind: str, of: str | None) -> list[bytes] | None:
        """Return the faults of a merchant or the callbacks of a purchase, oldest first, or None if they are not known."""
        found = self._lists.get((kind, of)) if of is not None else None
        return None if found is None else [body for _, body in sorted(found)]

    def newest(self, kind: str, merchant: str) -> tuple[bool, bytes | None]:
        """Return whether a merchant's newest record of a kind is known, and the record or None."""
        if kind == ButtonKey.kind and merchant == self.merchant:
            return True, self._newest
        bodies = self.listed(kind, merchant) if kind == Fault.kind else None
        return bodies is not None, bodies[-1] if bodies else None

    def draw(self, merchant: str, name: str) -> int | None:
        """Return the number that was drawn for a counter, once."""
        return self._draws.pop(name, None) if merchant == self.merchant else None

    def write(self, record: Record, body: bytes) -> None:
        """Keep a record as the task wrote it; forget the lists that it belongs to."""
        for name in filter(None, (record.key, record.alias)):
            self._records[record.kind, name] = body
        self._lists = {known: rows for known, rows in self._lists.items() if known[0] != record.kind}
        if record.kind == ButtonKey.kind and record.merchant == self.merchant and record.version == 1:
            self._newest = body


class Preloads:
    """What each task has preloaded."""

    def __init__(self) -> None:
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], Preloaded] = WeakKeyDictionary()

    def current(self) -> Preloaded | None:
        """Return the records that the running task has preloaded, or None."""
        preloaded = self._of_task()
        return None if preloaded is None or preloaded.are_records_old else preloaded

    def _of_task(self) -> Preloaded | None:
        task = asyncio.current_task()
        return self._tasks.get(task) if task is not None else None

    def draw(self, merchant: str, name: str) -> int | None:
        """Return the number that the running task drew for a counter, once."""
        preloaded = self._of_task()
        return preloaded.draw(merchant, name) if preloaded is not None else None

    def keep(self, preloaded: Preloaded) -> None:
        """Keep what the running task has preloaded."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks[task] = preloaded

    def forget_records(self) -> None:
        """Forget the records that the running task has preloaded; the numbers that it drew stay."""
        preloaded = self._of_task()
        if preloaded is not None:
            preloaded.are_records_old = True

    def forget(self) -> None:
        """Forget what the running task has preloaded."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.pop(task, None)
