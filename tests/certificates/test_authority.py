"""What an authority may sign for: its own hosts, so that a key that is stolen is of no use for others."""

import logging
import ssl
import subprocess
from pathlib import Path

import pytest

from mock_klarna.certificates import load_https
from mock_klarna.certificates.authority import Authority, new_authority
from mock_klarna.certificates.folder import load
from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST
from mock_klarna.settings import Settings, SettingsError
from tests.certificates import samples

OWN = (
    *API_HOSTS,
    SCRIPT_HOST,
    "localhost",
    "127.0.0.1",
    "127.8.9.1",
    "::1",
    "klarna.test",
    "any.shop.test",
    "10.1.2.3",
)
FOREIGN = (
    "example.com",
    "klarna.com",
    "www.klarna.com",
    "evilapi.klarna.com",
    "api.klarna.com.evil.example",
    "shop.example",
    "10.1.2.4",
    "8.8.8.8",
    "::2",
    "*.com",
    "*.klarna.com",
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tls")
    load_https(Settings(tls=True, tls_folder=str(folder), tls_name=("klarna.test", "*.shop.test", "10.1.2.3")))
    return load(folder, samples.NOW)


def verify(folder: Path, authority: Authority, *names: str) -> subprocess.CompletedProcess[str]:
    """Let OpenSSL verify a certificate for names that somebody signs with the authority's key."""
    pair = authority.sign(names, samples.NOW)
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "leaf.pem").write_bytes(pair.certificates)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "leaf.pem"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.process
@pytest.mark.parametrize("name", OWN)
def test_a_certificate_for_a_host_of_the_server_is_valid(tmp_path: Path, authority: Authority, name: str) -> None:
    verified = verify(tmp_path, authority, name)
    assert (verified.returncode, verified.stdout) == (0, "leaf.pem: OK\n"), verified.stderr
    assert authority.may_sign(name)


@pytest.mark.process
@pytest.mark.parametrize("name", FOREIGN)
def test_a_certificate_for_any_other_host_is_not_valid(tmp_path: Path, authority: Authority, name: str) -> None:
    for names in ((name,), (API_HOSTS[0], name)):
        verified = verify(tmp_path, authority, *names)
        assert verified.returncode != 0
        assert "permitted subtree violation" in verified.stdout + verified.stderr
    assert not authority.may_sign(name)


def test_a_client_refuses_a_certificate_that_was_signed_with_a_stolen_key(tmp_path: Path, authority: Authority) -> None:
    certificate, key = samples.files(tmp_path, authority.sign(["example.com"], samples.NOW))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        samples.shake_hands(server, samples.trusting(authority.pem), "example.com")


def test_a_further_name_needs_a_new_authority_and_the_error_says_so(tmp_path: Path) -> None:
    load_https(Settings(tls=True, tls_folder=str(tmp_path)))
    with pytest.raises(SettingsError) as error:
        load_https(Settings(tls=True, tls_folder=str(tmp_path), tls_name=("klarna.test",)))
    assert str(error.value) == (
        f"--tls-name: the authority of {tmp_path / 'authority.pem'} was not made for klarna.test; remove it and ca.pem in the "
        "same folder, and the next start makes a new authority, which clients have to trust again"
    )


def test_a_host_that_an_older_authority_may_not_sign_for_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = samples.stored(new_authority(samples.NOW, (*API_HOSTS[1:], "localhost", "127.0.0.1", "::1")), tmp_path)
    tls = load_https(Settings(tls=True, tls_folder=str(folder)))
    assert samples.shake_hands(tls.context, samples.trusting(tls.authority or b""), API_HOSTS[1]).getpeercert()
    assert [record.getMessage().split(" was not made for ")[1][:30] for record in caplog.records] == [
        f"{name}, which the certificate does not name"[:30] for name in (API_HOSTS[0], SCRIPT_HOST)
    ]


def test_an_authority_of_an_older_version_is_used_and_a_line_says_how_to_renew_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = samples.folder_with_authority_of(tmp_path / "tls", samples.NOW)
    with caplog.at_level(logging.WARNING, "mock_klarna"):
        tls = load_https(Settings(tls=True, tls_folder=str(folder), tls_name=("klarna.test",)))
    assert samples.shake_hands(tls.context, samples.trusting(tls.authority or b""), "klarna.test").getpeercert()
    (message,) = [record.getMessage() for record in caplog.records]
    assert "can sign for any host" in message
    assert "remove it and ca.pem" in message
