"""Addresses that a server listens on: all of a host with one port, and a URL that answers."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from mock_klarna import MockKlarnaAsync, Settings, serve_in_thread
from mock_klarna.client import Client
from mock_klarna.demo import serve_shop
from mock_klarna.errors import CannotBind
from mock_klarna.web import sockets

ALL = pytest.mark.parametrize("host", ["", "*", "::"])
BOTH_FAMILIES = ("127.0.0.1", "[::1]")


def _status(url: str) -> int:
    with urlopen(url) as answer:
        return int(answer.status)


@ALL
def test_all_addresses_of_both_families_answer_at_the_announced_port(host: str) -> None:
    with serve_in_thread(Settings(host=host, port=0)) as klarna:
        assert [_status(f"http://{name}:{klarna.port}/_mock/health") for name in BOTH_FAMILIES] == [200, 200]
        assert _status(f"{klarna.url}/_mock/health") == 200


@ALL
async def test_the_demo_shop_answers_at_all_addresses_too(host: str, klarna: MockKlarnaAsync) -> None:
    async with serve_shop(klarna.url, host=host) as shop:
        port = int(shop.url.rpartition(":")[2])
        for url in (shop.url, *(f"http://{name}:{port}" for name in BOTH_FAMILIES)):
            async with Client(url) as client:
                assert (await client.send("GET", "/orders")).status == 200


@pytest.fixture
def without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose kernel has IPv6 switched off."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)


@pytest.mark.usefixtures("without_ipv6")
@pytest.mark.parametrize("host", ["", "*"])
def test_without_ipv6_all_addresses_are_those_of_ipv4(host: str) -> None:
    with serve_in_thread(Settings(host=host, port=0)) as klarna:
        assert _status(f"http://127.0.0.1:{klarna.port}/_mock/health") == 200


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The name `localhost` has an address of each family, as on most machines, and one that this machine does not have."""
    addresses: list[Any] = [("::1", 0, 0, 0), ("192.0.2.1", 0), ("127.0.0.1", 0)]

    def found(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        assert host == "localhost"
        families = [socket.AF_INET6 if ":" in name else socket.AF_INET for name, *_ in addresses]
        return [(family, socket.SOCK_STREAM, 6, "", each) for family, each in zip(families, addresses, strict=True)]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", found)
        yield


@pytest.mark.usefixtures("two_addresses")
async def test_all_addresses_of_a_name_have_one_port() -> None:
    bound = await sockets.bound_sockets("localhost", 0, "--port")
    names = [each.getsockname()[:2] for each in bound]
    for each in bound:
        each.close()
    assert [name for name, _ in names] == ["::1", "127.0.0.1"]
    assert len({port for _, port in names}) == 1


async def test_a_port_that_one_family_has_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotBind, match="Address already in use"):
            await sockets.bound_sockets("*", port, "--port")
