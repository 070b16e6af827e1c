"""Files whose traffic can be judged: a saved journal, a snapshot, an exported purchase, and an HTTP Archive (HAR)."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson

from mock_klarna.certify import recordings
from mock_klarna.certify.recordings import Operations
from mock_klarna.certify.traffic import Entry, Gaps, Traffic
from mock_klarna.domain.time import precise_moment
from mock_klarna.errors import MockKlarnaError

Json = Mapping[str, Any]
_TEXTS: Mapping[str, Sequence[str]] = {"exchange": ("method", "path"), "callback": ("url",), "event": ()}
"""The members that are text in an entry of each kind."""
_HINT = (
    "give a journal (GET /_mock/journal?limit=10000), a snapshot (GET /_mock/snapshot), a purchase that was exported "
    "as HTML or HAR, or a HAR of a browser or proxy"
)
_PART = "the file has a part of the journal; save it with limit=10000 and without other parameters but merchant"
_LEFT_OUT = "entries of the journal were left out when the purchase was exported; judge the merchant's journal"
_NO_JOURNAL = "a snapshot has no journal; judge the server, or a saved journal"


@dataclass(frozen=True, slots=True)
class Source:
    """What a file has: a word for its kind, the entries, what they do not show, and notes for the reader of a report."""

    kind: str
    entries: Sequence[Entry]
    gaps: Gaps
    notes: tuple[str, ...] = ()

    @property
    def merchants(self) -> list[str]:
        """The merchants of the entries, sorted; requests without known credentials are not judged."""
        return sorted({str(entry["merchant"]) for entry in self.entries} - {""})

    def traffic(self, merchant: str) -> Traffic:
        """Return the traffic of a merchant; it may be empty."""
        return Traffic(merchant, (entry for entry in self.entries if str(entry["merchant"]) == merchant), self.gaps)


def read(path: str, operations: Callable[[], Operations]) -> Source:
    """Return what a file has; `operations` returns Klarna's endpoints, by which the requests of a foreign HAR are known.

    Raises `MockKlarnaError` for a file that cannot be read or is of another kind.
    """
    try:
        content = Path(path).read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise MockKlarnaError(f"cannot read: {error.strerror}", where=path, hint=_HINT) from None
    try:
        return _source(content, operations)
    except MockKlarnaError as error:
        raise MockKlarnaError(error.message, where=path, hint=error.hint) from None
    except (ValueError, TypeError, LookupError, AttributeError):
        raise MockKlarnaError("this is not traffic that can be judged", where=path, hint=_HINT) from None


def _source(content: bytes, operations: Callable[[], Operations]) -> Source:
    if content.lstrip()[:1] == b"<":
        return _purchase(_exported(content.decode()), ())
    data: Json = orjson.loads(content)
    if "log" in data:
        return _archive(data["log"], operations)
    if "merchants" in data:
        return _snapshot(data["merchants"])
    return _purchase(data, ()) if "purchase" in data else _journal(data)


def _journal(data: Json) -> Source:
    entries: list[Entry] = data["entries"]
    _require_entries(entries)
    dropped = int(data.get("dropped") or 0)
    if data.get("complete"):
        return Source("journal", entries, Gaps(dropped=dropped))
    found = {entry["kind"] for entry in entries}
    missing = {kind: _PART for kind in _TEXTS if kind not in found}
    note = f"{_PART}. A finding may be caused by what is missing."
    return Source("part of a journal", entries, Gaps(dropped=dropped, cut=_PART, kinds=missing), (note,))


def _require_entries(entries: Sequence[Entry]) -> None:
    """Raise one of the errors of `read` for entries that are not those of a journal."""
    for entry in entries:
        texts = [entry["name"], *(entry[name] for name in _TEXTS[entry["kind"]])]
        if not (isinstance(entry["seq"], int) and all(isinstance(text, str) for text in texts)):
            raise ValueError("no entry of a journal")
        datetime.fromisoformat(entry["at"])
        _ = entry["merchant"], entry["purchase_id"]
        if entry["kind"] == "exchange":
            _ = [(name.casefold(), value.casefold()) for name, value in entry["request_headers"]]
            _ = [(problem["path"], problem["expected"]) for problem in entry.get("problems") or ()]


def _purchase(data: Json, more: Iterable[Entry]) -> Source:
    entries: list[Entry] = [*data["entries"], *more]
    _require_entries(entries)
    dropped, left_out = int(data.get("dropped") or 0), data.get("left_out")
    gaps = Gaps(dropped=dropped, cut=_LEFT_OUT if left_out else "", one_purchase=True)
    note = "one purchase was judged; rules about its button key and about other purchases are inconclusive"
    return Source("exported purchase", entries, gaps, (note, *([f"{_LEFT_OUT}."] if left_out else [])))


class _Data(HTMLParser):
    """Finds the text of the script that has the data of an exported purchase."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._is_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_data = tag == "script" and dict(attrs).get("type") == "application/json"

    def handle_data(self, data: str) -> None:
        if self._is_data:
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._is_data = self._is_data and tag != "script"


def _exported(page: str) -> Json:
    found = _Data()
    found.feed(page)
    if not found.texts:
        raise MockKlarnaError("this page has no journal", hint=_HINT)
    data: Json = orjson.loads("".join(found.texts))
    return data


def _archive(log: Json, operations: Callable[[], Operations]) -> Source:
    own = [entry["_mock_klarna"] for entry in log["entries"] if "_mock_klarna" in entry]
    if own or "_mock_klarna" in log:
        return _purchase(log.get("_mock_klarna") or {"entries": []}, own)
    entries, gaps, notes = recordings.entries(log["entries"], operations())
    return Source("HAR", entries, gaps, notes)


def _snapshot(merchants: Json) -> Source:
    attempts = [
        (attempt, record, record.get("attempts_dropped", 0) + number)
        for state in merchants.values()
        for record in state["records"].get("callback", ())
        for number, attempt in enumerate(record["attempts"], 1)
    ]
    attempts.sort(key=lambda sent: float(sent[0]["at"]))
    entries = [_attempt(seq, *sent) for seq, sent in enumerate(attempts, 1)]
    dropped = sum(record.get("attempts_dropped", 0) for _attempt, record, _number in attempts)
    gaps = Gaps(dropped=dropped, kinds={"exchange": _NO_JOURNAL, "event": _NO_JOURNAL})
    note = f"{_NO_JOURNAL}. Only what its {len(entries)} attempts to send callbacks show was judged."
    return Source("snapshot", entries, gaps, (note,))


def _attempt(seq: int, attempt: Json, record: Json, number: int) -> Entry:
    """Return an attempt of a snapshot as the journal has it."""
    return {
        "seq": seq,
        "at": precise_moment(float(attempt["at"])),
        "merchant": record["merchant"],
        "kind": "callback",
        "name": record["callback"],
        "purchase_id": record["purchase_id"],
        "callback_id": record["callback_id"],
        "url": record["url"],
        "number": number,
        "request_body": recordings.body(record["body"]),
        "duration_ms": round(float(attempt["duration"]) * 1000, 3),
        "outcome": attempt["outcome"],
        "status": attempt["status"],
        "error": attempt["error"],
        "remedy": attempt["remedy"],
        "answer_headers": attempt["answer_headers"],
        "answer_body": recordings.body(attempt["answer"]),
        "place": f"/_mock/callbacks/{record['callback_id']}",
    }
