"""An authority that signs for Klarna's hosts. It exists to be trusted by test machines, and by nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from secrets import token_hex

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mock_klarna.settings import SettingsError

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_CLOCKS_DIFFER = timedelta(days=1)
_AUTHORITY_LASTS = timedelta(days=5 * 365)
_SERVER_LASTS = timedelta(days=397)
"""Apple's systems refuse a server's certificate that is valid for more than 825 days."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Certificates in PEM, the server's own first, and the private key of that one in PEM."""

    certificates: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that may sign others, its private key, and in PEM what a client has to trust."""

    certificate: x509.Certificate
    key: SigningKey
    pem: bytes

    def sign(self, names: Sequence[str], now: datetime) -> Pair:
        """Return a fresh server's certificate for host names and IP addresses; it never outlives the authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(now + _SERVER_LASTS, self.certificate.not_valid_after_utc)
        signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _certificate(_named("mock-klarna"), self.certificate.subject, key, now, ends)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(signed_by, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Pair(_pem(certificate) + self.pem, key_pem(key))


def new_authority(now: datetime) -> Authority:
    """Return a fresh authority. Its name ends in random digits, so that people can tell two of them apart."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"mock-klarna authority {token_hex(3)}")
    certificate = (
        _certificate(name, name, key, now, now + _AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key, _pem(certificate))


def key_pem(key: SigningKey) -> bytes:
    """Return a private key in PEM, unencrypted."""
    form, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, encryption)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


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
