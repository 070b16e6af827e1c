"""The journal of a scenario as lines of a report: with times for reading, without times for comparing runs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mock_klarna.domain.journal_text import describe, journal_lines

Json = Mapping[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PORT = re.compile(r"(?:(?<=//)|(?<=\bon )|(?<=\bto ))([^/\s:]+|\[[0-9a-f:]+\]):\d+")
_ACTOR_WIDTH, _BEFORE_ACTOR = 13, 24


def timeline(entries: Iterable[Json], callbacks: Iterable[Json] = ()) -> list[str]:
    """Return the lines of journal entries.

    `callbacks` are those of `GET /_mock/callbacks`; the ones that have no answer yet follow at the end.
    """
    return [*journal_lines(entries), *(f"{'':{_BEFORE_ACTOR}}{line}" for line in _unanswered_lines(callbacks))]


def transcript(entries: Iterable[Json], callbacks: Iterable[Json] = ()) -> list[str]:
    """Return lines that are the same for every run with the same seed: without times, ports and ids.

    Entries are grouped by purchase, callbacks last: they are recorded when they are answered, in an order that varies.
    """
    grouped = [entry for group in _by_purchase(entries) for entry in group]
    lines = [line for entry in grouped for line in _entry_lines(entry)]
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


def _entry_lines(entry: Json) -> Iterator[str]:
    described = describe(entry, verbose=True, timed=False)
    yield f"{described.actor:{_ACTOR_WIDTH}}  {described.text}"
    for detail in described.details:
        yield f"    {detail}"


def _unanswered_lines(callbacks: Iterable[Json]) -> Iterator[str]:
    for callback in callbacks:
        if callback["state"] == "in_flight":
            yield f"{'shop':{_ACTOR_WIDTH}}  has not answered {callback['kind']} at {callback['url']} yet"
