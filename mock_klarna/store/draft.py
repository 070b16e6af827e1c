"""The next version of a log, written beside it while lines are still added to the old one."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import orjson

from mock_klarna.store.lines import HEAD, Line

_PORTION = 1 << 20


class Abandoned(Exception):
    """Nobody wants the draft any more."""


class Draft:
    """A file that begins with `HEAD` and other lines and goes on with what is appended to the log at `path` after `covered`.

    All but `discard` raise OSError. `write` and `catch_up` may take long and are made for a thread.
    """

    def __init__(self, path: Path, covered: int = 0) -> None:
        self._path = path
        self._draft = path.with_name(path.name + ".new")
        self._file = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        self._abandoned = False
        self.covered = covered
        self.size = 0

    def write(self, lines: Iterable[Line]) -> None:
        """Write the head and the lines, and bring them to the disk; raises `Abandoned` when told to leave off."""
        portion = orjson.dumps(HEAD) + b"\n"
        for line in lines:
            portion += orjson.dumps(line) + b"\n"
            if len(portion) > _PORTION:
                self._add(portion)
                portion = b""
        self._add(portion)
        os.fsync(self._file)

    def catch_up(self, size: int) -> None:
        """Add what was appended to the old file up to its `size`, and bring that to the disk."""
        self.add_rest(size)
        os.fsync(self._file)

    def add_rest(self, size: int) -> None:
        """Add what was appended to the old file up to its `size`; the disk has it after the next flush."""
        if self.covered >= size:
            return
        with self._path.open("rb") as old:
            old.seek(self.covered)
            while self.covered < size:
                portion = old.read(min(_PORTION, size - self.covered))
                self._add(portion)
                self.covered += len(portion)

    def _add(self, portion: bytes) -> None:
        if self._abandoned:
            raise Abandoned
        view = memoryview(portion)
        while view:
            written = os.write(self._file, view)
            self.size += written
            view = view[written:]

    def take_over(self) -> int:
        """Put the draft in the place of the old file, whole, and return its descriptor for appending."""
        if sys.platform == "win32":  # which renames no file that is open
            os.close(self._file)
            self._draft.replace(self._path)
            return os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._draft.replace(self._path)
        return self._file

    def abandon(self) -> None:
        """Have a thread that writes leave off soon."""
        self._abandoned = True

    def discard(self) -> None:
        """Close and remove the draft."""
        os.close(self._file)
        self._draft.unlink(missing_ok=True)


def flush_folder(path: Path) -> None:
    """Bring to the disk which file a name stands for, where the operating system can (Windows needs no telling)."""
    if sys.platform == "win32":
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
