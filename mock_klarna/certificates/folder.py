"""An authority that is kept in a folder, so that it is the same at the next start."""

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from mock_klarna.certificates import authority as given
from mock_klarna.certificates.authority import Authority, key_pem, new_authority
from mock_klarna.settings import SettingsError

SECRET = "authority.pem"  # noqa: S105
"""Certificate and key in one file, so that no two processes can leave a pair that does not fit."""
PUBLIC = "ca.pem"
"""The certificate alone: what clients trust."""
_RENEWAL = "; remove it and ca.pem beside it, and the next start makes a new authority, to be trusted anew"


def kept(folder: Path, now: datetime) -> Authority:
    """Return the authority of a folder, making both if there is none yet.

    Raises `SettingsError` when the folder cannot be used, its authority has expired, or only its certificate is left.
    """
    with _usable(folder):
        is_trusted = (folder / PUBLIC).exists()  # looked at first: whoever publishes it has made the other before
        if not (folder / SECRET).exists():
            if is_trusted:
                raise SettingsError(_LEFT.format(folder))
            _make(folder, now)
        authority = _read(folder, now)
        _close(folder / SECRET)
        _publish(folder / PUBLIC, authority.pem)
        return authority


def found(folder: Path, now: datetime) -> Authority:
    """Return the authority of a folder and change nothing there; raises `SettingsError` where `kept` would, or would make one."""
    with _usable(folder):
        if not (folder / SECRET).exists():
            raise SettingsError((_LEFT if (folder / PUBLIC).exists() else _NONE).format(folder))
        return _read(folder, now)


_NONE = (
    "--tls-folder: {0} keeps no authority; name the folder that the server was started with, or start it: "
    "`mock-klarna serve --tls --tls-folder {0}` makes one"
)
_LEFT = (
    "--tls-folder: {0} has ca.pem, which clients trust, but not authority.pem, the key that signs for it; put it back, or "
    "remove ca.pem, and the next start makes a new authority, to be trusted anew"
)


@contextlib.contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Say in one sentence why a folder cannot be used."""
    try:
        yield
    except OSError as fault:
        said = (
            "it is not a folder" if isinstance(fault, FileExistsError | NotADirectoryError) else fault.strerror or fault
        )
        raise SettingsError(f"--tls-folder: {fault.filename or folder} cannot be used: {said}") from None


def _make(folder: Path, now: datetime) -> None:
    """Make an authority; where another process is faster, its authority is the one, as far as the file system has hard links."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = new_authority(now)
    draft = _draft(folder / SECRET, authority.pem + key_pem(authority.key), 0o600)
    try:
        (folder / SECRET).hardlink_to(draft)
    except FileExistsError:
        pass
    except OSError:
        draft.replace(folder / SECRET)
    finally:
        draft.unlink(missing_ok=True)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    """Write a file beside its place, with its mode from the first byte on."""
    draft = path.with_name(f".{path.name}.{token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _read(folder: Path, now: datetime) -> Authority:
    path = folder / SECRET
    certificates, key = given.parsed(path.read_bytes(), f"--tls-folder: {path}")
    where = f"--tls-folder: {path}"
    authority = given.pair(certificates, key, now, where, f"--tls-folder: the key in {path}", _RENEWAL)
    if not isinstance(authority, Authority):
        raise SettingsError(f"{where}: {given.named(certificates[0])} is no authority and cannot sign")
    return authority


def _close(path: Path) -> None:
    """Take the key from other users' eyes, where a copy or a file system had it open to them."""
    if path.stat().st_mode & 0o077:
        with contextlib.suppress(PermissionError):
            path.chmod(0o600)


def _publish(path: Path, pem: bytes) -> None:
    """Write the certificate for clients, unless it is there; a read-only folder may do without."""
    with contextlib.suppress(OSError):
        if not path.exists() or path.read_bytes() != pem:
            _draft(path, pem, 0o644).replace(path)
