"""The certificate of a server: whom it names, who trusts it, and what cannot be used."""

import logging
import ssl
from pathlib import Path

import pytest

from mock_klarna.certificates import https
from mock_klarna.certificates.authority import Pair
from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST
from mock_klarna.settings import Settings, SettingsError
from tests.cases import in_turn
from tests.certificates import made

NAMED = (*API_HOSTS, SCRIPT_HOST, "localhost", "127.0.0.1", "::1", "klarna.test", "any.shop.test", "10.1.2.3")


@pytest.fixture(scope="module")
def served() -> tuple[ssl.SSLContext, bytes]:
    held = https(Settings(tls=True, tls_name=("klarna.test", "*.shop.test", "10.1.2.3")))
    assert held.authority is not None
    return held.context, held.authority


@in_turn("host", NAMED)
def test_a_client_that_trusts_the_authority_and_nothing_else_reaches_every_host(
    served: tuple[ssl.SSLContext, bytes], host: str
) -> None:
    assert made.shake_hands(served[0], made.trusting(served[1]), host).version() in ("TLSv1.3", "TLSv1.2")


def test_the_strictest_checks_find_nothing_wrong(served: tuple[ssl.SSLContext, bytes]) -> None:
    client = made.trusting(served[1])
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert made.shake_hands(served[0], client, API_HOSTS[0]).getpeercert()


def test_a_client_that_trusts_another_authority_refuses(served: tuple[ssl.SSLContext, bytes]) -> None:
    other = https(Settings(tls=True)).authority
    assert other is not None
    with pytest.raises(ssl.SSLCertVerificationError):
        made.shake_hands(served[0], made.trusting(other), API_HOSTS[0])


def test_a_host_that_the_certificate_does_not_name_is_refused_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = https(Settings(tls=True))
    assert held.authority is not None
    client = made.trusting(held.authority)
    with caplog.at_level(logging.WARNING, "mock_klarna"):
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
                made.shake_hands(held.context, client, "pay.klarna.test")
    assert [record.getMessage() for record in caplog.records] == [
        "a client asks for pay.klarna.test, which the certificate does not name: start with --tls-name pay.klarna.test"
    ]


def test_an_authority_that_is_given_signs_and_is_what_clients_trust(tmp_path: Path) -> None:
    pair = made.authority_pair()
    certificate, key = made.files(tmp_path, pair)
    held = https(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert held.authority == pair.certificates
    assert made.shake_hands(held.context, made.trusting(pair.certificates), SCRIPT_HOST).getpeercert()


@pytest.mark.parametrize("make", [made.server_pair, made.bare_pair])
def test_a_servers_own_certificate_is_used_as_it_is(tmp_path: Path, make: made.MakePair) -> None:
    pair = make("klarna.internal")
    certificate, key = made.files(tmp_path, pair)
    held = https(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert held.authority is None
    client = made.trusting(pair.certificates)
    presented = made.shake_hands(held.context, client, "klarna.internal").getpeercert(binary_form=True)
    assert presented == ssl.PEM_cert_to_DER_cert(pair.certificates.decode().partition("-----END")[0] + _END)


_END = "-----END CERTIFICATE-----\n"


def test_certificate_and_key_may_lie_in_one_file(tmp_path: Path) -> None:
    pair = made.authority_pair()
    whole = tmp_path / "whole.pem"
    whole.write_bytes(pair.key + pair.certificates)
    assert https(Settings(tls=True, tls_cert=str(whole), tls_key=str(whole))).authority == pair.certificates


def _refusal(settings: Settings) -> str:
    with pytest.raises(SettingsError) as refused:
        https(settings)
    return str(refused.value)


def test_a_certificate_without_its_key_is_refused() -> None:
    assert _refusal(Settings(tls=True, tls_cert="a.pem")).startswith("--tls-cert is given without --tls-key")
    assert _refusal(Settings(tls=True, tls_key="a.pem")).startswith("--tls-key is given without --tls-cert")


@pytest.mark.parametrize("key", ["a.pem", ""])
def test_a_folder_beside_a_certificate_of_ones_own_is_refused(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "tls"
    refusal = _refusal(Settings(tls=True, tls_folder=str(folder), tls_cert="a.pem", tls_key=key))
    assert refusal == "--tls-folder, which keeps an authority, is given beside a certificate of your own; leave one out"
    assert not folder.exists()


def test_a_missing_file_is_named_with_its_flag(tmp_path: Path) -> None:
    certificate, _ = made.files(tmp_path, made.authority_pair())
    missing = tmp_path / "no.pem"
    assert _refusal(Settings(tls=True, tls_cert=str(missing), tls_key=str(missing))) == (
        f"--tls-cert: {missing} cannot be read: No such file or directory"
    )
    assert _refusal(Settings(tls=True, tls_cert=certificate, tls_key=str(missing))) == (
        f"--tls-key: {missing} cannot be read: No such file or directory"
    )


WRONG_KEYS = [
    (made.authority_pair().key, "is not the key of the certificate, which says it is for CN=mock-klarna"),
    (b"no key", "holds no private key in PEM"),
    (made.encrypted_key(), "the key is encrypted; write it without a passphrase"),
    (made.edwards_key(), "the key is neither RSA nor elliptic-curve"),
]


@pytest.mark.parametrize(("content", "said"), WRONG_KEYS, ids=["another", "none", "encrypted", "edwards"])
def test_a_key_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    certificate, key = made.files(tmp_path, made.server_pair("klarna.internal"))
    Path(key).write_bytes(content)
    refusal = _refusal(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert refusal.startswith(f"--tls-key: {key}")
    assert said in refusal


WRONG_CERTIFICATES = [
    (made.server_pair("klarna.internal", made.LONG_AGO), "CN=mock-klarna expired on "),
    (made.authority_pair(made.LONG_AGO), " expired on "),
    (made.server_pair("klarna.internal", made.IN_A_YEAR), "CN=mock-klarna is not valid before "),
    (Pair(b"nothing", made.authority_pair().key), "holds no certificate in PEM"),
]


@pytest.mark.parametrize(("pair", "said"), WRONG_CERTIFICATES, ids=["expired", "expired authority", "early", "none"])
def test_a_certificate_that_cannot_be_used_says_why(tmp_path: Path, pair: Pair, said: str) -> None:
    certificate, key = made.files(tmp_path, pair)
    refusal = _refusal(Settings(tls=True, tls_cert=certificate, tls_key=key))
    assert refusal.startswith(f"--tls-cert: {certificate}")
    assert said in refusal
