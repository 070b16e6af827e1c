"""All records of all merchants by kind and key or alias, with the check of their versions."""

from collections.abc import Collection, Iterable
from typing import Any

from mock_klarna.domain.errors import Conflict, MockKlarnaError
from mock_klarna.domain.records import Record

Named = dict[str, dict[str, Record]]
"""Records by kind and by key or alias."""


def named(records: Iterable[Record]) -> Named:
    """Return records by their names; raises `MockKlarnaError` if two of a kind have the same one."""
    found: Named = {}
    for record in records:
        of_kind = found.setdefault(record.kind, {})
        for name in filter(None, (record.key, record.alias)):
            if name in of_kind:
                raise MockKlarnaError(f"the snapshot holds {record.kind} {name} twice", where="merchants")
            of_kind[name] = record
    return found


class Shelf:
    """The one index through which a record of any merchant is found."""

    def __init__(self) -> None:
        self._records: Named = {}

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

    def check_free(self, incoming: Named, replaced: Collection[str]) -> None:
        """Raise `MockKlarnaError` if a record to come has a key or alias of one whose merchant stays."""
        for kind, records in incoming.items():
            stored = self._records.get(kind, {})
            for name in records.keys() & stored.keys():
                if stored[name].merchant not in replaced:
                    raise MockKlarnaError(f"{kind} {name} already belongs to {stored[name].merchant!r}")

    def put_all(self, incoming: Named) -> None:
        """Store many records under their names."""
        for kind, records in incoming.items():
            self._records.setdefault(kind, {}).update(records)

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
