"""The HTTP client to merchants. Whatever a merchant does ends in an `Attempt`: nothing raises, nothing is read without bound."""

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from yarl import URL

from mock_klarna import __version__
from mock_klarna.callbacks import addresses
from mock_klarna.callbacks.trust import no_tls, trust, untrusted
from mock_klarna.domain.deliveries import Attempt
from mock_klarna.domain.journal import readable
from mock_klarna.settings import Settings

if TYPE_CHECKING:
    import aiohttp

MOST_OF_AN_ANSWER = 64 << 10
"""Bytes of a merchant's answer that are read and kept."""
_MOST_HEADERS = 50
_IDLE_SECONDS = 1.0
_USER_AGENT = f"mock-klarna/{__version__}"


class _End(NamedTuple):
    """How a call ended, what was read, what went wrong, and what would help."""

    outcome: str
    answer: bytes = b""
    error: str | None = None
    remedy: str | None = None


class _Connection:
    """Whether a request went over a connection that had been used before."""

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
        self._hosts = addresses.rewrites(settings.callback_host_rewrite)
        self._trust = trust(settings)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def post(self, url: str, body: bytes, at: float) -> Attempt:
        """Post JSON, or nothing if `body` is empty; `at` is the merchant's time. See `Attempt.outcome` for what can come of it.

        answered: an HTTP answer that was read whole. redirected: one that was not followed. too_long: one of which only the
        beginning was read. refused, unreachable: no connection. untrusted: a certificate that is not accepted. timed_out: no
        whole answer in time. broken: no HTTP answer.
        """
        started = asyncio.get_running_loop().time()
        seen: list[aiohttp.ClientResponse] = []
        outcome, answer, error, remedy = await self._outcome(url, body, seen)
        response = seen[0] if seen else None
        return Attempt(
            at=at,
            duration=round(asyncio.get_running_loop().time() - started, 6),
            outcome=outcome,
            status=response.status if response else None,
            error=readable(error) if error else None,
            answer=answer,
            answer_headers=_headers(response) if response else (),
            remedy=remedy,
        )

    async def _outcome(self, url: str, body: bytes, seen: "list[aiohttp.ClientResponse]") -> _End:
        import aiohttp

        try:
            return await self._exchange(url, body, seen)
        except TimeoutError:
            return _End("timed_out", error=f"no whole answer within {self._timeout:g} s")
        except aiohttp.ClientConnectorCertificateError as fault:
            return _End("untrusted", b"", *untrusted(fault.certificate_error))
        except aiohttp.ClientConnectorSSLError as fault:
            return _End("broken", b"", *no_tls(fault.os_error))
        except aiohttp.ClientConnectorDNSError as fault:
            said = f"the host is not known: {fault.os_error.strerror}"
            return _End("unreachable", error=said, remedy=addresses.remedy(url))
        except aiohttp.ClientConnectorError as fault:
            refused = isinstance(fault.os_error, ConnectionRefusedError)
            said = fault.os_error.strerror or str(fault)
            return _End("refused" if refused else "unreachable", error=said, remedy=addresses.remedy(url))
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            return _End("broken", error=f"{type(fault).__name__}: {fault}"[:500])

    async def _exchange(self, url: str, body: bytes, seen: "list[aiohttp.ClientResponse]") -> _End:
        """Post, and once more over a new connection where an old one turns out to be closed.

        As curl does: an old connection that ends at once and without a word was closed by the merchant before.
        """
        import aiohttp

        loop = asyncio.get_running_loop()
        started, connection = loop.time(), _Connection()
        try:
            return await self._sent(url, body, seen, self._opened(), connection)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not connection.is_old or seen or loop.time() - started > _IDLE_SECONDS:
                raise
        return await self._sent(url, body, seen, self._opened(anew=True), _Connection())

    async def _sent(
        self,
        url: str,
        body: bytes,
        seen: "list[aiohttp.ClientResponse]",
        session: "aiohttp.ClientSession",
        connection: "_Connection",
    ) -> _End:
        headers = {"Content-Type": "application/json"} if body else {}
        target, named = addresses.rewritten(url, self._hosts), None
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
            trace_request_ctx=connection,
        ) as response:
            seen.append(response)
            answer = await response.content.read(MOST_OF_AN_ANSWER)
            while len(answer) < MOST_OF_AN_ANSWER and not response.content.at_eof():
                answer += await response.content.read(MOST_OF_AN_ANSWER - len(answer))
            if not response.content.at_eof():
                response.close()
                return _End("too_long", answer, f"only the first {MOST_OF_AN_ANSWER} bytes of the answer were read")
            if response.status in (301, 302, 303, 307, 308):
                return _End("redirected", answer, f"not followed: {response.headers.get('Location', '')}"[:500])
            return _End("answered", answer)

    def _opened(self, *, anew: bool = False) -> "aiohttp.ClientSession":
        """Return the session that keeps connections for a while, or the one that makes one for each request."""
        import aiohttp

        from mock_klarna.callbacks.names import Resolver

        if anew not in self._sessions:
            connector = (
                aiohttp.TCPConnector(limit=0, ssl=self._trust, resolver=Resolver(), force_close=True)
                if anew
                else aiohttp.TCPConnector(
                    limit=0, ssl=self._trust, resolver=Resolver(), ttl_dns_cache=10, keepalive_timeout=_IDLE_SECONDS
                )
            )
            self._sessions[anew] = aiohttp.ClientSession(
                connector=connector,
                trace_configs=[_tracing()],
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _USER_AGENT},
                auto_decompress=False,
                trust_env=False,
            )
        return self._sessions[anew]

    async def close(self) -> None:
        """Close the connections that are still open."""
        for session in self._sessions.values():
            await session.close()


def _headers(response: "aiohttp.ClientResponse") -> tuple[tuple[str, str], ...]:
    return tuple((readable(name), readable(text)) for name, text in islice(response.headers.items(), _MOST_HEADERS))
