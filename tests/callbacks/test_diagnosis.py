"""What a failed callback says about its cause: each remedy belongs to what is wrong."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from mock_klarna.callbacks import http
from mock_klarna.callbacks.diagnosis import Diagnosis, error_status, is_alone_in_container, is_loopback, unknown_host
from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.domain.callbacks import Attempt
from mock_klarna.settings import Settings
from tests.certificates import samples
from tests.merchants.running import buy, calls, emulator


@pytest.fixture(autouse=True)
def _long_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe of this machine ends at once, but a busy machine may not notice it within a second."""
    monkeypatch.setattr(http, "_PROBE_SECONDS", 120.0)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1/", True),
        ("http://shop.localhost/", True),
        ("http://127.0.0.1/", True),
        ("http://127.8.9.1/", True),
        ("http://[::1]:80/", True),
        ("http://10.0.0.1/", False),
        ("http://shop/", False),
        ("http://notlocalhost/", False),
    ],
)
def test_a_url_of_this_machine_is_recognized(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


CONTAINER = "--callback-host-rewrite"
SERVICE, STARTED_BY_ANOTHER = (1, 0), (40, 39)


@pytest.mark.parametrize(
    ("is_marked", "interface", "processes", "alone"),
    [
        (True, "eth0", SERVICE, True),
        (True, "eth0", (7, 1), True),
        (False, "eth0", SERVICE, False),
        (True, "docker0", SERVICE, False),
        (True, "enp1s0/device", SERVICE, False),
        (True, "eth0", STARTED_BY_ANOTHER, False),
    ],
    ids=["service", "child of init", "no container", "network of the host", "network card", "started by hand"],
)
def test_a_process_knows_whether_a_container_runs_nothing_else(
    is_marked: bool, interface: str, processes: tuple[int, int], alone: bool, tmp_path: Path
) -> None:
    mark, interfaces = tmp_path / ".dockerenv", tmp_path / "net"
    (interfaces / interface).mkdir(parents=True)
    if is_marked:
        mark.touch()
    assert is_alone_in_container([mark], interfaces, processes) is alone


def test_a_server_in_a_thread_of_a_test_is_not_alone_in_its_container(tmp_path: Path) -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(is_alone_in_container([tmp_path], tmp_path, SERVICE)))
    thread.start()
    thread.join()
    assert (found, is_alone_in_container([tmp_path], tmp_path, SERVICE)) == ([False], True)


