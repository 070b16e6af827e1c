"""What to do about a callback that does not reach its shop: what listens in its place, and where localhost is."""

import ipaddress
import os
import ssl
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from mock_klarna.errors import TYPE_BASE, did_you_mean

_LOCAL_NAMES = ("localhost", "host.docker.internal", "host.containers.internal")
_TO_HOST = "--add-host host.docker.internal:host-gateway"
_OTHER_LOOPBACK = {"127.0.0.1": ("::1",), "::1": ("127.0.0.1",), "localhost": ("::1", "127.0.0.1")}
"""Where a shop may listen instead; on some machines localhost has the address of one IP protocol only."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_INTERFACES = Path("/sys/class/net")
_BRIDGES = ("docker", "br-", "podman", "cni", "virbr")
_STATUS_REMEDIES = {
    401: "the URL needs a login: callbacks have no credentials, so let the shop accept them without",
    403: "the shop refuses the request: callbacks have no login, no cookie and no CSRF token",
    404: "is the path of the URL right?",
    405: "let the shop accept POST at this URL",
    415: "let the shop accept application/json at this URL",
    419: "exempt the URL from the shop's CSRF protection",
}
_OWN_HEADER, _OWN_ERROR = "Mock-Klarna-Explanation", TYPE_BASE.encode()
_HTTPS_EXPECTED = (b"https port", b"an https server")


def is_loopback(url: str) -> bool:
    """Return whether a URL's host is this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_alone_in_container(
    marks: Iterable[Path] = _CONTAINER_MARKS, interfaces: Path = _INTERFACES, processes: tuple[int, int] | None = None
) -> bool:
    """Return whether this process is what a container runs, so that localhost is not where shops are.

    It is not in a container that uses the network of its host, in a test (whose server has a thread of its own), and where
    somebody else started it: the shop may run in the same container. `processes` are the ids of this process and of its parent.
    """
    own = processes or (os.getpid(), os.getppid())
    if 1 not in own or threading.current_thread() is not threading.main_thread():
        return False
    return any(mark.exists() for mark in marks) and not _has_network_of_host(interfaces)


def _has_network_of_host(interfaces: Path) -> bool:
    """Return whether there are network cards or bridges of containers, which only the host has."""
    with suppress(OSError):
        found = list(interfaces.iterdir())
        return any((each / "device").exists() or each.name.startswith(_BRIDGES) for each in found)
    return False


class Connector(Protocol):
    """Opens connections as callbacks do: to allowed addresses only."""

    async def connects(self, host: str, port: int, context: ssl.SSLContext | None = None) -> bool:
        """Return whether a connection can be opened, with TLS if there is a context."""
        ...


class Diagnosis:
    """Finds what to do about failed callbacks; remembers at which addresses the shop of a merchant answered."""

    _MAX_ANSWERED = 100

    def __init__(self, connector: Connector, *, is_alone_in_container: bool) -> None:
        self._connector = connector
        self._is_alone_in_container = is_alone_in_container
        self._answered: dict[tuple[str, str], None] = {}

    def answered(self, merchant: str, url: str) -> None:
        """Remember that the shop of a merchant answers at the address of a URL."""
        known = merchant, _address(url)
        self._answered.pop(known, None)
        self._answered[known] = None
        if len(self._answered) > self._MAX_ANSWERED:
            del self._answered[next(iter(self._answered))]

    async def refused(self, merchant: str, url: str) -> str:
        """Return what to do about a refused connection; looks whether something listens at the other IP protocol's loopback."""
        address, host = _address(url), urlsplit(url).hostname or ""
        for other in _OTHER_LOOPBACK.get(host, ()):
            if await self._connector.connects(other, port_of(url)):
                where = f"[{other}]" if ":" in other else other
                return (
                    f"something listens on {where}:{port_of(url)}, but not on {address}; "
                    f"let the shop listen on both, or write {where} in the URL"
                )
        remedy = f"nobody listens on {address}; is the shop running there?"
        answered = [known for owner, known in self._answered if owner == merchant]
        others = [known for known in answered if known.rpartition(":")[0] == address.rpartition(":")[0]]
        if others and address not in answered:
            return f"{remedy} callbacks to {others[-1]} were answered"
        if not is_loopback(url):
            return f"{remedy} if it is, let it listen on 0.0.0.0: on 127.0.0.1 it is not reached from other machines"
        return remedy if address in answered or not self._is_alone_in_container else f"{remedy} {_outside(host)}"

    async def no_http(self, url: str) -> str | None:
        """Return what to do about an answer that is not HTTP; finds out whether TLS is spoken at an http:// URL."""
        if not url.startswith("http:"):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        is_tls = await self._connector.connects(urlsplit(url).hostname or "", port_of(url), context)
        return _TLS_ANSWERS if is_tls else None


def _outside(host: str) -> str:
    """Return how to reach a shop outside the container of this process."""
    return (
        f"inside this container {host} is the container itself; to reach a shop on the machine outside, start with "
        f"--callback-host-rewrite {host}=host.docker.internal (and {_TO_HOST} on Linux), or use the shop's service name"
    )


def unknown_host(url: str) -> str:
    """Return what to do about a host that has no address."""
    host = urlsplit(url).hostname or ""
    if host == "host.docker.internal":
        return f"only containers know this name, on Linux only with {_TO_HOST}; outside a container use localhost"
    if meant := did_you_mean(host, _LOCAL_NAMES):
        return meant
    if "." not in host:
        return (
            f"is {host} the name of a service? such names are known only inside its container network; "
            f"a shop on this machine is localhost"
        )
    return f"is the host right? --callback-host-rewrite {host}=127.0.0.1 sends its callbacks to this machine"


def error_status(status: int, answer: bytes, headers: Mapping[str, str]) -> str | None:
    """Return what to do about an answer that is an error or a redirect; None where only the shop can know."""
    location = headers.get("Location", "")
    if _OWN_HEADER in headers or _OWN_ERROR in answer:
        return "this is mock-klarna itself, not the shop: the URL has the wrong port"
    if status == 400 and any(words in answer.lower() for words in _HTTPS_EXPECTED):
        return _TLS_ANSWERS
    if 300 <= status < 400:
        return f"register the URL to which the shop redirects: {location[:200]}" if location else None
    return _STATUS_REMEDIES.get(status, "the shop's log says why" if status >= 500 else None)


_TLS_ANSWERS = "TLS is spoken there: is it an https:// URL?"


def port_of(url: str) -> int:
    """Return the port of a URL, or the default one of its scheme."""
    parts = urlsplit(url)
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 80)


def _address(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return f"{f'[{host}]' if ':' in host else host}:{port_of(url)}"
