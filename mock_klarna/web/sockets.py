"""The sockets of an application: HTTP, and optionally HTTPS."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from socket import EAI_NONAME, gaierror
from ssl import SSLContext
from typing import Any
from weakref import WeakSet

from aiohttp import web

from mock_klarna.errors import CannotBind
from mock_klarna.settings import Settings, server_url
from mock_klarna.web.connection import ClientConnection

_log = logging.getLogger(__name__)


_LAST_WORDS_SECONDS = 0.05
_BACKLOG = 1024
_TRIES = 10
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


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


class AcceptErrorFilter(logging.Filter):
    """One line a second, without a traceback, while no connection can be accepted because all file descriptors are in use.

    asyncio logs each failed attempt, and makes a thousand of them in a second. A second later it listens again, and logs an
    error if the socket was closed meanwhile, because the server stopped.
    """

    _FAILED = "socket.accept() out of system resource"
    _CLOSED = "Exception in callback BaseSelectorEventLoop._start_serving"

    def __init__(self) -> None:
        super().__init__()
        self._silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged."""
        message = str(record.msg)
        if not message.startswith(self._FAILED):
            return not message.startswith(self._CLOSED)
        if self._silent_until - 1 <= record.created < self._silent_until:
            return False
        self._silent_until = record.created + 1
        reason = record.exc_info[1] if record.exc_info else "no resources"
        record.msg, record.args, record.exc_info = "no connection can be accepted: %s; see ulimit -n", (reason,), None
        return True


_accept_errors = AcceptErrorFilter()


@asynccontextmanager
async def listening(app: web.Application, settings: Settings, tls: SSLContext | None) -> AsyncIterator[Listening]:
    """Bind HTTPS and then HTTP, so that both are ready when HTTP answers; raises `CannotBind`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_WORDS_SECONDS)
    await runner.setup()
    try:
        if tls is None:
            async with _bound(runner, settings, settings.port) as port:
                yield Listening(server_url("http", settings.host, port), port)
            return
        async with (
            _bound(runner, settings, settings.tls_port, tls) as tls_port,
            _bound(runner, settings, settings.port) as port,
        ):
            urls = server_url("http", settings.host, port), server_url("https", settings.host, tls_port)
            yield Listening(urls[0], port, urls[1], tls_port)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _bound(
    runner: web.AppRunner, settings: Settings, port: int, tls: SSLContext | None = None
) -> AsyncIterator[int]:
    """Bind the addresses of the host for an application; yields the port, which all of them share."""
    web_server = runner.server
    assert web_server is not None
    logging.getLogger("asyncio").addFilter(
        _accept_errors
    )  # stays: the loop may try to listen after the server has stopped
    loop = asyncio.get_running_loop()
    sockets = await bound_sockets(settings.host, port, "--port" if tls is None else "--tls-port")
    _listening_sockets.update(sockets)
    servers = [
        await loop.create_server(
            lambda: ClientConnection(web_server, loop, settings.body_timeout),
            sock=each,
            ssl=tls,
            backlog=_BACKLOG,
        )
        for each in sockets
    ]
    try:
        yield sockets[0].getsockname()[1]
    finally:
        for server in servers:
            server.close()


_listening_sockets: WeakSet[socket.socket] = WeakSet()


def _close_inherited() -> None:
    """Close the sockets in a process that was forked: clients must not wait for it once the server has stopped."""
    for each in _listening_sockets:
        each.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


async def bound_sockets(host: str, port: int, flag: str) -> list[socket.socket]:
    """Return a listening socket for each address of a host, all with the same port; port 0 takes any that is free.

    The hosts "", "*" and "::" are all addresses of this machine, of IPv4 and of IPv6. Raises `CannotBind`, which names
    `flag`, the setting of the port.
    """
    try:
        if host in ("", "*", "::") and (everywhere := _bound_to_all(port, is_ipv6_required=host == "::")):
            return [everywhere]
        name = "0.0.0.0" if host in ("", "*") else host  # noqa: S104
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
        for _ in range(_TRIES if port == 0 else 0):
            with suppress(OSError):  # the port that was free for the first address is taken for another one
                return _bound_to(addresses, port)
        return _bound_to(addresses, port)
    except (OSError, UnicodeError) as error:
        raise cannot_bind(host, port, flag, error) from None


def _bound_to_all(port: int, *, is_ipv6_required: bool) -> socket.socket | None:
    """Return one socket for IPv4 and IPv6, or None where the system has none such."""
    if not socket.has_dualstack_ipv6():
        return None
    try:
        return socket.create_server(("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True)
    except OSError as error:
        if is_ipv6_required or error.errno not in _NO_SUCH_ADDRESS:
            raise
        return None


def _bound_to(addresses: Sequence[tuple[int, Any]], port: int) -> list[socket.socket]:
    """Return a socket for each address; of several, those that this machine does not have are left out."""
    bound: list[socket.socket] = []
    with ExitStack() as stack:
        for number, (family, (name, _, *rest)) in enumerate(addresses, 1):
            try:
                each = socket.create_server((name, port, *rest), family=family, backlog=_BACKLOG)
            except OSError as error:
                if error.errno not in _NO_SUCH_ADDRESS or (number == len(addresses) and not bound):
                    raise
                continue
            bound.append(stack.enter_context(each))
            port = each.getsockname()[1]
        stack.pop_all()
    return bound
