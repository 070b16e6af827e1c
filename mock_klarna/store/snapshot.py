"""The state of a store as versioned, JSON-ready data."""

from collections.abc import Mapping
from typing import Any, TypeVar

from mock_klarna.domain.deliveries import read_back
from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.domain.problems import bounded
from mock_klarna.domain.records import Job, Record
from mock_klarna.store.codec import KINDS, at, decode, encode
from mock_klarna.store.soundness import require_sound

R = TypeVar("R", bound=Record | Job)
_MOST_COUNTED = 2**53
VERSION = 1
"""Raised whenever an older snapshot could not be read any more."""


class MerchantState:
    """One merchant's part of a snapshot: records in the order in which they were made, jobs and counters."""

    def __init__(self, records: list[Record], jobs: list[Job], counters: dict[str, int]) -> None:
        self.records = records
        self.jobs = jobs
        self.counters = counters

    def data(self) -> dict[str, Any]:
        """Return this part as JSON-ready data."""
        kinds: dict[str, list[Any]] = {}
        for record in self.records:
            kinds.setdefault(record.kind, []).append(encode(record))
        jobs = sorted(self.jobs, key=lambda job: job.due)
        return {"records": kinds, "jobs": [encode(job) for job in jobs], "counters": self.counters}


def read_snapshot(state: Any) -> dict[str, MerchantState]:
    """Return the merchants of a snapshot, wholly read before anything is replaced.

    Raises `MockKlarnaError` for another version or anything that `dump` did not write.
    """
    if not isinstance(state, Mapping) or not isinstance(state.get("merchants"), Mapping):
        raise MockKlarnaError("not a snapshot", where="merchants", right="send what GET /_mock/snapshot answered")
    if state.get("version") != VERSION:
        raise MockKlarnaError(
            f"snapshot version {state.get('version')!r}", where="version", right=f"expected {VERSION}"
        )
    try:
        return {name: _read_merchant(name, data) for name, data in state["merchants"].items()}
    except (AttributeError, KeyError, TypeError) as fault:
        raise MockKlarnaError(f"the snapshot is damaged: {fault}", where="merchants") from fault


def _read_merchant(name: str, data: Mapping[str, Any]) -> MerchantState:
    with at(f"merchants.{name}"):
        records = [record for kind, items in data["records"].items() for record in _records(kind, items)]
        jobs = _read(Job, "jobs", data["jobs"])
        counters = _counters(data["counters"])
    waiting = {job.job_id for job in jobs}
    records = [read_back(record, waiting) for record in records]
    owners = {record.merchant for record in records} | {job.merchant for job in jobs}
    strangers = sorted(owners - {name})
    if strangers:
        raise MockKlarnaError(f"{name!r} holds something of {strangers[0]!r}", where=f"merchants.{name}")
    return MerchantState(records, jobs, counters)


def _records(kind: str, items: Any) -> list[Record]:
    if kind not in KINDS:
        raise MockKlarnaError("no such kind of record", where=f"records.{kind}", right="one of " + ", ".join(KINDS))
    return _read(KINDS[kind], f"records.{kind}", items)


def _read(kind: type[R], place: str, items: Any) -> list[R]:
    """Return the records or jobs of a list; a fault says where it is."""
    if not isinstance(items, list):
        raise MockKlarnaError(f"{bounded(items)!r} is no list", where=place, right="expected a list")
    found = []
    for number, item in enumerate(items):
        with at(f"{place}[{number}]"):
            found.append(decode(kind, item))
            require_sound(found[-1])
    return found


def _counters(data: Mapping[str, Any]) -> dict[str, int]:
    wrong = [name for name, count in data.items() if type(count) is not int or not 0 <= count < _MOST_COUNTED]
    if wrong:
        right = "expected a whole number that is not below 0"
        raise MockKlarnaError(f"{data[wrong[0]]!r} is not possible", where=f"counters.{wrong[0]}", right=right)
    return dict(data)
