"""The HTTP client to merchants. Every call ends in an `Attempt`: no error is raised, and answers are read up to a limit."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from mock_klarna import __version__
from mock_klarna.callbacks.diagnosis import Diagnosis, error_status, is_alone_in_container, port_of, unknown_host
from mock_klarna.callbacks.targets import RefusedTarget, Targets
from mock_klarna.domain.callbacks import Attempt
from mock_klarna.domain.journal import readable
from mock_klarna.domain.urls import is_address
from mock_klarna.settings import Settings, SettingsError

if TYPE_CHECKING:
    import aiohttp


def rewrites(pairs: Iterable[str]) -> dict[str, str]:
    """Read `FROM=TO` pairs of hosts; addresses of IPv6 may be in brackets, and have to be before a port."""
    return {old.lower().strip("[]"): _in_brackets(new) for old, _, new in (pair.partition("=") for pair in pairs)}


def _in_brackets(target: str) -> str:
    return f"[{target}]" if target.count(":") > 1 and not target.startswith("[") else target


def rewritten(url: str, hosts: dict[str, str]) -> str:
    """Return the URL with its host replaced, everything else kept; the port is replaced too if the new host has one."""
    parts = urlsplit(url)
    target = hosts.get((parts.hostname or "").lower())
    if target is None:
        return url
    user, at, _ = parts.netloc.rpartition("@")
    names_port = ":" in target.rpartition("]")[2]
    port = f":{parts.port}" if parts.port and not names_port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{at}{target}{port}"))


Address = tuple[Any, ...]
_FLAGS = socket.AI_ADDRCONFIG & getattr(socket, "AI_MASK", -1)  # macOS knows flags that it does not take


class Resolver(AbstractResolver):
    """The system's resolver, with a thread for each lookup: a slow one delays neither other lookups nor the end of the server.

    There are at most as many threads as callbacks that are being sent.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return a host's addresses; raises OSError when it has none."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[Address]] = loop.create_future()

        def look_up() -> None:
            try:
                infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=_FLAGS)
            except OSError as error:
                report(found.set_exception, error)
            except UnicodeError as error:
                report(found.set_exception, OSError(0, str(error)))
            else:
                report(found.set_result, infos)

        def report(settle: Callable[[Any], None], what: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(lambda: None if found.done() else settle(what))

        Thread(target=look_up, name=f"lookup of {host[:40]}", daemon=True).start()
        return [_result(host, info) for info in await found]

    async def close(self) -> None:
        """Do nothing: the threads end by themselves, or with the process."""


def _result(host: str, info: Address) -> ResolveResult:
    family, _, proto, _, address = info
    scope = f"%{address[3]}" if family == socket.AF_INET6 and len(address) > 3 and address[3] else ""
    return ResolveResult(
        hostname=host,
        host=f"{address[0]}{scope}",
        port=address[1],
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


_TRUST = "start with --callback-ca FILE, the certificate of its issuer in PEM, or with --callback-insecure"
_REMEDIES = {
    9: "look at the clocks of both machines, or start with --callback-insecure",
    10: "renew it, or start with --callback-insecure",
    62: "call the site by a name that the certificate has, or start with --callback-insecure",
    64: "call the site by a name or address that the certificate has, or start with --callback-insecure",
}
"""Hints by OpenSSL's codes: not yet valid, expired, another host, another address. Other codes get `_TRUST`."""


def trust(settings: Settings) -> ssl.SSLContext | bool:
    """Return the `ssl` argument of aiohttp: True for the system's authorities, False for none, a context for further ones.

    Raises `SettingsError` for a file of `callback_ca` that cannot be used.
    """
    if settings.callback_insecure or not settings.callback_ca:
        return not settings.callback_insecure
    context = ssl.create_default_context()
    # Test certificates often lack extensions that the strict checks of newer Pythons require.
    context.verify_flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    for file, pem in _read(settings.callback_ca):
        try:
            context.load_verify_locations(cadata=pem)
        except ssl.SSLError:
            raise _unusable(file, "it contains no certificate in PEM (-----BEGIN CERTIFICATE-----)") from None
    return context


def _read(files: Iterable[str]) -> Iterable[tuple[str, str]]:
    for file in files:
        try:
            yield file, Path(file).read_bytes().decode("ascii", "replace").replace("\ufffd", "?")
        except OSError as error:
            raise _unusable(file, error.strerror or str(error)) from None


def _unusable(file: str, why: str) -> SettingsError:
    return SettingsError(f"--callback-ca: {file} cannot be used: {why}")


_NO_TLS = "does the shop use TLS at this port? if it uses plain HTTP, write http:// in the URL"


def untrusted(error: Exception) -> tuple[str, str]:
    """Return what is wrong with a certificate, and a hint."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"the site's certificate is not accepted: {error}", _TRUST
    reason = error.verify_message.rstrip(".")
    return f"the site's certificate is not accepted: {reason}", _REMEDIES.get(error.verify_code, _TRUST)


def no_tls(error: Exception) -> tuple[str, str | None]:
    """Return why there is no TLS connection, and a hint if there is one."""
    reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
    is_plain = reason in ("wrong version number", "http request", "record layer failure", "packet length too long")
    hint = "plain HTTP seems to answer there: is it an http:// URL?" if is_plain else None
    return f"no TLS connection: {reason}", hint


MAX_ANSWER = 64 << 10
"""Bytes of a merchant's answer that are read and stored."""
_MAX_HEADERS = 50
_IDLE_SECONDS = 1.0
_PROBE_SECONDS = 1.0
_USER_AGENT = f"mock-klarna/{__version__}"


class _CallResult(NamedTuple):
    """The result of a call: its outcome, the answer, the error, and a hint."""

    outcome: str
    answer: bytes = b""
    error: str | None = None
    remedy: str | None = None


def _unknown(cause: OSError, url: str) -> _CallResult:
    return _CallResult("unreachable", error=f"the host is not known: {cause.strerror}", remedy=unknown_host(url))


class _Connection:
    """Whether a request used a kept connection."""

    is_old = False


def _tracing() -> "aiohttp.TraceConfig":
    import aiohttp

    async def reused(_session: Any, context: Any, _params: Any) -> None:
        context.trace_request_ctx.is_old = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(reused)
    return tracing


class MerchantClient:
    """Posts to merchants: no redirects, no cookies, no proxy, a bounded answer, a bounded time."""

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.callback_timeout
        self._hosts = rewrites(settings.callback_host_rewrite)
        self._trust = trust(settings)
        self._targets = Targets(settings)
        self._diagnosis = Diagnosis(self, is_alone_in_container=is_alone_in_container())
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}

    async def post(self, url: str, body: bytes, at: float, merchant: str = "") -> Attempt:
        """Post JSON to a merchant, or nothing if `body` is empty; `at` is the merchant's time.

        Outcomes: answered: a complete HTTP answer. redirected: a redirect, which is not followed. too_long: an answer of which
        only the beginning was read. refused, unreachable: no connection. untrusted: a certificate that is not accepted.
        timed_out: no complete answer in time. broken: no HTTP answer. not_allowed: an address that must not be called.
        """
        started = asyncio.get_running_loop().time()
        seen: list[aiohttp.ClientResponse] = []
        outcome, answer, error, remedy = await self._outcome(merchant, url, body, seen)
        response = seen[0] if seen else None
        if response is not None:
            self._diagnosis.answered(merchant, rewritten(url, self._hosts))
        return Attempt(
            at=at,
            duration=round(asyncio.get_running_loop().time() - started, 6),
            outcome=outcome,
            status=response.status if response else None,
            error=readable(error) if error else None,
            answer=answer,
            answer_headers=_headers(response) if response else (),
            remedy=readable(remedy) if remedy else None,
        )

    async def _outcome(self, merchant: str, url: str, body: bytes, seen: "list[aiohttp.ClientResponse]") -> _CallResult:
        import aiohttp

        try:
            return await self._exchange(url, body, seen)
        except TimeoutError:
            return _CallResult("timed_out", error=f"no complete answer within {self._timeout:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return _CallResult("untrusted", b"", *untrusted(error.certificate_error))
        except aiohttp.ClientConnectorSSLError as error:
            return _CallResult("broken", b"", *no_tls(error.os_error))
        except aiohttp.ClientConnectorDNSError as error:
            return _unknown(error.os_error, rewritten(url, self._hosts))
        except (aiohttp.ClientConnectorError, RefusedTarget) as error:
            return await self._no_connection(merchant, getattr(error, "os_error", error), url)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            is_invalid = isinstance(error, ValueError)  # a store can contain one that an older version took
            remedy = None if seen or is_invalid else await self._diagnosis.no_http(rewritten(url, self._hosts))
            return _CallResult("broken", error=f"{type(error).__name__}: {error}"[:500], remedy=remedy)

    async def _no_connection(self, merchant: str, cause: OSError, url: str) -> _CallResult:
        target = rewritten(url, self._hosts)
        if isinstance(cause, RefusedTarget):
            return _CallResult("not_allowed", error=cause.strerror, remedy=cause.remedy)
        if isinstance(cause, socket.gaierror):
            return _unknown(cause, target)
        reason = cause.strerror or str(cause) or type(cause).__name__
        if isinstance(cause, ConnectionRefusedError):
            return _CallResult("refused", error=reason, remedy=await self._diagnosis.refused(merchant, target))
        if isinstance(cause, ConnectionResetError) and target.startswith("https:"):
            return _CallResult("broken", error="the connection was closed during the TLS handshake", remedy=_NO_TLS)
        return _CallResult("unreachable", error=reason)

    async def reach(self, url: str) -> str | None:
        """Return why no connection to a URL can be opened, and what to do; None if there is one. Nothing is sent."""
        target = rewritten(url, self._hosts)
        try:
            async with asyncio.timeout(self._timeout):
                await self._connect(urlsplit(target).hostname or "", port_of(target))
        except TimeoutError:
            return f"no connection within {self._timeout:g} s"
        except OSError as error:
            result = await self._no_connection("", error, url)
            return result.remedy or result.error
        return None

    async def connects(self, host: str, port: int, context: ssl.SSLContext | None = None) -> bool:
        """Return whether a connection can be opened within a second, with TLS if there is a context."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await self._connect(host, port, context)
        except OSError:  # also when the time is over
            return False
        return True

    async def _connect(self, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
        """Open a connection to a host that may be called, and close it; raises OSError."""
        is_trusted = self._targets.is_allowed_by_name(host)
        failed: OSError = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        addresses = [host] if is_address(host) else [each["host"] for each in await Resolver().resolve(host, port)]
        for address in addresses:
            if not is_trusted:
                self._targets.require_allowed(address)
            try:
                name = host if context else None
                _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
            except OSError as error:
                failed = error
                continue
            writer.transport.abort()
            return
        raise failed

    async def _exchange(self, url: str, body: bytes, seen: "list[aiohttp.ClientResponse]") -> _CallResult:
        """Post, and again over a new connection where a kept one turns out to be closed.

        This is what curl does: a kept connection that ends at once and without an answer was closed by the merchant before.
        """
        import aiohttp

        loop = asyncio.get_running_loop()
        started, connection = loop.time(), _Connection()
        is_trusted = self._targets.is_allowed_by_name(urlsplit(rewritten(url, self._hosts)).hostname or "")
        try:
            return await self._sent(url, body, seen, self._opened(is_trusted), connection)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not connection.is_old or seen or loop.time() - started > _IDLE_SECONDS:
                raise
        return await self._sent(url, body, seen, self._opened(is_trusted, anew=True), _Connection())

    async def _sent(
        self,
        url: str,
        body: bytes,
        seen: "list[aiohttp.ClientResponse]",
        session: "aiohttp.ClientSession",
        connection: "_Connection",
    ) -> _CallResult:
        headers = {"Accept-Encoding": "identity", **({"Content-Type": "application/json"} if body else {})}
        target, named = rewritten(url, self._hosts), None
        if target != url:
            headers["Host"] = URL(url, encoded=True).authority
            named = URL(url, encoded=True).host
        async with session.post(
            URL(target, encoded=True),
            data=body,
            headers=headers,
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
            server_hostname=named,
            ssl=await self._tls(target),
            trace_request_ctx=connection,
        ) as response:
            seen.append(response)
            answer = await response.content.read(MAX_ANSWER)
            while len(answer) < MAX_ANSWER and not response.content.at_eof():
                answer += await response.content.read(MAX_ANSWER - len(answer))
            if not response.content.at_eof():
                response.close()
                return _CallResult("too_long", answer, f"only the first {MAX_ANSWER} bytes of the answer were read")
            remedy = error_status(response.status, answer, response.headers) if response.status >= 300 else None
            if response.status in (301, 302, 303, 307, 308):
                error = f"not followed: {response.headers.get('Location', '')}"[:500]
                return _CallResult("redirected", answer, error, remedy)
            return _CallResult("answered", answer, remedy=remedy)

    async def _tls(self, url: str) -> ssl.SSLContext | bool:
        """Return what aiohttp takes as `ssl` for a URL; the system's authorities are loaded for the first https URL."""
        if self._trust is True and url.startswith("https:"):
            self._trust = await asyncio.to_thread(ssl.create_default_context)
        return self._trust

    def _opened(self, is_trusted: bool, *, anew: bool = False) -> "aiohttp.ClientSession":
        """Return the session that keeps connections for a while, or the one that opens one for each request.

        The address of every connection is checked, except for hosts that are trusted by their name.
        """
        import aiohttp

        if (is_trusted, anew) not in self._sessions:
            keeping: dict[str, Any] = (
                {"force_close": True} if anew else {"ttl_dns_cache": 10, "keepalive_timeout": _IDLE_SECONDS}
            )
            open_socket = None if is_trusted else self._targets.open_socket
            connector = aiohttp.TCPConnector(limit=0, resolver=Resolver(), socket_factory=open_socket, **keeping)
            self._sessions[is_trusted, anew] = aiohttp.ClientSession(
                connector=connector,
                trace_configs=[_tracing()],
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _USER_AGENT},
                auto_decompress=False,
                trust_env=False,
            )
        return self._sessions[is_trusted, anew]

    async def close(self) -> None:
        """Close the connections that are still open."""
        for session in self._sessions.values():
            await session.close()


def _headers(response: "aiohttp.ClientResponse") -> tuple[tuple[str, str], ...]:
    return tuple(_header(name, text) for name, text in islice(response.headers.items(), _MAX_HEADERS))


@lru_cache(maxsize=256)
def _header(name: str, text: str) -> tuple[str, str]:
    """Return a header as it is stored: the answers of a shop mostly have equal ones, which then are one object."""
    return readable(name), readable(text)
