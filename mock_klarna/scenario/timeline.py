"""The journal of a scenario as lines of a report: with times for reading, without times for comparing runs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mock_klarna.domain.journal_text import describe, in_order_of_time, timestamp

Json = Mapping[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PORT = re.compile(r"(?:(?<=//)|(?<=\bon )|(?<=\bto ))([^/\s:]+|\[[0-9a-f:]+\]):\d+")
_ACTOR_WIDTH = 13


def timeline(entries: Iterable[Json], callbacks: Iterable[Json] = ()) -> list[str]:
    """Return a line for each journal entry, with the seconds since the first one on the merchant's clock.

    `callbacks` are those of `GET /_mock/callbacks`; the ones that have no answer yet follow at the end.
    """
    ordered = in_order_of_time(entries)
    start = timestamp(ordered[0]) if ordered else 0.0
    lines = [
        f"{timestamp(entry) - start:+11.3f}s  {line}" for entry in ordered for line in _entry_lines(entry, timed=True)
    ]
    return lines + [f"{'':12}  {line}" for line in _unanswered_lines(callbacks)]


def transcript(entries: Iterable[Json], callbacks: Iterable[Json] = ()) -> list[str]:
    """Return lines that are the same for every run with the same seed: without times, ports and ids.

    Entries are grouped by purchase, callbacks last: they are recorded when they are answered, in an order that varies.
    """
    grouped = [entry for group in _by_purchase(entries) for entry in group]
    lines = [line for entry in grouped for line in _entry_lines(entry, timed=False)]
    return _without_ids_and_ports([*lines, *sorted(_unanswered_lines(callbacks))])


def _by_purchase(entries: Iterable[Json]) -> Iterator[list[Json]]:
    groups: dict[str | None, list[Json]] = {None: []}
    for entry in entries:
        groups.setdefault(entry["purchase_id"], []).append(entry)
    for group in groups.values():
        yield sorted(group, key=lambda entry: (entry["kind"] == "callback", _callback_name(entry)))


def _callback_name(entry: Json) -> str:
    return str(entry["name"]) if entry["kind"] == "callback" else ""


def _without_ids_and_ports(lines: Iterable[str]) -> list[str]:
    """Replace each id by its number in order of appearance, and remove ports."""
    labels: dict[str, str] = {}

    def label(found: re.Match[str]) -> str:
        return labels.setdefault(found.group(), f"<id {len(labels) + 1}>")

    return [_UUID.sub(label, _PORT.sub(r"\1", line)) for line in lines]


def _entry_lines(entry: Json, *, timed: bool) -> Iterator[str]:
    described = describe(entry, detailed=True, timed=timed)
    yield f"{described.actor:{_ACTOR_WIDTH}}  {described.text}"
    for problem in described.problems:
        yield f"    {problem}"


def _unanswered_lines(callbacks: Iterable[Json]) -> Iterator[str]:
    for callback in callbacks:
        if callback["state"] == "in_flight":
            yield f"{'shop':{_ACTOR_WIDTH}}  has not answered {callback['kind']} at {callback['url']} yet"
