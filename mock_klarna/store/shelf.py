"""All records of all merchants by kind and key or alias, with the check of their versions."""

from collections.abc import Iterable
from typing import Any

from mock_klarna.domain.errors import Conflict, MockKlarnaError
from mock_klarna.domain.records import Record


class Shelf:
    """The one index through which a record of any merchant is found."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Record]] = {}

    def get(self, kind: str, key: str) -> Any:
        """Return a record, of the class that has this kind, by its key or its alias, or None."""
        records = self._records.get(kind)
        return records.get(key) if records else None

    def check(self, writes: Iterable[Record]) -> None:
        """Raise `Conflict` unless every record's version follows the stored one."""
        for record in writes:
            stored = self._records.get(record.kind, {}).get(record.key)
            if record.version != (stored.version + 1 if stored else 1):
                raise Conflict(f"{record.kind} {record.key}")

    def check_free(self, incoming: Iterable[Record], replaced: set[str]) -> None:
        """Raise `MockKlarnaError` if a record to come has a key or alias of another, or of one whose merchant stays."""
        taken: set[tuple[str, str]] = set()
        for record in incoming:
            for name in filter(None, (record.key, record.alias)):
                stored = self.get(record.kind, name)
                if stored is not None and stored.merchant not in replaced:
                    raise MockKlarnaError(f"{record.kind} {name} already belongs to {stored.merchant!r}")
                if (record.kind, name) in taken:
                    raise MockKlarnaError(f"the snapshot holds {record.kind} {name} twice", where="merchants")
                taken.add((record.kind, name))

    def put(self, record: Record) -> None:
        """Store a record under its key and alias."""
        records = self._records.setdefault(record.kind, {})
        records[record.key] = record
        alias = record.alias
        if alias is not None:
            records[alias] = record

    def drop(self, record: Record) -> None:
        """Forget a record."""
        records = self._records.get(record.kind, {})
        records.pop(record.key, None)
        if record.alias is not None:
            records.pop(record.alias, None)
