"""The authority of a folder: the same at every start, with a key that others cannot read."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mock_klarna.certificates.folder import load_or_create
from mock_klarna.settings import SettingsError
from tests.certificates import samples

NAMES = ("localhost", "127.0.0.0/8")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_authority_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "nested"
    assert (
        load_or_create(folder, samples.NOW, NAMES).pem
        == load_or_create(folder, samples.NOW, NAMES).pem
        == (folder / "ca.pem").read_bytes()
    )


@pytest.mark.usefixtures("without_umask")
def test_other_users_cannot_read_the_key(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    load_or_create(folder, samples.NOW, NAMES)
    assert (_mode(folder), _mode(folder / "authority.pem"), _mode(folder / "ca.pem")) == (0o700, 0o600, 0o644)
    assert sorted(path.name for path in folder.iterdir()) == ["authority.pem", "ca.pem"]


@pytest.fixture
def without_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_key_that_other_users_can_read_is_restricted(tmp_path: Path) -> None:
    secret = samples.folder_with_authority_of(tmp_path / "tls", samples.NOW) / "authority.pem"
    secret.chmod(0o644)
    load_or_create(tmp_path / "tls", samples.NOW, NAMES)
    assert _mode(secret) == 0o600


def test_servers_that_start_simultaneously_share_one_authority(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load_or_create(tmp_path / "tls", samples.NOW, NAMES).pem, range(8)))
    assert len(set(found)) == 1


def test_a_missing_certificate_is_written_again(tmp_path: Path) -> None:
    pem = load_or_create(tmp_path, samples.NOW, NAMES).pem
    (tmp_path / "ca.pem").unlink()
    load_or_create(tmp_path, samples.NOW, NAMES)
    assert (tmp_path / "ca.pem").read_bytes() == pem


def test_a_missing_key_is_an_error_and_no_new_one_is_created(tmp_path: Path) -> None:
    pem = load_or_create(tmp_path, samples.NOW, NAMES).pem
    (tmp_path / "authority.pem").unlink()
    assert _error(tmp_path) == (
        f"--tls-folder: {tmp_path} has ca.pem, which clients trust, but not authority.pem, which contains its key; "
        "restore it, or remove ca.pem, and the next start makes a new authority, which clients have to trust again"
    )
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("ca.pem", pem)]


def _error(folder: Path) -> str:
    with pytest.raises(SettingsError) as error:
        load_or_create(folder, samples.NOW, NAMES)
    return str(error.value)


def test_the_error_for_an_expired_authority_says_what_to_do(tmp_path: Path) -> None:
    folder = samples.folder_with_authority_of(tmp_path / "tls", samples.LONG_AGO)
    message = _error(folder)
    assert message.startswith(f"--tls-folder: {folder / 'authority.pem'}: CN=mock-klarna authority ")
    assert message.endswith(
        "; remove it and ca.pem in the same folder, and the next start makes a new authority, which clients have to trust again"
    )


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("")
    assert _error(tmp_path / "tls") == f"--tls-folder: {tmp_path / 'tls'} cannot be used: it is not a folder"


def test_a_folder_in_place_of_the_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").mkdir()
    assert _error(tmp_path) == f"--tls-folder: {tmp_path / 'authority.pem'} cannot be used: Is a directory"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "contains no certificate in PEM"),
        (samples.authority_pair().certificates, "contains no private key in PEM"),
        (samples.authority_pair().certificates + samples.authority_pair().key, "is not the key of the certificate"),
    ],
    ids=["empty", "no key", "other key"],
)
def test_the_error_for_an_unusable_authority_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "authority.pem").write_bytes(content)
    assert message in _error(tmp_path)


def test_a_certificate_that_cannot_sign_is_an_error(tmp_path: Path) -> None:
    pair = samples.server_pair("a.test")
    (tmp_path / "authority.pem").write_bytes(pair.certificates + pair.key)
    assert _error(tmp_path).endswith("CN=mock-klarna is not a certificate authority and cannot sign")
