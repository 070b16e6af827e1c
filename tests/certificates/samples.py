"""Sample certificates and keys, usable and not; and a TLS handshake in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, MemoryBIO, SSLContext, SSLObject, SSLWantReadError

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from mock_klarna.certificates.authority import Authority, Pair, key_pem, new_authority

MakePair = Callable[[str], Pair]
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=3650)
IN_A_YEAR = NOW + timedelta(days=365)


def folder_with_authority_of(folder: Path, moment: datetime) -> Path:
    """Create a folder with an authority that was made at a moment."""
    folder.mkdir()
    return stored(new_authority(moment, None), folder)


def stored(authority: Authority, folder: Path) -> Path:
    """Store an authority in a folder as a server does, and return the folder."""
    (folder / "authority.pem").write_bytes(authority.pem + key_pem(authority.key))
    return folder


def authority_pair(moment: datetime = NOW) -> Pair:
    """An authority's certificate and key."""
    authority = new_authority(moment, None)
    return Pair(authority.pem, key_pem(authority.key))


def server_pair(name: str, moment: datetime = NOW) -> Pair:
    """A certificate for one name and its key, signed by an authority of the same moment."""
    return new_authority(moment, None).sign([name], moment)


def bare_pair(name: str) -> Pair:
    """A self-signed certificate with no extension except its name, as old tools make them."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(IN_A_YEAR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate.public_bytes(Encoding.PEM), key_pem(key))


def encrypted_key() -> bytes:
    """A private key behind a passphrase."""
    encryption = serialization.BestAvailableEncryption(b"secret")
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def edwards_key() -> bytes:
    """An Edwards-curve private key, which many clients do not support."""
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())


def files(folder: Path, pair: Pair) -> tuple[str, str]:
    """Write a pair to two files and return their paths."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(pair.certificates)
    key.write_bytes(pair.key)
    return str(certificate), str(key)


def trusting(pem: bytes) -> SSLContext:
    """The context of a client that trusts one authority and nothing else."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem.decode())
    return context


def shake_hands(server: SSLContext, client: SSLContext, host: str) -> SSLObject:
    """Do a TLS handshake in memory and return the client's side; raises the client's error."""
    to_server, to_client = MemoryBIO(), MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    waiting = list(ends)
    while waiting:
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except SSLWantReadError:
                continue
    return ends[0]
