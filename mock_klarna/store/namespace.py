"""Everything that one merchant has in memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mock_klarna.domain.deliveries import Delivery
from mock_klarna.domain.records import Record
from mock_klarna.store.agenda import Agenda
from mock_klarna.store.pages import Pages
from mock_klarna.store.snapshot import MerchantState


class Namespace:
    """A merchant's records by kind and key in the order in which they were made, jobs, counters and journal."""

    def __init__(self, journal_bytes: int, most_callbacks: int) -> None:
        self._most_callbacks = most_callbacks
        self._records: dict[str, dict[str, Record]] = {}
        self._callbacks: dict[str, list[str]] = {}
        self.agenda = Agenda()
        self.counters: dict[str, int] = {}
        self.pages = Pages(journal_bytes)

    def of_kind(self, kind: str, subject: str | None) -> Iterable[Any]:
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
        """Keep a record; return those that had to go to make room for it."""
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
        """Forget a record."""
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

    def state(self) -> MerchantState:
        """Return what a snapshot keeps of this merchant, as it is now whatever changes later."""
        return MerchantState(list(self.everything()), self.agenda.unfinished(), dict(self.counters))
