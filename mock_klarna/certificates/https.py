"""The TLS context of a server: one certificate for all of Klarna's hosts."""

import logging
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp

from mock_klarna.certificates.authority import Authority, Pair, load_pair, new_authority
from mock_klarna.certificates.folder import AUTHORITY_FILE, RENEWAL, load_or_create
from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST
from mock_klarna.settings import Settings, SettingsError

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_LOCAL_NETWORKS = ("127.0.0.0/8", "::1")
_MAX_LOGGED_HOSTS = 100
_TRUST_AUTHORITY = "`mock-klarna ca --recipes` says how it can trust it"
_TRUST_ISSUER = "let it trust the issuer of --tls-cert"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Https:
    """The context of a TLS socket, and the authority that clients have to trust, in PEM (None for a certificate of the user)."""

    context: ssl.SSLContext
    authority: bytes | None


def load_https(settings: Settings) -> Https:
    """Return the TLS context for the settings `tls_…`; raises `SettingsError` where they cannot be used.

    The authority is that of `tls_cert`, or that of `tls_folder`, or a new one for this process alone.
    """
    now = datetime.now(UTC)
    names = (*API_HOSTS, SCRIPT_HOST, *_LOCAL_NAMES, *settings.tls_name)
    identity = _identity(settings, now, (*names, *_LOCAL_NETWORKS))
    if not isinstance(identity, Authority):
        return Https(_context(identity, ()), None)
    signed = tuple(name for name in names if _may_sign(identity, name, settings))
    return Https(_context(identity.sign(signed, now), signed), identity.pem)


def _may_sign(authority: Authority, name: str, settings: Settings) -> bool:
    """Return whether an authority may sign for a name.

    Clients refuse a whole certificate because of one name that its authority may not sign for. Raises `SettingsError` for a
    name of the settings.
    """
    if authority.may_sign(name):
        return True
    file = Path(settings.tls_folder) / AUTHORITY_FILE if settings.tls_folder else settings.tls_cert
    reason = f"the authority of {file} was not made for {name}"
    if name in settings.tls_name:
        raise SettingsError(f"--tls-name: {reason}{RENEWAL if settings.tls_folder else ''}")
    _log.warning("%s, which the certificate does not name therefore%s", reason, RENEWAL if settings.tls_folder else "")
    return False


def _stored(folder: Path, now: datetime, names: tuple[str, ...]) -> Authority:
    authority = load_or_create(folder, now, names)
    if not authority.is_limited:
        file = folder / AUTHORITY_FILE
        _log.warning("the authority of %s can sign for any host, as older versions made them%s", file, RENEWAL)
    return authority


def _identity(settings: Settings, now: datetime, names: tuple[str, ...]) -> Authority | Pair:
    if settings.tls_cert or settings.tls_key:
        if settings.tls_folder:
            raise SettingsError(
                "--tls-folder, which stores an authority, cannot be used with a certificate of your own; leave one out"
            )
        if not settings.tls_cert:
            raise SettingsError("--tls-key is given without --tls-cert, the certificate that it is the key of")
        if not settings.tls_key:
            raise SettingsError("--tls-cert is given without --tls-key, the certificate's private key")
        return load_pair(settings.tls_cert, settings.tls_key, now)
    return _stored(Path(settings.tls_folder), now, names) if settings.tls_folder else new_authority(now, names)


def _context(pair: Pair, names: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with _as_file(pair.certificates + pair.key) as file:
        context.load_cert_chain(file)
    context.sslobject_class = _logging_failures(_TRUST_AUTHORITY if names else _TRUST_ISSUER)
    if names:
        context.sni_callback = _log_unnamed_hosts(names)
    return context


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Yield the path of a temporary file for OpenSSL, which reads keys from files only; in memory where possible."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("mock-klarna"), "wb") as memory:
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    number, name = mkstemp()
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        yield name
    finally:
        Path(name).unlink()


_REFUSED = re.compile(r"ALERT[_ ](UNKNOWN[_ ]CA|CERTIFICATE[_ ]UNKNOWN|BAD[_ ]CERTIFICATE)", re.IGNORECASE)
_PLAIN_HTTP = re.compile(r"\bHTTP[_ ]REQUEST\b", re.IGNORECASE)
_LOGGED_SECONDS = 1.0


def _logging_failures(remedy: str) -> type[ssl.SSLObject]:
    """Return the class of connections that log, at most once a second, which clients do not trust the certificate or TLS.

    `remedy` says how clients trust it.
    """
    silent_until = 0.0

    def log(text: str, *arguments: str) -> None:
        nonlocal silent_until
        if time.monotonic() >= silent_until:
            silent_until = time.monotonic() + _LOGGED_SECONDS
            _log.warning(text, *arguments)

    class Connection(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                if refused := _REFUSED.search(str(error)):
                    alert = refused.group(1).lower().replace("_", " ")
                    log("a client does not trust the certificate of this server (%s): %s", alert, remedy)
                elif _PLAIN_HTTP.search(str(error)):
                    log("a client speaks plain HTTP at the port of TLS: use https:// there, or the port of HTTP")
                raise

    return Connection


def _log_unnamed_hosts(names: tuple[str, ...]) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    """Return a callback that logs each host once that a client asks for and the certificate does not name."""
    logged: set[str] = set()

    def log_host(_connection: ssl.SSLObject, host: str | None, _context: ssl.SSLContext) -> None:
        if host is None or host in logged or _is_named(host, names) or len(logged) >= _MAX_LOGGED_HOSTS:
            return
        logged.add(host)
        _log.warning("a client asks for %s, which the certificate does not name: start with --tls-name %s", host, host)

    return log_host


def _is_named(host: str, names: tuple[str, ...]) -> bool:
    return host in names or f"*.{host.partition('.')[2]}" in names
