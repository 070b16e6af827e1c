"""A shop on an origin of its own: pages, and a merchant that places or denies orders."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Json = dict[str, Any]
Decide = Callable[[Json], None]


def _ignore(_callback: Json) -> None:
    """Neither place nor deny."""


@dataclass
class Shop:
    """Pages by path, what happens when `place_order` is called, and answers by path; `url` is the shop's origin."""

    url: str = ""
    decide: Decide = _ignore
    callbacks: list[Json] = field(default_factory=list)
    answers: Json = field(default_factory=dict)
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def show(self, html: str, path: str = "/product", **headers: str) -> str:
        """Serve a page and return its address; headers are given with underscores."""
        self.pages[path] = (html, {name.replace("_", "-"): value for name, value in headers.items()})
        return self.url + path

    @property
    def merchant_urls(self) -> dict[str, str]:
        """The URLs that a button key of this shop has."""
        return {name: f"{self.url}/{name}" for name in ("place_order", "terms", "confirmation")}


class _Server(ThreadingHTTPServer):
    request_queue_size = 100  # a browser opens more connections than it uses


@contextmanager
def opened() -> Iterator[Shop]:
    """Open a shop on a port of its own."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            known = {"/terms", "/confirmation", "/sorry"}
            html, headers = shop.pages.get(path, (f"<h1>{path[1:]}</h1>", {}))
            self._answer(200 if path in shop.pages or path in known else 204, html, headers)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            shop.callbacks.append(body)
            if self.path == "/place_order":
                shop.decide(body)
            self._answer(200, json.dumps(shop.answers.get(self.path, {})), {"Content-Type": "application/json"})

        def _answer(self, status: int, text: str, headers: dict[str, str]) -> None:
            body = text.encode() if status != 204 else b""
            self.send_response(status)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        shop.url = f"http://localhost:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield shop
        finally:
            server.shutdown()
            thread.join()
