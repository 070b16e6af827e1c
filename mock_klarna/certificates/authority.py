"""A certificate authority that signs for Klarna's hosts, for test machines only; certificates and keys in PEM files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from secrets import token_hex

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mock_klarna.settings import SettingsError

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_CLOCK_TOLERANCE = timedelta(days=1)
_AUTHORITY_LIFETIME = timedelta(days=5 * 365)
_SERVER_LIFETIME = timedelta(days=397)
"""Apple's systems refuse server certificates that are valid for more than 825 days."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Certificates in PEM, that of the server first, and the private key of the first one in PEM."""

    certificates: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that can sign others, its private key, and what clients have to trust, in PEM."""

    certificate: x509.Certificate
    key: SigningKey
    pem: bytes

    def sign(self, names: Sequence[str], now: datetime) -> Pair:
        """Return a new server certificate for host names and IP addresses; it expires before the authority does."""
        key = ec.generate_private_key(ec.SECP256R1())
        expires = min(now + _SERVER_LIFETIME, self.certificate.not_valid_after_utc)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _certificate(_name("mock-klarna"), self.certificate.subject, key, now, expires)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer_key, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Pair(_pem(certificate) + self.pem, key_pem(key))

    @property
    def is_limited(self) -> bool:
        """Return whether the certificate says what the authority may sign for."""
        return bool(self._permitted())

    def may_sign(self, name: str) -> bool:
        """Return whether clients accept a certificate of this authority for a host name or an IP address."""
        permitted = [subtree.value for subtree in self._permitted()]
        try:
            address = ip_address(name)
        except ValueError:
            host, domains = f".{name.removeprefix('*.')}", [value for value in permitted if isinstance(value, str)]
            return not domains or any(host.endswith(f".{domain}") for domain in domains)
        networks = [value for value in permitted if isinstance(value, IPv4Network | IPv6Network)]
        return not networks or any(address in network for network in networks)

    def _permitted(self) -> Sequence[x509.GeneralName]:
        try:
            constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            return ()
        return constraints.permitted_subtrees or ()


def new_authority(now: datetime, names: Sequence[str] | None) -> Authority:
    """Return a new authority, which may sign for these host names, addresses and networks alone, or for any if there are none.

    Its name ends in random digits, which distinguish two authorities in a list.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"mock-klarna authority {token_hex(3)}")
    builder = (
        _certificate(name, name, key, now, now + _AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    if names:
        permitted = list(dict.fromkeys(map(_subtree, names)))
        builder = builder.add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    return Authority(certificate, key, _pem(certificate))


def _subtree(name: str) -> x509.GeneralName:
    """Return what permits a host name with the names below it, an address or a network."""
    try:
        return x509.IPAddress(ip_network(name))
    except ValueError:
        return x509.DNSName(name.removeprefix("*."))


def key_pem(key: SigningKey) -> bytes:
    """Return a private key in PEM, unencrypted."""
    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, expires: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_TOLERANCE)
        .not_valid_after(expires)
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


def load_pair(certificate_file: str, key_file: str, now: datetime) -> Authority | Pair:
    """Return the content of two PEM files: an authority, or a server certificate with its chain.

    Raises `SettingsError` for a file that is missing, unreadable or not in PEM, an expired certificate, or the key of another
    certificate.
    """
    certificates = _certificates(_read("--tls-cert", certificate_file), f"--tls-cert: {certificate_file}")
    key = _key(_read("--tls-key", key_file), f"--tls-key: {key_file}")
    return checked_pair(certificates, key, now, f"--tls-cert: {certificate_file}", f"--tls-key: {key_file}")


def checked_pair(
    certificates: Sequence[x509.Certificate],
    key: SigningKey,
    now: datetime,
    where: str,
    key_where: str,
    renewal: str = "",
) -> Authority | Pair:
    """Return certificates and a key as an authority or a server's pair; `renewal` says what to do after an expiry.

    Raises `SettingsError` when the key belongs to another certificate, or the certificate is not valid now.
    """
    first = certificates[0]
    if first.public_key() != key.public_key():
        raise SettingsError(f"{key_where} is not the key of the certificate, whose subject is {subject_of(first)}")
    if first.not_valid_after_utc <= now:
        raise SettingsError(f"{where}: {subject_of(first)} expired on {first.not_valid_after_utc:%Y-%m-%d}{renewal}")
    if first.not_valid_before_utc > now:
        raise SettingsError(f"{where}: {subject_of(first)} is not valid before {first.not_valid_before_utc:%Y-%m-%d}")
    pem = b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)
    return Authority(first, key, pem) if is_authority(first) else Pair(pem, key_pem(key))


def parse_pair(pem: bytes, where: str) -> tuple[Sequence[x509.Certificate], SigningKey]:
    """Return the certificates and the key of one PEM file; raises `SettingsError`."""
    return _certificates(pem, where), _key(pem, where)


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether a certificate can sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def subject_of(certificate: x509.Certificate) -> str:
    """Return a certificate's subject as text."""
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
        raise SettingsError(f"{where} contains no certificate in PEM (-----BEGIN CERTIFICATE-----)") from None


def _key(pem: bytes, where: str) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise SettingsError(f"{where}: the key is encrypted; save it without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"{where} contains no private key in PEM (-----BEGIN PRIVATE KEY-----)") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SettingsError(f"{where}: the key is neither RSA nor elliptic-curve")
    return key
