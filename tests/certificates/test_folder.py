"""An authority that is kept: the same at every start, its key closed to others, and clear words when it cannot be."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mock_klarna.certificates.folder import kept
from mock_klarna.settings import SettingsError
from tests.certificates import made


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_authority_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "on the way"
    assert kept(folder, made.NOW).pem == kept(folder, made.NOW).pem == (folder / "ca.pem").read_bytes()


@pytest.mark.usefixtures("mask_of_nothing")
def test_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    kept(folder, made.NOW)
    assert (_mode(folder), _mode(folder / "authority.pem"), _mode(folder / "ca.pem")) == (0o700, 0o600, 0o644)
    assert sorted(path.name for path in folder.iterdir()) == ["authority.pem", "ca.pem"]


@pytest.fixture
def mask_of_nothing() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_key_that_others_can_read_is_closed(tmp_path: Path) -> None:
    secret = made.folder_with_authority_of(tmp_path / "tls", made.NOW) / "authority.pem"
    secret.chmod(0o644)
    kept(tmp_path / "tls", made.NOW)
    assert _mode(secret) == 0o600


def test_servers_that_start_at_once_share_one_authority(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept(tmp_path / "tls", made.NOW).pem, range(8)))
    assert len(set(found)) == 1


def test_a_lost_certificate_is_written_again(tmp_path: Path) -> None:
    pem = kept(tmp_path, made.NOW).pem
    (tmp_path / "ca.pem").unlink()
    kept(tmp_path, made.NOW)
    assert (tmp_path / "ca.pem").read_bytes() == pem


def test_a_lost_key_is_told_and_nothing_is_made_in_its_place(tmp_path: Path) -> None:
    pem = kept(tmp_path, made.NOW).pem
    (tmp_path / "authority.pem").unlink()
    assert _refusal(tmp_path) == (
        f"--tls-folder: {tmp_path} has ca.pem, which clients trust, but not authority.pem, the key that signs for it; "
        "put it back, or remove ca.pem, and the next start makes a new authority, to be trusted anew"
    )
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("ca.pem", pem)]


def _refusal(folder: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        kept(folder, made.NOW)
    return str(refused.value)


def test_an_expired_authority_says_when_and_what_to_do(tmp_path: Path) -> None:
    folder = made.folder_with_authority_of(tmp_path / "tls", made.LONG_AGO)
    refusal = _refusal(folder)
    assert refusal.startswith(f"--tls-folder: {folder / 'authority.pem'}: CN=mock-klarna authority ")
    assert refusal.endswith(
        "; remove it and ca.pem beside it, and the next start makes a new authority, to be trusted anew"
    )


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("")
    assert _refusal(tmp_path / "tls") == f"--tls-folder: {tmp_path / 'tls'} cannot be used: it is not a folder"


def test_a_folder_in_the_keys_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").mkdir()
    assert _refusal(tmp_path) == f"--tls-folder: {tmp_path / 'authority.pem'} cannot be used: Is a directory"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no certificate in PEM"),
        (made.authority_pair().certificates, "holds no private key in PEM"),
        (made.authority_pair().certificates + made.authority_pair().key, "is not the key of the certificate"),
    ],
    ids=["empty", "no key", "other key"],
)
def test_a_spoilt_authority_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "authority.pem").write_bytes(content)
    assert said in _refusal(tmp_path)


def test_a_certificate_that_cannot_sign_is_refused(tmp_path: Path) -> None:
    pair = made.server_pair("a.test")
    (tmp_path / "authority.pem").write_bytes(pair.certificates + pair.key)
    assert _refusal(tmp_path).endswith("CN=mock-klarna is no authority and cannot sign")
