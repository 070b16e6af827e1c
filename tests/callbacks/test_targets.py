"""Callbacks are not sent to link-local and metadata addresses, nor to what a setting denies, whatever name leads there."""

import asyncio
import json
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import Settings
from mock_klarna.callbacks.targets import RefusedTarget, Targets
from mock_klarna.settings import SettingsError
from tests.merchants.running import buy, calls, emulator
from tests.tls import isolation

METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::1",
]
ORDINARY = [
    "127.0.0.1",
    "::1",
    "::",
    "0.0.0.0",
    "10.0.0.1",
    "169.253.255.255",
    "169.255.0.1",
    "192.168.1.1",
    "::ffff:127.0.0.1",
    "fd00:ec2::253",
    "fec0::1",
    "203.0.113.1",
    "2001:db8::1",
    "64:ff9b::127.0.0.1",
]


def is_allowed(address: str, callback_allow: tuple[str, ...] = (), callback_deny: tuple[str, ...] = ()) -> bool:
    try:
        Targets(Settings(callback_allow=callback_allow, callback_deny=callback_deny)).require_allowed(address)
    except RefusedTarget:
        return False
    return True


def test_link_local_and_metadata_addresses_are_not_allowed_in_any_form() -> None:
    for address in METADATA:
        assert not is_allowed(address), address
        assert is_allowed(address, callback_allow=("0.0.0.0/0", "::/0")), address


def test_every_other_address_is_allowed() -> None:
    for address in ORDINARY:
        assert is_allowed(address), address
        assert not is_allowed(address, callback_deny=("0.0.0.0/0", "::/0")), address


def test_what_is_allowed_is_called_although_its_network_is_denied() -> None:
    settings = {"callback_deny": ("0.0.0.0/0", "::/0"), "callback_allow": ("10.1.0.0/16", "127.0.0.1")}
    allowed = ["10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3"]
    assert [
        address for address in [*allowed, "10.2.0.1", "127.0.0.2", "::1"] if is_allowed(address, **settings)
    ] == allowed


@pytest.mark.parametrize(
    ("host", "expected"), [("shop.test", True), ("SHOP.test.", True), ("a.shop.test", False), ("a.more.test", True)]
)
def test_a_host_can_be_allowed_or_denied_by_its_name(host: str, expected: bool) -> None:
    names = ("shop.test", "*.more.test")
    assert Targets(Settings(callback_allow=names)).is_allowed_by_name(host) is expected
    if expected:
        with pytest.raises(RefusedTarget, match="this host"):
            Targets(Settings(callback_deny=names)).is_allowed_by_name(host)


@pytest.mark.parametrize("target", ["10.0.0.0/33", "300.1.1.1", "127.1", "fe80::zz", "a b", "http://shop.test", ""])
def test_a_setting_that_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(SettingsError, match="a network such as"):
        Settings(callback_deny=(target,))


OTHER = "127.0.0.2"


@pytest.fixture
async def listening() -> AsyncIterator[tuple[int, list[str]]]:
    """A port on which a merchant listens at all addresses of loopback, and the addresses at which it was called."""
    called: list[str] = []

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        called.append(writer.get_extra_info("sockname")[0])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "0.0.0.0") as server:
        yield server.sockets[0].getsockname()[1], called


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A network in which these names have these addresses."""
    known: dict[str, list[str]] = {
        "one.test": [OTHER],
        "both.test": [OTHER, "127.0.0.1"],
        "rebound.test": ["127.0.0.1"],
    }
    found = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        if host not in known:
            return found(host, port, *args, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("host", [OTHER, f"[::ffff:{OTHER}]", "one.test"])
async def test_a_denied_address_is_not_connected_to(listening: tuple[int, list[str]], host: str) -> None:
    port, called = listening
    async with emulator(callback_deny=(OTHER,)) as client:
        await buy(client, f"http://{host}:{port}")
        (entry,) = await calls(client, "place_order")
    assert (entry["outcome"], entry["status"], called) == ("not_allowed", None, [])
    assert "start with --callback-allow" in entry["remedy"]


@pytest.mark.usefixtures("names")
async def test_the_other_addresses_of_a_host_are_called(listening: tuple[int, list[str]]) -> None:
    port, called = listening
    async with emulator(callback_deny=(OTHER,)) as client:
        await buy(client, f"http://both.test:{port}")
        (entry,) = await calls(client, "place_order")
    assert (entry["outcome"], called) == ("answered", ["127.0.0.1"])


async def test_the_address_is_checked_at_each_connection(
    listening: tuple[int, list[str]], names: dict[str, list[str]]
) -> None:
    port, called = listening
    async with emulator(callback_deny=(OTHER,), callback_host_rewrite=("shop.test=rebound.test",)) as client:
        await buy(client, f"http://rebound.test:{port}")
        await calls(client, "place_order")
        names["rebound.test"] = names["again.test"] = [OTHER]
        await buy(client, f"http://again.test:{port}")
        (_, entry) = await calls(client, "place_order", 2)
    assert (entry["outcome"], called) == ("not_allowed", ["127.0.0.1"])


@pytest.mark.usefixtures("names")
async def test_a_host_that_is_allowed_by_name_is_called_at_a_denied_address(listening: tuple[int, list[str]]) -> None:
    port, called = listening
    async with emulator(callback_deny=("127.0.0.0/8",), callback_allow=("one.test",)) as client:
        await buy(client, f"http://one.test:{port}")
        (entry,) = await calls(client, "place_order")
        await buy(client, f"http://{OTHER}:{port}")
        (_, refused) = await calls(client, "place_order", 2)
    assert (entry["outcome"], refused["outcome"], called) == ("answered", "not_allowed", [OTHER])


async def test_a_denied_host_is_denied_at_every_address(listening: tuple[int, list[str]]) -> None:
    port, called = listening
    async with emulator(callback_deny=("localhost",)) as client:
        await buy(client, f"http://localhost:{port}")
        (entry,) = await calls(client, "place_order")
    assert (entry["outcome"], entry["error"], called) == ("not_allowed", "callbacks to this host are denied", [])


@pytest.mark.process
def test_a_metadata_service_is_called_only_if_it_is_allowed(tmp_path: Path) -> None:
    ran = isolation.run("link_local", tmp_path, trusted={})
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "default 169.254.169.254": ["not_allowed", 0],
        "default [::ffff:169.254.169.254]": ["not_allowed", 0],
        "allowed 169.254.169.254": ["answered", 1],
        "allowed [::ffff:169.254.169.254]": ["answered", 2],
    }
