"""A file of JSON lines to which lines are only ever added, and which is rewritten whole at start."""

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from mock_klarna.domain.errors import MockKlarnaError

Line = dict[str, Any]
VERSION = 1
"""Raised whenever an older file could not be read any more."""

_log = logging.getLogger(__name__)
_HEAD: Line = {"mock_klarna_store": VERSION}


class Log:
    """The lines of one file. `rewrite` before the first `append`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._size = 0

    def lines(self) -> Iterator[tuple[int, Line]]:
        """Yield the lines after the head with their numbers; a last line that was cut off is left out.

        Raises `MockKlarnaError` for a file without our head, and for damage before the last line.
        """
        if not self._path.exists():
            return
        with self._opened() as file:
            self._require_head(file.readline())
            for number, raw in enumerate(file, 2):
                line = _parsed(raw)
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
            raise MockKlarnaError(said, where="store", right="a file that can be read and written") from fault

    def _require_head(self, raw: bytes) -> None:
        if raw and _parsed(raw) != _HEAD:
            raise MockKlarnaError(
                f"{self._path} is no store of this version of mock-klarna",
                where="store",
                right=f"a file that begins with {orjson.dumps(_HEAD).decode()}, or a new one",
            )

    def damaged(self, number: int, reason: str) -> MockKlarnaError:
        """Return the error for a line that cannot be used."""
        return MockKlarnaError(
            f"{self._path}, line {number} is damaged: {reason}",
            where="store",
            right="restore the file from a copy, or move it away to begin anew",
        )

    def rewrite(self, lines: Iterable[Line]) -> None:
        """Replace the file by these lines, so that a crash leaves the old one or the new one, and append from now on."""
        draft = self._path.with_name(self._path.name + ".new")
        try:
            with draft.open("wb") as file:
                file.writelines(orjson.dumps(line) + b"\n" for line in (_HEAD, *lines))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            self._size = os.fstat(self._file).st_size
        except OSError as fault:
            raise self._unwritable(fault) from fault

    def _unwritable(self, fault: OSError) -> MockKlarnaError:
        return MockKlarnaError(f"cannot write {self._path}: {fault.strerror}", where="store", right="room on the disk")

    def append(self, line: Line) -> None:
        """Hand one line to the operating system, whole or not at all; raises `MockKlarnaError` when the disk is full."""
        raw = orjson.dumps(line) + b"\n"
        try:
            written = os.write(self._file, raw)
            if written < len(raw):
                os.ftruncate(self._file, self._size)
                raise OSError(28, "no space left on the device")
        except OSError as fault:
            raise self._unwritable(fault) from fault
        self._size += written

    def sync(self) -> None:
        """Bring what was appended to the disk."""
        try:
            os.fsync(self._file)
        except OSError as fault:
            _log.error("%s", self._unwritable(fault))

    def close(self) -> None:
        """Bring what was appended to the disk and close the file."""
        self.sync()
        os.close(self._file)


def _parsed(raw: bytes) -> Line | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return line if isinstance(line, dict) else None
