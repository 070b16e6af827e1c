"""The HTTP client to merchants: addresses, connections, and bad answers."""

import asyncio
import socket
import sys
import threading
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import orjson
import pytest

from mock_klarna.callbacks.http import MAX_ANSWER, MerchantClient, rewrites, rewritten
from mock_klarna.client import Client
from mock_klarna.settings import Settings
from tests.merchants.processes import ROOT
from tests.merchants.running import Json, buy, callbacks, calls, emulator, place
from tests.merchants.shop import Shop

HOSTS = rewrites(
    [
        "localhost=host.docker.internal",
        "shop.test=10.0.0.7:8443",
        "LOUD=quiet",
        "six.test=::1",
        "bracketed.test=[fd00::7]",
        "ported.test=[fd00::7]:8443",
        "[fd00::8]=shop",
        "fd00::9=shop",
    ]
)


def test_a_host_is_replaced_and_everything_else_kept() -> None:
    for url, target in (
        ("http://localhost:3000/a?b=c#d", "http://host.docker.internal:3000/a?b=c#d"),
        ("http://localhost/", "http://host.docker.internal/"),
        ("http://LOCALHOST:1/A/", "http://host.docker.internal:1/A/"),
        ("https://shop.test/x", "https://10.0.0.7:8443/x"),
        ("https://shop.test:9/x", "https://10.0.0.7:8443/x"),
        ("http://user:pw@localhost:3000/", "http://user:pw@host.docker.internal:3000/"),
        ("http://loud/", "http://quiet/"),
        ("http://six.test:3000/", "http://[::1]:3000/"),
        ("http://six.test/", "http://[::1]/"),
        ("http://bracketed.test:3000/", "http://[fd00::7]:3000/"),
        ("http://ported.test:3000/", "http://[fd00::7]:8443/"),
        ("http://[fd00::8]:3000/", "http://shop:3000/"),
        ("http://[FD00::9]:3000/", "http://shop:3000/"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000/"),
        ("http://localhost.example.com/", "http://localhost.example.com/"),
        ("http://other/localhost", "http://other/localhost"),
    ):
        assert rewritten(url, HOSTS) == target, url


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def _request(reader: StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))


class Restarting:
    """A merchant that answers once on each connection, keeps it open, and hangs up when it is used again."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.requests = 0
        self.answers = True

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one request of a connection."""
        self.connections += 1
        with suppress(EOFError):
            await _request(reader)
            self.requests += 1
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


async def test_a_kept_connection_that_the_merchant_has_closed_is_opened_again(restarting: Restarting) -> None:
    async with emulator() as client:
        for number in range(3):
            await buy(client, restarting.url)
            entries = await calls(client, "place_order", number + 1)
    assert [entry["outcome"] for entry in entries] == ["answered"] * 3


async def test_a_merchant_that_closes_a_new_connection_is_not_called_twice(restarting: Restarting) -> None:
    restarting.answers = False
    async with emulator() as client:
        await buy(client, restarting.url)
        (entry,) = await calls(client, "place_order")
    assert (entry["outcome"], restarting.requests) == ("broken", 1)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_proxy_in_the_environment_is_not_used(
    shop: Shop, unreachable_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for unset in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(unset, raising=False)
    monkeypatch.setenv(name, unreachable_url)
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
async def test_slow_name_lookups_delay_no_other_merchant(shop: Shop) -> None:
    async with emulator(callback_timeout=60) as client, Client(client.url, "slow") as slow:
        for number in range(50):
            await buy(slow, "http://127.0.0.1:1", {"place_order": f"http://shop-{number}.slow.test/place-order"})
        await buy(client, shop.url.replace("127.0.0.1", "localhost"))
        entries = await calls(client, "place_order")
    assert [entry["merchant"] for entry in entries] == ["shop"]


@pytest.mark.usefixtures("slow_names")
async def test_a_name_that_is_not_found_in_time_times_out() -> None:
    async with emulator(callback_timeout=0.1) as client:
        await buy(client, "http://127.0.0.1:1", {"place_order": "http://shop.slow.test/place-order"})
        (entry,) = await calls(client, "place_order")
    assert entry["outcome"] == "timed_out"


SERVER = """
import socket, threading
found = socket.getaddrinfo
def look_up(host, *args, **named):
    if str(host).endswith(".slow.test"):
        print("received", flush=True)
        threading.Event().wait()
    return found(host, *args, **named)
socket.getaddrinfo = look_up
from mock_klarna.cli.main import main
raise SystemExit(main(["serve", "--port", "0"]))
"""


@pytest.mark.process
async def test_a_server_stops_during_a_name_lookup() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, cwd=ROOT, stdout=PIPE)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().split()[-1]
        async with Client(url, "shop") as client:
            await buy(client, "http://127.0.0.1:1", {"place_order": "http://shop.slow.test/place-order"})
            assert await process.stdout.readline() == b"received\n"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


