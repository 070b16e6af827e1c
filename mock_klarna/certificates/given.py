"""Certificates and keys that people bring: read them, and say in one sentence why they cannot be used."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mock_klarna.certificates.authority import Authority, Pair, SigningKey, key_pem
from mock_klarna.settings import SettingsError


def read_pair(certificate_file: str, key_file: str, now: datetime) -> Authority | Pair:
    """Return what two PEM files hold: an authority, or a server's own certificate with its chain.

    Raises `SettingsError` for a file that is missing, unreadable or something else, an expired certificate, or a key that
    does not belong to it.
    """
    certificates = _certificates(_read("--tls-cert", certificate_file), f"--tls-cert: {certificate_file}")
    key = _key(_read("--tls-key", key_file), f"--tls-key: {key_file}")
    return pair(certificates, key, now, f"--tls-cert: {certificate_file}", f"--tls-key: {key_file}")


def pair(
    certificates: Sequence[x509.Certificate],
    key: SigningKey,
    now: datetime,
    where: str,
    key_where: str,
    renewal: str = "",
) -> Authority | Pair:
    """Return certificates and a key as what they are; `renewal` says what to do about an expired one.

    Raises `SettingsError` where they do not fit together, or the time is not theirs.
    """
    first = certificates[0]
    if first.public_key() != key.public_key():
        raise SettingsError(f"{key_where} is not the key of the certificate, which says it is for {named(first)}")
    if first.not_valid_after_utc <= now:
        raise SettingsError(f"{where}: {named(first)} expired on {first.not_valid_after_utc:%Y-%m-%d}{renewal}")
    if first.not_valid_before_utc > now:
        raise SettingsError(f"{where}: {named(first)} is not valid before {first.not_valid_before_utc:%Y-%m-%d}")
    pem = b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)
    return Authority(first, key, pem) if is_authority(first) else Pair(pem, key_pem(key))


def parsed(pem: bytes, where: str) -> tuple[Sequence[x509.Certificate], SigningKey]:
    """Return the certificates and the key that lie together in one PEM file; raises `SettingsError`."""
    return _certificates(pem, where), _key(pem, where)


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def named(certificate: x509.Certificate) -> str:
    """Return a certificate's subject for people."""
    return certificate.subject.rfc4514_string() or "a certificate without a name"


def _read(flag: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as fault:
        raise SettingsError(f"{flag}: {file} cannot be read: {fault.strerror or fault}") from None


def _certificates(pem: bytes, where: str) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise SettingsError(f"{where} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)") from None


def _key(pem: bytes, where: str) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise SettingsError(f"{where}: the key is encrypted; write it without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"{where} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SettingsError(f"{where}: the key is neither RSA nor elliptic-curve")
    return key
