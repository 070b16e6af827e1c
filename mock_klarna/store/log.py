"""A file of JSON lines to which lines are only ever added, until a shorter one takes its place."""

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import orjson

from mock_klarna.errors import MockKlarnaError
from mock_klarna.store.draft import Draft, flush_folder
from mock_klarna.store.lines import HEAD, Line, parsed

_log = logging.getLogger(__name__)


class Log:
    """The lines of one file. `rewrite` before the first `append`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._replaced = -1
        self._is_new = False
        self._flushing = Lock()
        self.size = 0

    def lines(self) -> Iterator[tuple[int, Line]]:
        """Yield the lines after the head with their numbers; a last line that was cut off is left out.

        Raises `MockKlarnaError` for a file without our head, and for damage before the last line.
        """
        if not self._path.exists():
            return
        with self._opened() as file:
            self._require_head(file.readline())
            for number, raw in enumerate(file, 2):
                line = parsed(raw)
                if line is None:
                    if file.read(1):
                        raise self.damaged(number, "not a line of JSON")
                    _log.warning("%s: the last line was cut off and is left out", self._path)
                    return
                yield number, line

    def _opened(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as fault:
            said = f"cannot read {self._path}: {fault.strerror}"
            raise MockKlarnaError(said, where="store", hint="a file that can be read and written") from fault

    def _require_head(self, raw: bytes) -> None:
        if raw and parsed(raw) != HEAD:
            raise MockKlarnaError(
                f"{self._path} is no store of this version of mock-klarna",
                where="store",
                hint=f"a file that begins with {orjson.dumps(HEAD).decode()}, or a new one",
            )

    def damaged(self, number: int, reason: str) -> MockKlarnaError:
        """Return the error for a line that cannot be used."""
        return MockKlarnaError(
            f"{self._path}, line {number} is damaged: {reason}",
            where="store",
            hint="restore the file from a copy, or move it away to begin anew",
        )

    def rewrite(self, lines: Iterable[Line]) -> None:
        """Replace the file by these lines, so that a crash leaves the old one or the new one, and append from now on."""
        try:
            draft = self.draft()
            draft.write(lines)
            self.follow(draft)
            self.sync()
        except OSError as fault:
            raise self._unwritable(fault) from fault

    def draft(self) -> Draft:
        """Begin a shorter file; it covers what has been appended so far. Raises OSError."""
        return Draft(self._path, self.size)

    def follow(self, draft: Draft) -> None:
        """Let a draft take this file's place and append to it from now on; `sync` it soon.

        Raises OSError, and the old file goes on.
        """
        draft.add_rest(self.size)
        self._replaced, self._file = self._file, draft.take_over()
        self.size = draft.size
        self._is_new = True

    def _unwritable(self, fault: OSError) -> MockKlarnaError:
        return MockKlarnaError(f"cannot write {self._path}: {fault.strerror}", where="store", hint="room on the disk")

    def append(self, line: Line) -> None:
        """Hand one line to the operating system, whole or not at all; raises `MockKlarnaError` when the disk is full."""
        raw = orjson.dumps(line) + b"\n"
        try:
            written = os.write(self._file, raw)
            if written < len(raw):
                os.ftruncate(self._file, self.size)
                raise OSError(28, "no space left on the device")
        except OSError as fault:
            raise self._unwritable(fault) from fault
        self.size += written

    def sync(self) -> None:
        """Bring what was appended to the disk, and with it which file it is now; may be called from any thread."""
        try:
            with self._flushing:
                os.fsync(self._file)
                self._settle()
        except OSError as fault:
            _log.error("%s", self._unwritable(fault))

    def _settle(self) -> None:
        """Make the change to another file last, and let go of the old one: nobody flushes that any more."""
        if self._is_new:
            self._is_new = False
            flush_folder(self._path)
        if self._replaced >= 0:
            os.close(self._replaced)
            self._replaced = -1

    def close(self) -> None:
        """Bring what was appended to the disk and close the file."""
        self.sync()
        os.close(self._file)
