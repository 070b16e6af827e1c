"""What commands write: text whose reader may go, and files, which are refused before the work starts if they cannot be written."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from mock_klarna.errors import MockKlarnaError
from mock_klarna.process import discard_output


def print_text(text: str = "", stream: TextIO | None = None) -> None:
    """Print text on a stream, standard output by default; a reader that has gone, such as `head`, does not end the command."""
    try:
        print(text, file=stream or sys.stdout, flush=True)
    except BrokenPipeError:
        discard_output(stream or sys.stdout)


def require_writable(path: str | Path) -> None:
    """Make the folder of a file; raises `MockKlarnaError` if the file cannot be written. A file that exists stays as it is."""
    file = Path(path)
    with _as_error_of(path):
        is_new = _is_missing(file)
        if not is_new and not file.is_file() and not file.is_dir():
            return  # a pipe or a device: to open it would be seen at its other end
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("ab").close()
        if is_new:
            file.unlink()


def require_writable_folder(path: str | Path) -> None:
    """Make a folder; raises `MockKlarnaError` if no files can be made in it."""
    with _as_error_of(path):
        Path(path).mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=path).close()


def write(path: str | Path, content: bytes) -> None:
    """Replace the content of a file; raises `MockKlarnaError` if that fails."""
    with _as_error_of(path):
        Path(path).write_bytes(content)


def append(path: str | Path, text: str) -> None:
    """Add text to the end of a file, characters without UTF-8 replaced; raises `MockKlarnaError` if that fails."""
    with _as_error_of(path), Path(path).open("a", encoding="utf-8", errors="replace") as file:
        file.write(text)


def _is_missing(file: Path) -> bool:
    """Return whether there is no such file; raises `OSError` for one in a folder that cannot be read."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    return False


@contextmanager
def _as_error_of(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError for a null character
        reason = getattr(error, "strerror", None) or str(error)
        raise MockKlarnaError(f"cannot write: {reason}", where=str(path), hint="give a writable path") from None
