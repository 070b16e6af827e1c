"""Where a merchant's URL leads from here, and what to do when it leads nowhere."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def rewrites(pairs: Iterable[str]) -> dict[str, str]:
    """Read `FROM=TO` pairs of hosts; addresses of IPv6 may stand in brackets, and do where a port follows."""
    return {old.lower().strip("[]"): _in_brackets(new) for old, _, new in (pair.partition("=") for pair in pairs)}


def _in_brackets(target: str) -> str:
    return f"[{target}]" if target.count(":") > 1 and not target.startswith("[") else target


def rewritten(url: str, hosts: dict[str, str]) -> str:
    """Return the URL with its host replaced, everything else kept; the port goes too if the new host names one."""
    parts = urlsplit(url)
    target = hosts.get((parts.hostname or "").lower())
    if target is None:
        return url
    user, at, _ = parts.netloc.rpartition("@")
    names_port = ":" in target.rpartition("]")[2]
    port = f":{parts.port}" if parts.port and not names_port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{at}{target}{port}"))


def in_container() -> bool:
    """Tell whether this process runs inside a container."""
    return any(Path(mark).exists() for mark in _CONTAINER_MARKS)


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def remedy(url: str) -> str | None:
    """Say what helps when a connection was refused: inside a container `localhost` is the container, not the shop's machine."""
    if not (is_loopback(url) and in_container()):
        return None
    host = urlsplit(url).hostname
    return (
        f"inside this container {host} is the container itself; start it with --callback-host-rewrite "
        f"{host}=host.docker.internal (and --add-host host.docker.internal:host-gateway on Linux), or use the shop's service name"
    )
