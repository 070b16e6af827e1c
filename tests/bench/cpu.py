"""CPU time of the server per request: other processes of the machine disturb it less than they disturb rates and latencies."""

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from itertools import islice
from threading import Thread

import orjson

from tests.bench import processes, state

ROUNDS = 7
_CONNECTIONS = 8
"""As many requests are sent before the first answer is read."""
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report: microseconds of CPU time per request, and what the request costs beyond the bare handler."""

    name: str
    microseconds: float
    beyond_bare: float | None = None

    def __str__(self) -> str:
        """Return the line in Markdown."""
        beyond = "" if self.beyond_bare is None else f"{self.beyond_bare:.0f}"
        return f"| {self.name} | {self.microseconds:.0f} | {beyond} |"


def measure(requests: int, loop: str) -> Iterator[Row]:
    """Yield the rows of the report; `requests` is the number in each round, `loop` is that of both servers."""
    bare_port, port = processes.free_port(), processes.free_port()
    with ExitStack() as stack:
        bare = stack.enter_context(processes.process(*processes.bare(bare_port, loop), given=state.authorized_order()))
        ours = stack.enter_context(processes.process(*processes.emulator(port, loop)))
        merchant = stack.enter_context(_merchant())
        to_bare, to_ours = Load(bare_port, stack), Load(port, stack)
        tokens = state.tokens(requests * ROUNDS)
        snapshot = state.snapshot(len(tokens), time.time())
        to_ours.send([state.request("PUT", "/_mock/snapshot", snapshot)])

        gets = [state.request("GET", f"{state.AUTHORIZATIONS}/{token}") for token in tokens]
        bare_get, get = _compare(requests, (bare.pid, to_bare, gets), (ours.pid, to_ours, gets))
        yield Row("GET authorization, bare handler", bare_get)
        yield Row("GET authorization", get, get - bare_get)

        order = state.order()
        posts = [state.request("POST", f"{state.AUTHORIZATIONS}/{token}/orders", order) for token in tokens]
        bare_post, post = _compare(requests, (bare.pid, to_bare, posts), (ours.pid, to_ours, posts))
        yield Row("POST orders, bare handler", bare_post)
        yield Row("POST orders", post, post - bare_post)

        to_ours.send([state.request("POST", state.BUTTONS, orjson.dumps({"merchant_urls": merchant.urls}))])
        purchases = [state.request("POST", "/_mock/purchases", state.purchase(wait=0))] * (requests * ROUNDS // 4)
        purchase = _purchases(ours.pid, to_ours, purchases, merchant)
        yield Row("a purchase with wait 0, with its callback to the merchant", purchase, purchase - bare_post)


class Load:
    """Connections to a server that stay open, for requests in small batches."""

    def __init__(self, port: int, stack: ExitStack) -> None:
        self._connections: list[tuple[socket.socket, BufferedReader]] = []
        for _ in range(_CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            self._connections.append((connection, stack.enter_context(connection.makefile("rb"))))

    def send(self, requests: Iterable[bytes]) -> None:
        """Send requests; raises RuntimeError for an answer that is not 2xx."""
        rest = iter(requests)
        while batch := list(islice(rest, _CONNECTIONS)):
            for (connection, _), request in zip(self._connections, batch, strict=False):
                connection.sendall(request)
            for (_, answer), _ in zip(self._connections, batch, strict=False):
                _require_success(answer)


def _require_success(answer: BufferedReader) -> None:
    """Read one answer to its end."""
    status, length = answer.readline(), 0
    while (line := answer.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = answer.read(length)
    if not status.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"{status.decode().strip()}: {body.decode()[:500]}")


def _compare(requests: int, *servers: tuple[int, Load, list[bytes]]) -> list[float]:
    """Return the least microseconds per request of each server, since other processes only add to it; each round loads both."""
    measured: list[list[float]] = [[] for _ in servers]
    for number in range(ROUNDS):
        for (pid, load, prepared), times in zip(servers, measured, strict=True):
            before = processes.cpu_seconds(pid)
            load.send(prepared[number * requests : (number + 1) * requests])
            times.append((processes.cpu_seconds(pid) - before) / requests * 1e6)
    return [min(times) for times in measured]


def _purchases(pid: int, load: Load, requests: list[bytes], merchant: "Merchant") -> float:
    """Return the least microseconds per purchase, each until the merchant has answered its callback."""
    times, size = [], len(requests) // ROUNDS
    for _ in range(ROUNDS):
        before, called = processes.cpu_seconds(pid), merchant.called
        load.send(requests[:size])
        merchant.wait_for(called + size)
        times.append((processes.cpu_seconds(pid) - before) / size * 1e6)
    return min(times)


class Merchant(ThreadingHTTPServer):
    """A merchant that answers 200 to every callback and counts them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.called = 0
        url = f"http://127.0.0.1:{self.server_port}"
        self.urls = {name: f"{url}/{name}" for name in ("place_order", "terms", "confirmation")}

    def wait_for(self, called: int) -> None:
        """Wait until so many callbacks have arrived; raises RuntimeError when they do not."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.called < called:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.called} callbacks arrived instead of {called}")
            time.sleep(0.01)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        assert isinstance(self.server, Merchant)
        self.server.called += 1


@contextmanager
def _merchant() -> Iterator[Merchant]:
    with Merchant() as merchant:
        Thread(target=merchant.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield merchant
        merchant.shutdown()
