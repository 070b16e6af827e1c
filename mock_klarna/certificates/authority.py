"""An authority that signs for Klarna's hosts. It exists to be trusted by test machines, and by nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from secrets import token_hex

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
