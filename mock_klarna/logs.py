"""What `serve` and `demo` print: the journal and log messages, as lines of text or JSON that are written in the background.

A request only adds its entry to a queue. The event loop turns entries into lines a little later, and a thread writes them.
Above a limit, and while the reader of the output is too slow, entries are counted and left out.
"""

import asyncio
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any, NamedTuple, TextIO

import orjson
from msgspec.structs import replace

from mock_klarna.domain.events import Event
from mock_klarna.domain.journal import EVENT, Entry, Exchange, Sent
from mock_klarna.domain.journal_text import JournalLines, describe, printable
from mock_klarna.domain.time import moment
from mock_klarna.settings import Settings

MAX_WAITING = 1000
"""Entries and messages that wait to become lines."""
MAX_UNWRITTEN = 256 << 10
"""Bytes that wait for a reader of the output; while there are more, nothing becomes a line."""
_BATCH_ENTRIES = 25
_BATCH_SECONDS = 0.05
_CLOSE_SECONDS = 0.5
_MAX_MESSAGE_LENGTH = 8000
_MAX_BODY_BYTES = 16 << 10
_JOURNAL_LOGGER = "mock_klarna.journal"
_OMITTED_MEMBERS = ("request_headers", "request_body", "response_body", "answer_headers", "answer_body")
"""Members of a journal entry that are not in a line of JSON."""
Json = dict[str, Any]
Data = Exchange | Sent | Event


class BackgroundWriter:
    """Writes text to a stream in a thread of its own, so that a slow reader of it delays nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._texts: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._accepted = self._written = 0

    @property
    def unwritten(self) -> int:
        """How many characters wait for the reader of the stream."""
        return self._accepted - self._written

    def write(self, text: str) -> None:
        """Write a text soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="log output", daemon=True)
            self._thread.start()
        self._accepted += len(text)
        self._texts.put(text)

    def close(self) -> None:
        """Wait a moment until everything is written; the process may end before a reader that is too slow has all."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._texts.put(None)
            thread.join(_CLOSE_SECONDS)

    def _write_all(self) -> None:
        is_open = True
        while (text := self._texts.get()) is not None:
            if is_open:
                try:
                    self._write_now(text)
                except (OSError, ValueError):  # nobody reads the stream any more
                    is_open = False
            self._written += len(text)

    def _write_now(self, text: str) -> None:
        """Write to the file of the stream: a thread that waits inside the stream would keep the process from ending."""
        try:
            file = self._stream.fileno()
        except (OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
            return
        data = text.encode(self._stream.encoding or "utf-8", self._stream.errors or "backslashreplace")
        while data:
            try:
                data = data[os.write(file, data) :]
            except BlockingIOError:  # a process with the other end, such as Node.js, has made the pipe non-blocking
                select.select([], [file], [])


def has_colours(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that shows colours, and the user has not switched them off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width(stream: TextIO) -> int | None:
    """Return how many columns a terminal has; None for a file or a pipe, whose lines have any length."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def journal_lines_for(stream: TextIO, *, verbose: bool) -> JournalLines:
    """Return what writes entries as lines for a stream."""
    return JournalLines(verbose=verbose, colours=has_colours(stream), width=terminal_width(stream))


class _Message(NamedTuple):
    """A log message as it is shown; `at` is in seconds since 1970."""

    at: float
    level: str
    logger: str
    text: str


