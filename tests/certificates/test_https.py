"""The TLS context of a server: the names in its certificate, who trusts it, and unusable files."""

import logging
import ssl
from pathlib import Path

import pytest

from mock_klarna.certificates import load_https
from mock_klarna.certificates.authority import Pair
from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST
from mock_klarna.settings import Settings, SettingsError
from tests.certificates import samples

NAMED = (*API_HOSTS, SCRIPT_HOST, "localhost", "127.0.0.1", "::1", "klarna.test", "any.shop.test", "10.1.2.3")


@pytest.fixture(scope="module")
def served() -> tuple[ssl.SSLContext, bytes]:
    tls = load_https(Settings(tls=True, tls_name=("klarna.test", "*.shop.test", "10.1.2.3")))
    assert tls.authority is not None
    return tls.context, tls.authority


@pytest.mark.parametrize("host", NAMED)
def test_a_client_that_trusts_only_the_authority_accepts_every_host(
    served: tuple[ssl.SSLContext, bytes], host: str
) -> None:
    assert samples.shake_hands(served[0], samples.trusting(served[1]), host).version() in ("TLSv1.3", "TLSv1.2")


def test_the_certificate_passes_strict_verification(served: tuple[ssl.SSLContext, bytes]) -> None:
    client = samples.trusting(served[1])
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert samples.shake_hands(served[0], client, API_HOSTS[0]).getpeercert()


def test_a_client_that_trusts_another_authority_refuses_the_certificate(served: tuple[ssl.SSLContext, bytes]) -> None:
    other = load_https(Settings(tls=True)).authority
    assert other is not None
    with pytest.raises(ssl.SSLCertVerificationError):
        samples.shake_hands(served[0], samples.trusting(other), API_HOSTS[0])


def test_a_host_that_the_certificate_does_not_name_is_refused_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tls = load_https(Settings(tls=True))
    assert tls.authority is not None
    client = samples.trusting(tls.authority)
    with caplog.at_level(logging.WARNING, "mock_klarna"):
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
                samples.shake_hands(tls.context, client, "pay.klarna.test")
    assert [record.getMessage() for record in caplog.records] == [
        "a client asks for pay.klarna.test, which the certificate does not name: start with --tls-name pay.klarna.test"
    ]


def test_an_authority_of_the_settings_signs_the_certificate(tmp_path: Path) -> None:
    pair = samples.authority_pair()
    certificate, key = samples.files(tmp_path, pair)
    tls = load_https(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert tls.authority == pair.certificates
    assert samples.shake_hands(tls.context, samples.trusting(pair.certificates), SCRIPT_HOST).getpeercert()


@pytest.mark.parametrize("make", [samples.server_pair, samples.bare_pair])
def test_a_server_certificate_of_the_settings_is_used_unchanged(tmp_path: Path, make: samples.MakePair) -> None:
    pair = make("klarna.internal")
    certificate, key = samples.files(tmp_path, pair)
    tls = load_https(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert tls.authority is None
    client = samples.trusting(pair.certificates)
    presented = samples.shake_hands(tls.context, client, "klarna.internal").getpeercert(binary_form=True)
    assert presented == ssl.PEM_cert_to_DER_cert(pair.certificates.decode().partition("-----END")[0] + _END)


_END = "-----END CERTIFICATE-----\n"


def test_certificate_and_key_can_be_in_one_file(tmp_path: Path) -> None:
    pair = samples.authority_pair()
    file = tmp_path / "both.pem"
    file.write_bytes(pair.key + pair.certificates)
    assert load_https(Settings(tls=True, tls_cert=str(file), tls_key=str(file))).authority == pair.certificates


def _error(settings: Settings) -> str:
    with pytest.raises(SettingsError) as error:
        load_https(settings)
    return str(error.value)


def test_a_certificate_without_its_key_is_an_error() -> None:
    assert _error(Settings(tls=True, tls_cert="a.pem")).startswith("--tls-cert is given without --tls-key")
    assert _error(Settings(tls=True, tls_key="a.pem")).startswith("--tls-key is given without --tls-cert")


@pytest.mark.parametrize("key", ["a.pem", ""])
def test_a_folder_together_with_a_certificate_is_an_error(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "tls"
    text = _error(Settings(tls=True, tls_folder=str(folder), tls_cert="a.pem", tls_key=key))
    assert (
        text == "--tls-folder, which stores an authority, cannot be used with a certificate of your own; leave one out"
    )
    assert not folder.exists()


def test_the_error_for_a_missing_file_names_file_and_flag(tmp_path: Path) -> None:
    certificate, _ = samples.files(tmp_path, samples.authority_pair())
    missing = tmp_path / "no.pem"
    assert _error(Settings(tls=True, tls_cert=str(missing), tls_key=str(missing))) == (
        f"--tls-cert: {missing} cannot be read: No such file or directory"
    )
    assert _error(Settings(tls=True, tls_cert=certificate, tls_key=str(missing))) == (
        f"--tls-key: {missing} cannot be read: No such file or directory"
    )


WRONG_KEYS = [
    (samples.authority_pair().key, "is not the key of the certificate, whose subject is CN=mock-klarna"),
    (b"no key", "contains no private key in PEM"),
    (samples.encrypted_key(), "the key is encrypted; save it without a passphrase"),
    (samples.edwards_key(), "the key is neither RSA nor elliptic-curve"),
]


@pytest.mark.parametrize(("content", "message"), WRONG_KEYS, ids=["another", "none", "encrypted", "edwards"])
def test_the_error_for_an_unusable_key_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    certificate, key = samples.files(tmp_path, samples.server_pair("klarna.internal"))
    Path(key).write_bytes(content)
    text = _error(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert text.startswith(f"--tls-key: {key}")
    assert message in text


WRONG_CERTIFICATES = [
    (samples.server_pair("klarna.internal", samples.LONG_AGO), "CN=mock-klarna expired on "),
    (samples.authority_pair(samples.LONG_AGO), " expired on "),
    (samples.server_pair("klarna.internal", samples.IN_A_YEAR), "CN=mock-klarna is not valid before "),
    (Pair(b"nothing", samples.authority_pair().key), "contains no certificate in PEM"),
]


@pytest.mark.parametrize(("pair", "message"), WRONG_CERTIFICATES, ids=["expired", "expired authority", "early", "none"])
def test_the_error_for_an_unusable_certificate_says_why(tmp_path: Path, pair: Pair, message: str) -> None:
    certificate, key = samples.files(tmp_path, pair)
    text = _error(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert text.startswith(f"--tls-cert: {certificate}")
    assert message in text
