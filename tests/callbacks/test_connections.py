"""How merchants are reached: names, addresses, connections that are kept, and what stands in the environment."""

import asyncio
import socket
import sys
import threading
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mock_klarna.client import Client
from tests.merchants.processes import ROOT
from tests.merchants.running import buy, calls, emulator
from tests.merchants.shop import Shop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def _request(reader: StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))


class Restarting:
    """A merchant that answers once on each connection, keeps it open, and hangs up when it is used again."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.answers = True

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one request of a connection."""
        self.connections += 1
        await _request(reader)
        if self.answers:
            writer.write(OK)
            await reader.read(1)
        writer.close()


@pytest.fixture
async def restarting() -> AsyncIterator[Restarting]:
    """Such a merchant, listening."""
    merchant = Restarting()
    async with await asyncio.start_server(merchant.serve, "127.0.0.1", 0) as server:
        merchant.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield merchant


async def test_a_kept_connection_that_the_merchant_has_closed_is_no_failed_try(restarting: Restarting) -> None:
    async with emulator() as client:
        for number in range(3):
            await buy(client, restarting.url)
            entries = await calls(client, "place_order", number + 1)
    assert [entry["outcome"] for entry in entries] == ["answered"] * 3


async def test_a_merchant_who_hangs_up_on_a_new_connection_is_not_asked_twice(restarting: Restarting) -> None:
    restarting.answers = False
    async with emulator() as client:
        await buy(client, restarting.url)
        (entry,) = await calls(client, "place_order")
    assert (entry["outcome"], restarting.connections) == ("broken", 1)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_proxy_in_the_environment_is_for_others(
    shop: Shop, nobody: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for unset in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(unset, raising=False)
    monkeypatch.setenv(name, nobody)
    async with emulator() as client:
        await buy(client, shop.url)
        (entry,) = await calls(client, "place_order")
    assert entry["outcome"] == "answered"


async def test_a_merchant_at_an_address_of_ipv6_is_called(restarting: Restarting) -> None:
    try:
        server = await asyncio.start_server(restarting.serve, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = server.sockets[0].getsockname()[1]
    async with server, emulator(callback_host_rewrite=("six.test=::1",)) as client:
        await buy(client, f"http://[::1]:{port}")
        await buy(client, f"http://six.test:{port}")
        assert [entry["outcome"] for entry in await calls(client, "place_order", 2)] == ["answered"] * 2


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network in which names that end with `.slow.test` are looked up for ever."""
    found, end = socket.getaddrinfo, threading.Event()

    def look_up(host: Any, *args: Any, **named: Any) -> Any:
        if str(host).endswith(".slow.test"):
            end.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "given up")
        return found(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    end.set()


@pytest.mark.usefixtures("slow_names")
async def test_names_that_are_slow_to_look_up_hold_up_no_other_merchant(shop: Shop) -> None:
    async with emulator(callback_timeout=60) as client, Client(client.url, "slow") as slow:
        for number in range(50):
            await buy(slow, "http://127.0.0.1:1", {"place_order": f"http://shop-{number}.slow.test/place-order"})
        await buy(client, shop.url.replace("127.0.0.1", "localhost"))
        entries = await calls(client, "place_order")
    assert [entry["merchant"] for entry in entries] == ["shop"]


@pytest.mark.usefixtures("slow_names")
async def test_a_name_that_is_not_found_in_time_is_a_try_that_timed_out() -> None:
    async with emulator(callback_timeout=0.1) as client:
        await buy(client, "http://127.0.0.1:1", {"place_order": "http://shop.slow.test/place-order"})
        (entry,) = await calls(client, "place_order")
    assert entry["outcome"] == "timed_out"


SERVER = """
import socket, threading
found = socket.getaddrinfo
def look_up(host, *args, **named):
    if str(host).endswith(".slow.test"):
        print("asked", flush=True)
        threading.Event().wait()
    return found(host, *args, **named)
socket.getaddrinfo = look_up
from mock_klarna.__main__ import main
raise SystemExit(main(["serve", "--port", "0"]))
"""


async def test_a_server_stops_although_a_name_is_still_being_looked_up() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, cwd=ROOT, stdout=PIPE)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().split()[-1]
        async with Client(url, "shop") as client:
            await buy(client, "http://127.0.0.1:1", {"place_order": "http://shop.slow.test/place-order"})
            assert await process.stdout.readline() == b"asked\n"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
