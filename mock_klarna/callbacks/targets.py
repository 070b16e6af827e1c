"""The addresses and hosts that callbacks may be sent to: all but those of link-local services, unless settings say otherwise."""

import errno
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from mock_klarna.settings import Settings

DENIED = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",  # link-local; the metadata service of most clouds
            "fe80::/10",
            "fd00:ec2::254/128",  # AWS
            "fd20:ce::254/128",  # Google Cloud
            "100.100.100.200/32",  # Alibaba Cloud
            "168.63.129.16/32",  # Azure
        ),
    )
)
"""Link-local addresses and metadata services of clouds, which give credentials to whoever can send a request to them."""
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
Address = IPv4Address | IPv6Address


class RefusedTarget(OSError):
    """Callbacks must not be sent to this address; `remedy` says what to do.

    The reason is the same for all addresses of a host, so that the errors of several are one.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(errno.EACCES, reason)
        self.remedy = remedy


class Targets:
    """What `callback_allow` and `callback_deny` say: what is allowed there is always called, what is denied never."""

    def __init__(self, settings: Settings) -> None:
        self._allowed, self._allowed_hosts = _networks_and_hosts(settings.callback_allow)
        self._denied, self._denied_hosts = _networks_and_hosts(settings.callback_deny)

    def is_allowed_by_name(self, host: str) -> bool:
        """Return whether a host may be called at any address; raises `RefusedTarget` for one that must not be called."""
        if _matches(host, self._allowed_hosts):
            return True
        if _matches(host, self._denied_hosts):
            raise RefusedTarget("callbacks to this host are denied", _remedy(host))
        return False

    def open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for one of the addresses that `getaddrinfo` gave; raises `RefusedTarget`."""
        family, kind, protocol, _, address = info
        self.require_allowed(address[0])
        return socket.socket(family, kind, protocol)

    def require_allowed(self, address: str) -> None:
        """Raise `RefusedTarget` for an address that must not be called, whatever name led to it."""
        reached = _reached(ip_address(address.partition("%")[0]))
        if any(one in network for one in reached for network in self._allowed):
            return
        if any(one in network for one in reached for network in self._denied):
            raise RefusedTarget("callbacks to this network are denied", _remedy(address))
        if any(one in network for one in reached for network in DENIED):
            raise RefusedTarget("callbacks to link-local and metadata addresses are not allowed", _remedy(address))


def _remedy(target: str) -> str:
    return f"if that is your shop, start with --callback-allow {target}"


def _networks_and_hosts(targets: Iterable[str]) -> tuple[list[Any], list[str]]:
    networks, hosts = [], []
    for target in targets:
        try:
            networks.append(ip_network(target))
        except ValueError:
            hosts.append(target)
    return networks, hosts


def _matches(host: str, names: Iterable[str]) -> bool:
    host = host.rstrip(".").lower()
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in names)


def _reached(address: Address) -> list[Address]:
    """Return an address with those of IPv4 that it stands for: mapped, compatible, and those of 6to4, Teredo and NAT64."""
    if isinstance(address, IPv4Address):
        return [address]
    embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        embedded.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(one for one in embedded if one is not None)]