OUTCOMES = {
    "hang": ("timed_out", None, "failed"),
    "hang_in_body": ("timed_out", None, "failed"),
    "drip": ("timed_out", None, "failed"),
    "endless": ("too_long", 200, "delivered"),
    "endless_head": ("broken", None, "failed"),
    "long_header": ("broken", None, "failed"),
    "half": ("broken", 200, "failed"),
    "half_a_head": ("broken", None, "failed"),
    "garbage": ("broken", None, "failed"),
    "odd_header": ("answered", 200, "delivered"),
    "odd_body": ("answered", 200, "delivered"),
    "odd_encoding": ("answered", 200, "delivered"),
    "early_hints": ("answered", 200, "delivered"),
    "no_length": ("answered", 200, "delivered"),
    "close": ("broken", None, "failed"),
    "reset": ("broken", None, "failed"),
    "odd_location": ("redirected", 302, "failed"),
    **{f"redirect?{status}": ("redirected", status, "failed") for status in (301, 302, 303, 307, 308)},
    **{f"answer?{status}": ("answered", status, "failed") for status in (304, 400, 401, 404, 500, 503)},
    **{f"answer?{status}": ("answered", status, "delivered") for status in (200, 201, 204)},
}


@pytest.mark.parametrize("behaviour", OUTCOMES)
async def test_each_kind_of_bad_answer_has_its_outcome_and_the_token_stays_valid(bad: str, behaviour: str) -> None:
    outcome, status, state = OUTCOMES[behaviour]
    async with emulator(callback_timeout=0.2 if outcome == "timed_out" else 60.0) as client:
        bought = await buy(client, bad, {"place_order": f"{bad}/{behaviour}"})
        (entry,) = await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        (attempt,) = callback["attempts"]
        assert (attempt["outcome"], callback["state"]) == (outcome, state)
        assert attempt["status"] == status or outcome == "timed_out"  # as much as arrived in time
        assert entry["outcome"] == outcome
        assert bool(attempt["error"]) == (outcome != "answered")
        assert (await place(client, bought))["fraud_status"] == "ACCEPTED"


async def test_a_redirect_is_not_followed_and_says_where_to(bad: str) -> None:
    async with emulator() as client:
        await buy(client, bad, {"place_order": f"{bad}/redirect?307"})
        (entry,) = await calls(client, "place_order")
        assert entry["error"] == "not followed: /echo"
        assert entry["answer_body"] is None


async def test_only_the_beginning_of_an_endless_answer_is_read_and_kept(bad: str) -> None:
    async with emulator() as client:
        bought = await buy(client, bad, {"place_order": f"{bad}/endless"})
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        assert callback["attempts"][0]["answer_body"] == "x" * MAX_ANSWER


async def test_a_port_that_does_not_listen_is_refused(unreachable_url: str) -> None:
    async with emulator() as client:
        bought = await buy(client, unreachable_url)
        (entry,) = await calls(client, "place_order")
        assert (entry["outcome"], entry["status"]) == ("refused", None)
        assert (await place(client, bought))["fraud_status"] == "ACCEPTED"


async def test_a_host_that_does_not_exist_is_unreachable() -> None:
    async with emulator() as client:
        await buy(client, "http://127.0.0.1:1", {"place_order": "https://shop.invalid/place-order"})
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] == "unreachable"


@pytest.mark.parametrize("url", ["http://[::1/place", "http://127.0.0.1:99999/place", "http://127.0.0.1:port/place"])
async def test_a_url_that_cannot_be_called_is_a_broken_connection(url: str) -> None:
    client = MerchantClient(Settings())
    assert (await client.post(url, b"{}", 0.0)).outcome == "broken"
    await client.close()


