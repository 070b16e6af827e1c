"""The sockets of an application: HTTP, and optionally HTTPS."""

import asyncio
import errno
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import EAI_NONAME, gaierror
from ssl import SSLContext

from aiohttp import web

from mock_klarna.errors import CannotBind
from mock_klarna.settings import Settings
from mock_klarna.web.connection import ClientConnection

_log = logging.getLogger(__name__)


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
            async with _bound(runner, settings, settings.port) as port:
                yield Listening(_url("http", settings.host, port), port)
            return
        async with (
            _bound(runner, settings, settings.tls_port, tls) as tls_port,
            _bound(runner, settings, settings.port) as port,
        ):
            urls = _url("http", settings.host, port), _url("https", settings.host, tls_port)
            yield Listening(urls[0], port, urls[1], tls_port)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _bound(
    runner: web.AppRunner, settings: Settings, port: int, tls: SSLContext | None = None
) -> AsyncIterator[int]:
    """Bind one address for an application; yields the port."""
    web_server = runner.server
    assert web_server is not None
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            lambda: ClientConnection(web_server, loop, settings.body_timeout),
            settings.host,
            port,
            ssl=tls,
            backlog=1024,
            reuse_address=True,
        )
    except (OSError, UnicodeError) as error:
        raise cannot_bind(settings.host, port, "--port" if tls is None else "--tls-port", error) from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _url(scheme: str, host: str, port: int) -> str:
    """Return the URL of a socket on this machine: a host that means "all" becomes the loopback address."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
