"""Whom to trust behind a merchant's https URL, and what to say about a certificate that is not trusted."""

import ssl
from collections.abc import Iterable
from pathlib import Path

from mock_klarna.settings import Settings, SettingsError

_TRUST = "start with --callback-ca FILE, the certificate in PEM of whoever signed it, or with --callback-insecure"
_REMEDIES = {
    9: "look at the clocks of both machines, or start with --callback-insecure",
    10: "renew it, or start with --callback-insecure",
    62: "call the site by a name that the certificate has, or start with --callback-insecure",
    64: "call the site by a name or address that the certificate has, or start with --callback-insecure",
}
"""OpenSSL's codes: not yet valid, expired, another host, another address. Whatever else is wrong is a matter of trust."""


def trust(settings: Settings) -> ssl.SSLContext | bool:
    """Return what aiohttp takes as `ssl`: True for the system's authorities, False for anybody, a context for further ones.

    Raises `SettingsError` for a file of `callback_ca` that cannot be used.
    """
    if settings.callback_insecure or not settings.callback_ca:
        return not settings.callback_insecure
    context = ssl.create_default_context()
    # Certificates made by hand for a test lack what the strict checks of newer Pythons ask for.
    context.verify_flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    for file, pem in _read(settings.callback_ca):
        try:
            context.load_verify_locations(cadata=pem)
        except ssl.SSLError:
            raise _unusable(file, "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)") from None
    return context


def _read(files: Iterable[str]) -> Iterable[tuple[str, str]]:
    for file in files:
        try:
            yield file, Path(file).read_bytes().decode("ascii", "replace").replace("\ufffd", "?")
        except OSError as fault:
            raise _unusable(file, fault.strerror or str(fault)) from None


def _unusable(file: str, why: str) -> SettingsError:
    return SettingsError(f"--callback-ca: {file} cannot be used: {why}")


def untrusted(fault: Exception) -> tuple[str, str]:
    """Return what is wrong with a certificate and what would help."""
    if not isinstance(fault, ssl.SSLCertVerificationError):
        return f"the site's certificate is not accepted: {fault}", _TRUST
    said = fault.verify_message.rstrip(".")
    return f"the site's certificate is not accepted: {said}", _REMEDIES.get(fault.verify_code, _TRUST)


def no_tls(fault: Exception) -> tuple[str, str | None]:
    """Return why no TLS connection came about and what would help, if that is known."""
    reason = str(getattr(fault, "reason", None) or fault).replace("_", " ").lower()
    is_plain = reason in ("wrong version number", "http request", "record layer failure", "packet length too long")
    remedy = "plain HTTP seems to answer there: is it an http:// URL?" if is_plain else None
    return f"no TLS connection: {reason}", remedy