class Only:
    """One address can be connected to."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def connects(self, host: str, _port: int, _context: ssl.SSLContext | None = None) -> bool:
        """Return whether it is that address."""
        return host == self._host


class Nothing(Only):
    """No other address can be connected to."""

    def __init__(self) -> None:
        super().__init__("")


async def test_a_refused_callback_first_asks_whether_the_shop_is_running() -> None:
    for alone in (True, False):
        remedy = await Diagnosis(Nothing(), is_alone_in_container=alone).refused("K1", "http://127.0.0.1:19899/place")
        assert remedy.startswith("nobody listens on 127.0.0.1:19899; is the shop running there?")
        assert (f"{CONTAINER} 127.0.0.1=host.docker.internal" in remedy) is alone


async def test_the_container_is_not_named_where_the_shop_has_answered_before() -> None:
    diagnosis = Diagnosis(Nothing(), is_alone_in_container=True)
    diagnosis.answered("K1", "http://localhost:3000/place")
    remedy = await diagnosis.refused("K1", "http://localhost:3000/push")
    assert remedy == "nobody listens on localhost:3000; is the shop running there?"


async def test_the_port_where_the_shop_has_answered_is_named() -> None:
    diagnosis = Diagnosis(Nothing(), is_alone_in_container=True)
    diagnosis.answered("K1", "http://127.0.0.1:3000/place")
    remedy = await diagnosis.refused("K1", "http://127.0.0.1:3001/place")
    assert (
        remedy
        == "nobody listens on 127.0.0.1:3001; is the shop running there? callbacks to 127.0.0.1:3000 were answered"
    )


async def test_the_shop_of_another_merchant_is_not_named() -> None:
    diagnosis = Diagnosis(Nothing(), is_alone_in_container=False)
    diagnosis.answered("K2", "http://127.0.0.1:3000/place")
    assert ":3000" not in await diagnosis.refused("K1", "http://127.0.0.1:3001/place")


async def test_the_addresses_that_are_remembered_are_bounded() -> None:
    diagnosis = Diagnosis(Nothing(), is_alone_in_container=False)
    for port in range(1, 202):
        diagnosis.answered("K1", f"http://shop:{port}/")
    assert "shop:201" in await diagnosis.refused("K1", "http://shop:900/")
    assert len(diagnosis._answered) == 100


async def test_a_shop_on_another_machine_has_to_listen_on_all_addresses() -> None:
    remedy = await Diagnosis(Nothing(), is_alone_in_container=True).refused("K1", "http://shop:3000/")
    assert remedy.startswith("nobody listens on shop:3000; is the shop running there?")
    assert "0.0.0.0" in remedy
    assert CONTAINER not in remedy


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://locahost:3000/", "did you mean localhost?"),
        ("http://host.docker.intenal:3000/", "did you mean host.docker.internal?"),
        ("http://webshop:3000/", "is webshop the name of a service?"),
        ("http://host.docker.internal/", "outside a container use localhost"),
        ("http://shop.test:3000/", "--callback-host-rewrite shop.test=127.0.0.1"),
    ],
)
def test_a_host_without_an_address_gets_a_remedy_by_its_name(url: str, remedy: str) -> None:
    assert remedy in unknown_host(url)


@pytest.mark.parametrize(
    ("status", "answer", "remedy"),
    [
        (404, b"", "is the path of the URL right?"),
        (405, b"", "let the shop accept POST"),
        (403, b"CSRF verification failed", "no CSRF token"),
        (404, b'{"type": "https://mock-klarna.example/problems/not-found"}', "this is mock-klarna itself"),
        (400, b"The plain HTTP request was sent to HTTPS port", "is it an https:// URL?"),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", "is it an https:// URL?"),
        (302, b"", "register the URL to which the shop redirects: /login"),
        (500, b"", "the shop's log says why"),
        (400, b"", None),
    ],
)
def test_an_error_of_the_shop_gets_a_remedy_by_its_status(status: int, answer: bytes, remedy: str | None) -> None:
    found = error_status(status, answer, {"Location": "/login"})
    assert (found is None) if remedy is None else (remedy in str(found))


async def attempt(url: str, **settings: object) -> Attempt:
    """Post a callback once."""
    client = MerchantClient(Settings(**settings))  # type: ignore[arg-type]
    try:
        return await client.post(url, b"{}", 0)
    finally:
        await client.close()


@contextmanager
def one_port() -> Iterator[tuple[int, dict[str, socket.socket]]]:
    """A port with a socket at the loopback address of each IP protocol; neither listens."""
    for _ in range(50):
        with ExitStack() as stack:
            sockets = {
                "127.0.0.1": stack.enter_context(closing(socket.socket(socket.AF_INET))),
                "::1": stack.enter_context(closing(socket.socket(socket.AF_INET6))),
            }
            sockets["127.0.0.1"].bind(("127.0.0.1", 0))
            port = sockets["127.0.0.1"].getsockname()[1]
            try:
                sockets["::1"].bind(("::1", port))
            except OSError:  # another process has it
                continue
            yield port, sockets
            return


@pytest.mark.parametrize(("host", "called"), [("::1", "127.0.0.1"), ("127.0.0.1", "[::1]")])
async def test_a_shop_that_listens_on_one_ip_protocol_only_is_named(host: str, called: str) -> None:
    with one_port() as (port, sockets):
        sockets[host].listen()
        tried = await attempt(f"http://{called}:{port}/place")
    listens = f"[{host}]" if ":" in host else host
    assert tried.outcome == "refused"
    assert (tried.remedy or "").startswith(f"something listens on {listens}:{port}, but not on {called}:{port}")


@pytest.mark.parametrize(
    ("called", "host", "written"),
    [
        ("127.0.0.1", "::1", "[::1]"),
        ("[::1]", "127.0.0.1", "127.0.0.1"),
        ("localhost", "::1", "[::1]"),
        ("localhost", "127.0.0.1", "127.0.0.1"),
    ],
)
async def test_the_address_at_which_the_shop_listens_is_what_to_write(called: str, host: str, written: str) -> None:
    remedy = await Diagnosis(Only(host), is_alone_in_container=True).refused("K1", f"http://{called}:3000/place")
    assert remedy == (
        f"something listens on {written}:3000, but not on {called}:3000; "
        f"let the shop listen on both, or write {written} in the URL"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_closed_port_is_named(host: str) -> None:
    with one_port() as (port, _):
        tried = await attempt(f"http://{host}:{port}/place")
    assert (tried.outcome, tried.remedy) == (
        "refused",
        f"nobody listens on {host}:{port}; is the shop running there?",
    )


async def test_the_address_of_a_rewritten_host_is_named() -> None:
    with one_port() as (port, _):
        tried = await attempt("http://shop.test:80/", callback_host_rewrite=(f"shop.test=127.0.0.1:{port}",))
    assert f"nobody listens on 127.0.0.1:{port}" in (tried.remedy or "")


async def test_a_host_that_is_not_known_gets_a_remedy() -> None:
    tried = await attempt("http://no-such-shop.invalid/")
    assert (tried.outcome, (tried.error or "").partition(":")[0]) == ("unreachable", "the host is not known")
    assert "--callback-host-rewrite no-such-shop.invalid=127.0.0.1" in (tried.remedy or "")


@asynccontextmanager
async def tls_shop(folder: Path) -> AsyncIterator[int]:
    """A merchant that speaks TLS only and closes every connection; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*samples.files(folder, samples.server_pair("localhost")))

    async with await asyncio.start_server(
        lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context
    ) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_plain_url_where_tls_is_spoken_gets_a_remedy(tmp_path: Path) -> None:
    async with tls_shop(tmp_path) as port:
        tried = await attempt(f"http://localhost:{port}/place")
    assert (tried.outcome, tried.remedy) == ("broken", "TLS is spoken there: is it an https:// URL?")


async def test_a_url_of_the_sandbox_itself_is_named() -> None:
    async with emulator() as client:
        await buy(client, client.url)
        (entry,) = await calls(client, "place_order")
    assert entry["remedy"] == "this is mock-klarna itself, not the shop: the URL has the wrong port"


async def test_a_shop_that_is_not_allowed_is_not_probed() -> None:
    accepted: list[object] = []
    async with await asyncio.start_server(lambda *each: accepted.append(each), "::1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        tried = await attempt(f"http://127.0.0.1:{port}/", callback_deny=("::1",))
    assert (tried.outcome, accepted) == ("refused", [])


async def test_a_connection_can_be_tried_without_a_request(tmp_path: Path) -> None:
    client = MerchantClient(Settings())
    async with tls_shop(tmp_path) as port:
        assert await client.reach(f"http://localhost:{port}/") is None
    with one_port() as (port, _):
        assert await client.reach(f"http://127.0.0.1:{port}/") == (
            f"nobody listens on 127.0.0.1:{port}; is the shop running there?"
        )
    assert "no-such-shop.invalid" in str(await client.reach("http://no-such-shop.invalid/"))
    await client.close()
