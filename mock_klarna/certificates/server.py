"""What a server presents over HTTPS: one certificate for all of Klarna's hosts at once."""

import logging
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp

from mock_klarna.certificates.authority import Authority, Pair, new_authority, read_pair
from mock_klarna.certificates.folder import kept
from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST
from mock_klarna.settings import Settings, SettingsError

_OURSELVES = ("localhost", "127.0.0.1", "::1")
_MOST_STRANGERS = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Https:
    """The context of a TLS socket, and in PEM the authority that clients have to trust (None where the user's own is used)."""

    context: ssl.SSLContext
    authority: bytes | None


def https(settings: Settings) -> Https:
    """Return what the settings' `tls_…` fields ask for; raises `SettingsError` where they cannot be used.

    The authority is the one given, or that of the folder, or one that lives no longer than this process.
    """
    now = datetime.now(UTC)
    names = (*API_HOSTS, SCRIPT_HOST, *_OURSELVES, *settings.tls_name)
    held = _chosen(settings, now)
    if isinstance(held, Authority):
        return Https(_context(held.sign(names, now), names), held.pem)
    return Https(_context(held, ()), None)


def _chosen(settings: Settings, now: datetime) -> Authority | Pair:
    if settings.tls_cert or settings.tls_key:
        if settings.tls_folder:
            raise SettingsError(
                "--tls-folder, which keeps an authority, is given beside a certificate of your own; leave one out"
            )
        if not settings.tls_cert:
            raise SettingsError("--tls-key is given without --tls-cert, the certificate that it is the key of")
        if not settings.tls_key:
            raise SettingsError("--tls-cert is given without --tls-key, the certificate's private key")
        return read_pair(settings.tls_cert, settings.tls_key, now)
    return kept(Path(settings.tls_folder), now) if settings.tls_folder else new_authority(now)


def _context(pair: Pair, names: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with _as_file(pair.certificates + pair.key) as file:
        context.load_cert_chain(file)
    if names:
        context.sni_callback = _strangers_named(names)
    return context


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Lend OpenSSL a file, since it takes keys from nothing else: one in memory where possible, for no disk to see."""
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


def _strangers_named(names: tuple[str, ...]) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    """Return a callback that logs, once for each, the hosts that clients ask for and the certificate does not name."""
    seen: set[str] = set()

    def look(_connection: ssl.SSLObject, host: str | None, _context: ssl.SSLContext) -> None:
        if host is None or host in seen or _is_named(host, names) or len(seen) >= _MOST_STRANGERS:
            return
        seen.add(host)
        _log.warning("a client asks for %s, which the certificate does not name: start with --tls-name %s", host, host)

    return look


def _is_named(host: str, names: tuple[str, ...]) -> bool:
    return host in names or f"*.{host.partition('.')[2]}" in names