async def test_https_on_a_port_of_http_is_a_broken_connection(shop: Shop) -> None:
    async with emulator() as client:
        await buy(client, shop.url.replace("http:", "https:"))
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] in ("broken", "unreachable")
        assert entry["error"]


async def test_a_merchant_that_closes_the_connection_during_the_tls_handshake_is_named() -> None:
    async def close(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(1000)
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server, emulator() as client:
        bought = await buy(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        (entry,) = await calls(client, "place_order")
        assert (entry["outcome"], entry["error"]) == ("broken", "the connection was closed during the TLS handshake")
        assert entry["remedy"].endswith("if it uses plain HTTP, write http:// in the URL")
        assert entry["remedy"] in (await client.ask("GET", f"/_mock/purchases/{bought['purchase_id']}"))["hint"]


@pytest.mark.parametrize(
    "path",
    ["/x/?secret=a%20b&c=%C3%A5", "/Place/ORDER/", "/a//b", "/x?a=1&a=2&", "/%7Eshop/%41", "/a+b?c=d+e", "/x;y=z"],
)
async def test_the_url_is_called_exactly_as_given(bad: str, path: str) -> None:
    async with emulator() as client:
        await buy(client, bad, {"place_order": bad + path})
        (entry,) = await calls(client, "place_order")
        assert entry["answer_body"].splitlines()[0] == f"POST {path} HTTP/1.1"
        assert entry["url"] == bad + path


async def test_a_callback_is_json_without_credentials_or_cookies_and_with_our_user_agent(bad: str) -> None:
    async with emulator() as client:
        bought = await buy(client, bad, {"place_order": f"{bad}/echo"})
        (entry,) = await calls(client, "place_order")
    head, _, body = entry["answer_body"].partition("\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:])
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("mock-klarna/")
    assert headers["host"] == bad.removeprefix("http://")
    assert not {"authorization", "cookie", "accept-language"} & set(headers)
    assert orjson.loads(body) == entry["request_body"] == response_of(bought)


async def test_no_callback_asks_for_a_compressed_answer(bad: str) -> None:
    """The answer to `update` is read as it is, and that of every callback is shown."""
    urls = dict.fromkeys(("place_order", "update", "push"), f"{bad}/echo")
    async with emulator() as client:
        await place(client, await buy(client, bad, urls))
        await client.ask("POST", "/_mock/clock", {"advance": "6m"})
        for callback in urls:
            (entry,) = await calls(client, callback)
            assert "\r\naccept-encoding: identity\r\n" in entry["answer_body"].lower(), callback


def response_of(bought: Json) -> Json:
    """Return what `place_order` has to say of a purchase (klarna.md §4.1)."""
    return {name: bought[name] for name in ("authorization_token", "button_key", "order")}


async def test_a_callback_to_a_rewritten_host_keeps_the_host_header(bad: str) -> None:
    port = bad.rpartition(":")[2]
    async with emulator(callback_host_rewrite=("shop.test=127.0.0.1",)) as client:
        await buy(client, bad, {"place_order": f"http://shop.test:{port}/echo?a=%20b"})
        (entry,) = await calls(client, "place_order")
    assert entry["url"] == f"http://shop.test:{port}/echo?a=%20b"
    assert entry["answer_body"].startswith("POST /echo?a=%20b HTTP/1.1")
    assert f"Host: shop.test:{port}" in entry["answer_body"]


async def test_a_rewrite_may_name_another_port(bad: str) -> None:
    async with emulator(callback_host_rewrite=(f"shop.test={bad.removeprefix('http://')}",)) as client:
        await buy(client, bad, {"place_order": "http://SHOP.test:1/echo"})
        (entry,) = await calls(client, "place_order")
    assert "Host: shop.test:1" in entry["answer_body"]


@pytest.mark.parametrize("behaviour", ["odd_header", "odd_location", "odd_body", "garbage"])
async def test_bytes_that_are_not_text_can_be_read_in_the_journal_and_in_a_snapshot(bad: str, behaviour: str) -> None:
    async with emulator() as client:
        await buy(client, bad, {"place_order": f"{bad}/{behaviour}"})
        (entry,) = await calls(client, "place_order")
        assert "\\xf6" in str(entry) or behaviour in ("odd_body", "garbage")
        state = await client.ask("GET", "/_mock/snapshot")
        assert (await client.send("PUT", "/_mock/snapshot", state)).status == 204
        assert len(await callbacks(client, "place_order")) == 1
