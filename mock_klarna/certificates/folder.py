"""An authority that is stored in a folder, so that it is the same at the next start."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from mock_klarna.certificates.authority import (
    Authority,
    checked_pair,
    key_pem,
    new_authority,
    parse_pair,
    subject_of,
)
from mock_klarna.settings import SettingsError

AUTHORITY_FILE = "authority.pem"
"""Certificate and key in one file, so that two processes cannot write parts of different pairs."""
CERTIFICATE_FILE = "ca.pem"
"""The certificate alone, which clients trust."""
RENEWAL = "; remove it and ca.pem in the same folder, and the next start makes a new authority, which clients have to trust again"
"""What to do with an authority that cannot be used."""


def load_or_create(folder: Path, now: datetime, names: Sequence[str] | None) -> Authority:
    """Return the authority of a folder; creates the folder and the authority, which may sign for `names`, where they do not exist.

    Raises `SettingsError` when the folder cannot be used, its authority has expired, or only the certificate exists.
    """
    with _usable(folder):
        has_certificate = (folder / CERTIFICATE_FILE).exists()  # before the other file, which is written first
        if not (folder / AUTHORITY_FILE).exists():
            if has_certificate:
                raise SettingsError(_KEY_IS_MISSING.format(folder))
            _create(folder, now, names)
        authority = _read(folder, now)
        _restrict_access(folder / AUTHORITY_FILE)
        _publish(folder / CERTIFICATE_FILE, authority.pem)
        return authority


def load(folder: Path, now: datetime) -> Authority:
    """Return the authority of a folder and change nothing; raises `SettingsError` as `load_or_create`, also without one."""
    with _usable(folder):
        if not (folder / AUTHORITY_FILE).exists():
            raise SettingsError(
                (_KEY_IS_MISSING if (folder / CERTIFICATE_FILE).exists() else _NO_AUTHORITY).format(folder)
            )
        return _read(folder, now)


_NO_AUTHORITY = (
    "--tls-folder: {0} contains no authority; use the folder that the server was started with, or start the server: "
    "`mock-klarna serve --tls --tls-folder {0}` creates one"
)
_KEY_IS_MISSING = (
    "--tls-folder: {0} has ca.pem, which clients trust, but not authority.pem, which contains its key; "
    "restore it, or remove ca.pem, and the next start makes a new authority, which clients have to trust again"
)


@contextlib.contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Turn an OSError into a `SettingsError` that says why the folder cannot be used."""
    try:
        yield
    except OSError as fault:
        reason = (
            "it is not a folder" if isinstance(fault, FileExistsError | NotADirectoryError) else fault.strerror or fault
        )
        raise SettingsError(f"--tls-folder: {fault.filename or folder} cannot be used: {reason}") from None


def _create(folder: Path, now: datetime, names: Sequence[str] | None) -> None:
    """Create an authority, unless another process has created one meanwhile (on file systems with hard links)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = new_authority(now, names)
    draft = _draft(folder / AUTHORITY_FILE, authority.pem + key_pem(authority.key), 0o600)
    try:
        (folder / AUTHORITY_FILE).hardlink_to(draft)
    except FileExistsError:
        pass
    except OSError:
        draft.replace(folder / AUTHORITY_FILE)
    finally:
        draft.unlink(missing_ok=True)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    """Write a temporary file in the same folder, with its final mode from the start, and return its path."""
    draft = path.with_name(f".{path.name}.{token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _read(folder: Path, now: datetime) -> Authority:
    path = folder / AUTHORITY_FILE
    certificates, key = parse_pair(path.read_bytes(), f"--tls-folder: {path}")
    where = f"--tls-folder: {path}"
    authority = checked_pair(certificates, key, now, where, f"--tls-folder: the key in {path}", RENEWAL)
    if not isinstance(authority, Authority):
        raise SettingsError(f"{where}: {subject_of(certificates[0])} is not a certificate authority and cannot sign")
    return authority


def _restrict_access(path: Path) -> None:
    """Make the key unreadable for other users, such as after it was copied."""
    if path.stat().st_mode & 0o077:
        with contextlib.suppress(PermissionError):
            path.chmod(0o600)


def _publish(path: Path, pem: bytes) -> None:
    """Write the certificate for clients, unless it exists or the folder is read-only."""
    with contextlib.suppress(OSError):
        if not path.exists() or path.read_bytes() != pem:
            _draft(path, pem, 0o644).replace(path)
