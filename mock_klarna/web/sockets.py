"""The sockets of an application: HTTP, and optionally HTTPS."""

import asyncio
import errno
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from socket import EAI_NONAME, gaierror
from ssl import SSLContext
from typing import Any

import orjson
from aiohttp import web
from aiohttp.web_request import BaseRequest

from mock_klarna.errors import CannotBind
from mock_klarna.settings import Settings
from mock_klarna.web.pipeline import correlation_id

_log = logging.getLogger(__name__)


class JsonProtocol(web.RequestHandler):
    """aiohttp's connection handler, with its plain-text errors in JSON."""

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log errors, except for a body that could not be decompressed: the response reports that."""
        if isinstance(kw.get("exc_info"), web.RequestPayloadError):
            _log.debug("the rest of a body cannot be read: %s", kw["exc_info"])
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Return the response to an unreadable request, and close the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("a response was already started")
        reason = (message or HTTPStatus(status).phrase).strip().splitlines()[0][:300]
        _log.warning("a request could not be read: %s %s", status, reason, exc_info=exc if status >= 500 else None)
        correlation = correlation_id()
        body: dict[str, Any] = {
            "error_code": "bad_request" if status < 500 else "internal_server_error",
            "error_message": f"not a readable HTTP request: {reason}" if status < 500 else "a bug in mock-klarna",
            "correlation_id": correlation,
        }
        response = web.Response(
            status=status,
            body=orjson.dumps(body),
            headers={"Content-Type": "application/json", "Klarna-Correlation-Id": correlation},
        )
        response.force_close()
        return response


_LAST_WORDS_SECONDS = 0.05


def cannot_bind(host: str, port: int, flag: str, cause: OSError | UnicodeError) -> CannotBind:
    """Return the error for an address that cannot be bound; `flag` is the setting of its port."""
    error = cause if isinstance(cause, OSError) else gaierror(EAI_NONAME, "this is not a host name")
    address, remedy = f"{host}:{port}", _remedy(error, flag)
    return CannotBind(error.errno, _reason(port, error), address=address, flag=flag, remedy=remedy)


def _remedy(error: OSError, flag: str) -> str:
    """Return a hint for an address that cannot be bound: a host of this machine, or another port."""
    if isinstance(error, gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "name an address of this machine with --host, such as 127.0.0.1"
    return f"choose another with {flag}, 0 takes any free one"


def _reason(port: int, error: OSError) -> str:
    known = error.errno in errno.errorcode
    why = os.strerror(error.errno) if known and error.errno else error.strerror or str(error)
    if port >= 1024 or error.errno != errno.EACCES:
        return why
    return (
        f"{why}; ports below 1024 are for root, unless the system's net.ipv4.ip_unprivileged_port_start is lower: "
        "take a higher one, and have 443 lead to it where clients insist"
    )


@dataclass(frozen=True, slots=True)
class Listening:
    """The addresses that are bound; `tls_url` and `tls_port` are None without HTTPS."""

    url: str
    port: int
    tls_url: str | None = None
    tls_port: int | None = None


@asynccontextmanager
async def listening(app: web.Application, settings: Settings, tls: SSLContext | None) -> AsyncIterator[Listening]:
    """Bind HTTPS and then HTTP, so that both are ready when HTTP answers; raises `CannotBind`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_WORDS_SECONDS)
    await runner.setup()
    try:
        if tls is None:
            async with _bound(runner, settings.host, settings.port) as port:
                yield Listening(_url("http", settings.host, port), port)
            return
        async with (
            _bound(runner, settings.host, settings.tls_port, tls) as tls_port,
            _bound(runner, settings.host, settings.port) as port,
        ):
            urls = _url("http", settings.host, port), _url("https", settings.host, tls_port)
            yield Listening(urls[0], port, urls[1], tls_port)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _bound(runner: web.AppRunner, host: str, port: int, tls: SSLContext | None = None) -> AsyncIterator[int]:
    """Bind one address for an application; yields the port."""
    web_server = runner.server
    assert web_server is not None
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            lambda: JsonProtocol(web_server, loop=loop, access_log=None),  # type: ignore[arg-type]
            host,
            port,
            ssl=tls,
            backlog=1024,
            reuse_address=True,
        )
    except (OSError, UnicodeError) as error:
        raise cannot_bind(host, port, "--port" if tls is None else "--tls-port", error) from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _url(scheme: str, host: str, port: int) -> str:
    """Return the URL of a socket on this machine: a host that means "all" becomes the loopback address."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
