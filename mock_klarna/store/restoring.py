"""A snapshot made ready to take the place of what is there, and how it is written to a log."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from mock_klarna.store.lines import Line
from mock_klarna.store.snapshot import MerchantSnapshot, Snapshot
from mock_klarna.store.tables import MerchantState, Named, named

_PART = 200
"""Records in one line of a log."""


class Prepared(NamedTuple):
    """The merchants of a snapshot, and their records by name."""

    states: dict[str, MerchantState]
    named: Named


def prepared(snapshot: Snapshot, journal_bytes: int, most_callbacks: int) -> Prepared:
    """Return what a snapshot contains as an engine keeps it; takes long for a large one.

    Raises `MockKlarnaError` if two records have the same key.
    """
    states = {name: _state(merchant, journal_bytes, most_callbacks) for name, merchant in snapshot.items()}
    return Prepared(states, named(chain.from_iterable(state.everything() for state in states.values())))


def _state(held: MerchantSnapshot, journal_bytes: int, most_callbacks: int) -> MerchantState:
    state = MerchantState(journal_bytes, most_callbacks)
    for record in held.records:
        state.put(record)
    for job in held.jobs:
        state.job_queue.add(job)
    state.counters.update(held.counters)
    return state


def parts(number: int, snapshot: Snapshot) -> Iterator[Line]:
    """Yield a snapshot as lines of a bearable length; they have no effect until `{"do": "loaded"}` follows."""
    for merchant, part in snapshot.items():
        held = part.data()
        about = {"do": "part", "load": number, "merchant": merchant}
        yield {**about, "counters": held["counters"]}
        for start in range(0, len(held["jobs"]), _PART):
            yield {**about, "jobs": held["jobs"][start : start + _PART]}
        for kind, items in held["records"].items():
            for start in range(0, len(items), _PART):
                yield {**about, "kind": kind, "records": items[start : start + _PART]}


class Parts:
    """The parts of loads as they are read back from a log."""

    def __init__(self) -> None:
        self._merchants: dict[int, dict[str, Any]] = {}

    def add(self, line: Line) -> None:
        """Take one part."""
        merchants = self._merchants.setdefault(line["load"], {})
        held = merchants.setdefault(line["merchant"], {"records": {}, "jobs": [], "counters": {}})
        held["counters"].update(line.get("counters", {}))
        held["jobs"] += line.get("jobs", ())
        if "kind" in line:
            held["records"].setdefault(line["kind"], []).extend(line["records"])

    def whole(self, number: int, version: int) -> dict[str, Any]:
        """Return the snapshot that was loaded, and forget its parts."""
        return {"version": version, "merchants": self._merchants.pop(number, {})}
