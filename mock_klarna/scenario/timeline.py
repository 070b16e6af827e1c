"""The journal as lines to read: who called whom, what was answered, what became true."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from mock_klarna.scenario.matching import shown

Json = Mapping[str, Any]
_COMMON = frozenset({"seq", "at", "merchant", "kind", "name", "purchase_id"})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PORT = re.compile(r"(?<=//)([^/\s:]+):\d+")
_MOST_PROBLEMS = 10


def timeline(entries: Iterable[Json], under_way: Iterable[Json] = ()) -> list[str]:
    """Return a line for each journal entry, with the seconds since the first one on the merchant's clock.

    `under_way` are callbacks (`GET /_mock/callbacks`) of which some have no answer yet.
    """
    held = in_time(entries)
    start = _at(held[0]) if held else 0.0
    lines = [f"{_at(entry) - start:+11.3f}s  {line}" for entry in held for line in _lines(entry, timed=True)]
    return lines + [f"{'':12}  {line}" for line in _unanswered(under_way)]


def in_time(entries: Iterable[Json]) -> list[Json]:
    """Return entries in the order in which they began: a callback is recorded when it is answered, and told when it was sent.

    None goes over a move of the clock, which may turn the times around.
    """
    ordered: list[Json] = []
    for entry in entries:
        place = len(ordered)
        while entry["kind"] == "callback" and place and _goes_before(entry, ordered[place - 1]):
            place -= 1
        ordered.insert(place, entry)
    return ordered


def _goes_before(callback: Json, earlier: Json) -> bool:
    return earlier["name"] != "clock_moved" and _at(callback) < _at(earlier)


def transcript(entries: Iterable[Json], under_way: Iterable[Json] = ()) -> list[str]:
    """Return lines that are the same for every run with the same seed: without times, ports and ids.

    What each purchase came to stands together, callbacks last: they are recorded when they are answered, which no seed decides.
    """
    ordered = [entry for group in _by_purchase(entries) for entry in group]
    lines = [line for entry in ordered for line in _lines(entry, timed=False)]
    return _labelled([*lines, *sorted(_unanswered(under_way))])


def _by_purchase(entries: Iterable[Json]) -> Iterator[list[Json]]:
    groups: dict[str | None, list[Json]] = {None: []}
    for entry in entries:
        groups.setdefault(entry["purchase_id"], []).append(entry)
    for group in groups.values():
        yield sorted(group, key=lambda entry: (entry["kind"] == "callback", _callback_order(entry)))


def _callback_order(entry: Json) -> str:
    return str(entry["name"]) if entry["kind"] == "callback" else ""


def _labelled(lines: Iterable[str]) -> list[str]:
    """Name ids by the order in which they appear, and leave ports out."""
    labels: dict[str, str] = {}

    def label(found: re.Match[str]) -> str:
        return labels.setdefault(found.group(), f"<id {len(labels) + 1}>")

    return [_UUID.sub(label, _PORT.sub(r"\1", line)) for line in lines]


def _at(entry: Json) -> float:
    return datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()


def _lines(entry: Json, *, timed: bool) -> Iterator[str]:
    match entry["kind"]:
        case "exchange":
            yield from _exchange(entry, timed=timed)
        case "callback":
            yield _callback(entry, timed=timed)
        case _:
            yield _event(entry, timed=timed)


def _exchange(entry: Json, *, timed: bool) -> Iterator[str]:
    body = entry["response_body"] if isinstance(entry["response_body"], dict) else {}
    messages = [body["error_message"]] if "error_message" in body else body.get("error_messages", [])
    said = "".join(f"  {message}" for message in messages)
    took = f" in {entry['duration_ms']:.1f} ms" if timed else ""
    yield f"shop → Klarna  {entry['method']} {entry['path']}  {entry['status']}{said}{took}"
    for problem in entry["problems"][:_MOST_PROBLEMS]:
        formula = f" ({problem['formula']})" if problem["formula"] else ""
        sent = shown(problem["sent"])
        yield f"    {problem['path'] or 'body'}: sent {sent}, expected {problem['expected']}{formula}"


def _callback(entry: Json, *, timed: bool) -> str:
    again = f" (try {entry['number']})" if entry["number"] > 1 else ""
    status = f" {entry['status']}" if entry["status"] else ""
    error = f": {entry['error']}" if entry["error"] else ""
    took = f" in {entry['duration_ms']:.1f} ms" if timed else ""
    return f"Klarna → shop  {entry['name']} {entry['url']}{again}  {entry['outcome']}{status}{error}{took}"


def _event(entry: Json, *, timed: bool) -> str:
    told = {name: value for name, value in entry.items() if name not in _COMMON}
    if entry["name"] == "clock_moved":
        told = {"seconds": round(told["seconds"], 3)} if timed else {}
    details = ", ".join(f"{name} {shown(value)}" for name, value in told.items())
    return f"event          {entry['name']}" + (f"  {details}" if details else "")


def _unanswered(under_way: Iterable[Json]) -> Iterator[str]:
    for callback in under_way:
        if callback["state"] == "in_flight":
            yield f"Klarna → shop  {callback['kind']} {callback['url']}  not answered yet"
