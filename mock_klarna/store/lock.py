"""One server a file: a lock that the operating system takes back when its holder dies, however that happens."""

import os
import sys
from pathlib import Path

from mock_klarna.errors import MockKlarnaError


class Lock:
    """An exclusive lock beside a file, `<name>.lock`; raises `MockKlarnaError` when another process or store has it."""

    def __init__(self, path: Path) -> None:
        beside = path.with_name(path.name + ".lock")
        try:
            self._file = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise MockKlarnaError(
                f"cannot open {beside}: {fault.strerror}",
                where="store",
                hint="a folder that exists and can be written",
            ) from fault
        try:
            _take(self._file)
        except OSError:
            os.close(self._file)
            raise MockKlarnaError(
                f"{path} is in use by another server", where="store", hint="stop that one, or give each its own file"
            ) from None

    def release(self) -> None:
        """Let others have the file."""
        os.close(self._file)


def _take(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