class ConsoleLog(logging.Handler):
    """Shows the journal entries that this process records, and log messages, on a stream.

    It observes a server (`JournalObserver`) in the running loop.
    """

    def __init__(self, settings: Settings, stream: TextIO) -> None:
        super().__init__()
        self._writer = BackgroundWriter(stream)
        self._lines = journal_lines_for(stream, verbose=settings.verbose)
        self._is_json = settings.log_format == "json"
        self._waiting: deque[Entry | _Message | str] = deque()
        self._dropped = 0
        self._latest = 0.0
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._is_scheduled = False

    def recorded(
        self,
        merchant: str,
        kind: str,
        name: str,
        data: Data,
        at: float,
        purchase_id: str | None,
    ) -> None:
        """Show an entry of the journal soon."""
        data = data if kind == EVENT else _without_large_bodies(data)
        self._add(Entry(seq=0, at=at, merchant=merchant, kind=kind, name=name, purchase_id=purchase_id, data=data))

    def emit(self, record: logging.LogRecord) -> None:
        """Show a log message soon; called from any thread. A message that cannot be formatted is reported as logging does."""
        try:
            text = record.getMessage()[:_MAX_MESSAGE_LENGTH]
        except Exception:
            self.handleError(record)
            return
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)[-_MAX_MESSAGE_LENGTH:]
        self._add(_Message(record.created, record.levelname.lower(), record.name, text))

    def print(self, text: str) -> None:
        """Print a text as it is, in its turn."""
        self._add(text)

    def _add(self, item: Entry | _Message | str) -> None:
        if self._dropped or len(self._waiting) >= MAX_WAITING:
            self._dropped += 1
            return
        self._waiting.append(item)
        if not self._is_scheduled:
            self._is_scheduled = True
            if threading.get_ident() == self._loop_thread:
                self._schedule()
            else:
                with suppress(RuntimeError):  # the loop is closed; `close` shows the message
                    self._loop.call_soon_threadsafe(self._schedule)

    def _schedule(self) -> None:
        self._loop.call_later(_BATCH_SECONDS, self._show_batch)

    def _show_batch(self) -> None:
        """Turn some of what waits into lines, and come back for the rest."""
        try:
            if self._writer.unwritten < MAX_UNWRITTEN:
                self._show(_BATCH_ENTRIES)
        finally:
            self._is_scheduled = False  # before the check, so that no message of another thread is missed
            if self._waiting:
                self._is_scheduled = True
                self._schedule()

    def _show(self, limit: int) -> None:
        lines: list[str] = []
        try:
            for _ in range(min(limit, len(self._waiting))):
                lines += self._item_lines(self._waiting.popleft())
            if self._dropped and not self._waiting:
                text = f"{self._dropped} entries were left out: more happened than can be shown; GET /_mock/journal has them"
                lines += self._message_lines(_Message(self._latest, "warning", _JOURNAL_LOGGER, text))
                self._dropped = 0
        finally:
            if lines:
                self._writer.write("\n".join([*lines, ""]))

    def _item_lines(self, item: Entry | _Message | str) -> list[str]:
        if isinstance(item, Entry):
            return self._entry_lines(item)
        if isinstance(item, str):
            if not self._is_json:
                return [item]
            item = _Message(self._latest, "info", _JOURNAL_LOGGER, item.strip())
        return self._message_lines(item)

    def _entry_lines(self, entry: Entry) -> list[str]:
        from mock_klarna.web import views

        shown = views.entry(entry)
        self._latest = entry.at
        return [_entry_json(shown)] if self._is_json else self._lines.lines(shown)

    def _message_lines(self, message: _Message) -> list[str]:
        at = moment(message.at)
        if self._is_json:
            text = message.text.encode("utf-8", "backslashreplace").decode()
            members = {"at": at, "level": message.level, "logger": message.logger, "message": text}
            return [orjson.dumps(members).decode()]
        lines = map(printable, message.text.splitlines())
        return self._lines.message(at, message.level, "\n".join(lines))

    def close(self) -> None:
        """Show what waits, and write it if the reader is fast enough."""
        if self._writer.unwritten < MAX_UNWRITTEN:
            self._show(MAX_WAITING)
        self._writer.close()
        super().close()


def _without_large_bodies(data: Data) -> Data:
    """Return an exchange or a callback without a body that is too large to be shown: nothing large waits in memory."""
    if isinstance(data, Exchange):
        if len(data.request_body) > _MAX_BODY_BYTES:
            data = replace(data, request_body=b"")
        return replace(data, response_body=b"") if len(data.response_body) > _MAX_BODY_BYTES else data
    if isinstance(data, Sent) and len(data.request_body) + len(data.attempt.answer) > _MAX_BODY_BYTES:
        return replace(data, request_body=b"", attempt=replace(data.attempt, answer=b""))
    return data


def _entry_json(entry: Json) -> str:
    """Return a journal entry as a line of JSON, without bodies and headers, with its text as `message` and `details`."""
    described = describe(entry)
    members = {
        "at": entry["at"],
        "level": "warning" if described.is_error else "info",
        "logger": _JOURNAL_LOGGER,
        "message": f"{described.actor} {described.text}",
        "details": list(described.details) or None,
        **{name: value for name, value in entry.items() if name not in ("seq", "at", *_OMITTED_MEMBERS)},
    }
    return orjson.dumps({name: value for name, value in members.items() if value not in (None, [])}).decode()


@contextmanager
def console_log(settings: Settings, stream: TextIO) -> Iterator[ConsoleLog]:
    """Show log messages from INFO on, and what the log observes, until the end; for a process that only serves."""
    log = ConsoleLog(settings, stream)
    logging.basicConfig(level=logging.WARNING if settings.quiet else logging.INFO, handlers=[log], force=True)
    logging.getLogger("aiohttp").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(log)
        log.close()
