"""Typical mistakes of shops: for each the cause stands where `serve` prints what happens, in words that name the fix."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from mock_klarna.client import Answer, Client
from tests.certificates import samples
from tests.merchants import shop as shops
from tests.merchants.pages import PAGE
from tests.merchants.processes import served
from tests.merchants.shop import ReceivedRequest, Shop, always

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]
Json = dict[str, Any]
BUTTONS, AUTHORIZATIONS, SDK = (f"/instantshopping/{part}" for part in ("v1/buttons", "v1/authorizations", "sdk"))


@dataclass
class Terminal:
    """What a server prints."""

    lines: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Read until the server ends."""
        while line := await stream.readline():
            async with self.changed:
                self.lines.append(line.decode().rstrip("\n"))
                self.changed.notify_all()

    async def shows(self, start: int, expected: tuple[str, ...]) -> None:
        """Wait until there are expected lines behind the first `start` ones, in this order."""
        async with self.changed:
            try:
                async with asyncio.timeout(60):
                    await self.changed.wait_for(lambda: _are_in_order(expected, self.lines[start:]))
            except TimeoutError:
                pytest.fail("\n".join(["expected", *expected, "printed", *self.lines[start:]]))


def _are_in_order(expected: tuple[str, ...], lines: list[str]) -> bool:
    """Return whether each expected line is the end of a line behind the one before; `…` stands for any text."""
    left = iter(lines)
    patterns = [".*".join(map(re.escape, text.split("…"))) + "$" for text in expected]
    return all(any(re.search(pattern, line) for line in left) for pattern in patterns)


@dataclass
class Merchant:
    """A merchant who makes mistakes; `folder` is for its files."""

    client: Client
    shop: Shop
    folder: Path

    async def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.client.send(method, path, body, headers=headers)

    async def create_button(self, shop: str | None = None, **urls: str) -> Any:
        shop = shop or self.shop.url
        urls = {"place_order": f"{shop}/place-order", "terms": f"{shop}/terms", **urls}
        return (await self.send("POST", BUTTONS, {"merchant_urls": urls})).body

    async def buy(self, shop: str | None = None, **options: Any) -> Any:
        await self.create_button(shop)
        return (await self.send("POST", "/_mock/purchases", {"page": PAGE, "wait": 0, **options})).body

    async def place(self, purchase: Json, **members: Any) -> Answer:
        path = f"{AUTHORIZATIONS}/{purchase['authorization_token']}/orders"
        return await self.send("POST", path, {**purchase["order"], **members})


Mistake = Callable[[Merchant], Awaitable[object]]


def with_line(**members: Any) -> Mistake:
    """Return the mistake of posting an order whose first line has wrong members."""

    async def place(merchant: Merchant) -> object:
        purchase = await merchant.buy()
        first, *others = purchase["order"]["order_lines"]
        return await merchant.place(purchase, order_lines=[{**first, **members}, *others])

    return place


def with_answer(status: int, body: bytes = b"", advance: int = 0) -> Mistake:
    """Return the mistake of answering `place_order` without placing; then the clock moves by so many seconds."""

    async def answer(merchant: Merchant) -> None:
        merchant.shop.answers["/place-order"] = always(status, body)
        await waited_for(merchant, await merchant.buy())
        if advance:
            await merchant.send("POST", "/_mock/clock", {"advance": advance})

    return answer


async def wrong_locale(merchant: Merchant) -> object:
    return await merchant.place(await merchant.buy(), locale="swedish")


async def wrong_key_in_the_page(merchant: Merchant) -> object:
    options = {**PAGE, "setup": {"key": "abc", "environment": "playground", "region": "eu"}}
    return await merchant.send("POST", f"{SDK}/load", {"options": options}, {})


async def wrong_key_in_a_test(merchant: Merchant) -> object:
    return await merchant.buy(button_key="abc")


async def wrong_password(merchant: Merchant) -> object:
    merchant.client = merchant.client.as_merchant(merchant.client.merchant, "wrong")
    return await merchant.create_button()


async def no_password(merchant: Merchant) -> object:
    return await merchant.send("GET", f"{BUTTONS}/abc", headers={"Authorization": "Basic SzE6"})


async def no_credentials(merchant: Merchant) -> object:
    return await merchant.send("GET", f"{BUTTONS}/abc", headers={"Authorization": ""})


async def token_of_another_merchant(merchant: Merchant) -> object:
    purchase = await merchant.buy()
    merchant.client = merchant.client.as_merchant("another", "secret")
    return await merchant.place(purchase)


async def wrong_content_type(merchant: Merchant) -> object:
    return await merchant.send("POST", BUTTONS, {}, {"Content-Type": "text/plain"})


async def closed_port(merchant: Merchant) -> object:
    with closed("127.0.0.1") as port:
        return await waited_for(merchant, await merchant.buy(f"http://127.0.0.1:{port}"))


async def ipv6_only(merchant: Merchant) -> object:
    with closed("127.0.0.1") as port, socket.create_server(("::1", port), family=socket.AF_INET6):
        return await waited_for(merchant, await merchant.buy(f"http://127.0.0.1:{port}"))


async def untrusted_shop(merchant: Merchant) -> object:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*samples.files(merchant.folder, samples.server_pair("localhost")))
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await waited_for(merchant, await merchant.buy(f"https://localhost:{port}"))


async def untrusted_server(merchant: Merchant) -> None:
    def connect() -> None:
        url = urlsplit(merchant.client.url)
        with socket.create_connection((url.hostname, url.port)) as plain, suppress(ssl.SSLError):
            ssl.create_default_context().wrap_socket(plain, server_hostname=url.hostname)

    await asyncio.to_thread(connect)


async def waited_for(merchant: Merchant, purchase: Json) -> Answer:
    """Wait until a callback of a purchase was tried."""
    path = f"/_mock/journal?purchase_id={purchase['purchase_id']}&kind=callback&wait=60"
    return await merchant.send("GET", path)


@contextmanager
def closed(host: str) -> Iterator[int]:
    """Give a port at which nobody listens, and that nobody else gets."""
    with socket.socket() as reserved:
        reserved.bind((host, 0))
        yield reserved.getsockname()[1]


async def answer_after_20_seconds(merchant: Merchant) -> object:
    """The server of this mistake waits for a shorter time."""

    async def never(_request: ReceivedRequest) -> tuple[int, bytes]:
        await asyncio.Event().wait()
        return 200, b""

    merchant.shop.answers["/place-order"] = never
    return await waited_for(merchant, await merchant.buy())


async def deny_after_placing(merchant: Merchant) -> object:
    purchase = await merchant.buy()
    await merchant.place(purchase)
    return await merchant.send("DELETE", f"{AUTHORIZATIONS}/{purchase['authorization_token']}", {"deny_code": "other"})


async def post_twice(merchant: Merchant) -> object:
    purchase = await merchant.buy()
    await merchant.place(purchase)
    return await merchant.place(purchase)


async def post_twice_changed(merchant: Merchant) -> object:
    purchase = await merchant.buy()
    await merchant.place(purchase)
    return await merchant.place(purchase, merchant_reference1="changed")


async def no_terms(merchant: Merchant) -> object:
    await merchant.send("POST", BUTTONS, {"merchant_urls": {"place_order": f"{merchant.shop.url}/place-order"}})
    page = {name: value for name, value in PAGE.items() if name != "merchant_urls"}
    return await merchant.send("POST", "/_mock/purchases", {"page": page, "wait": 0})


async def http_on_a_public_host(merchant: Merchant) -> object:
    return await merchant.create_button("http://shop.example.com")


async def wrong_path(merchant: Merchant) -> object:
    return await merchant.send("POST", "/instantshopping/v1/authorization/abc/orders", {})


async def missing_container(merchant: Merchant) -> object:
    button = await merchant.create_button()
    message = 'the page has no <klarna-instant-shopping data-instance-id="1">, only the ids ["2"]'
    report = {"message": message, "key": button["button_key"], "page_url": "http://localhost:3000/product"}
    return await merchant.send("POST", f"{SDK}/problems", report, {})


MISTAKES: dict[str, tuple[Mistake, *tuple[str, ...]]] = {
    "tax of a line": (
        with_line(total_tax_amount=25),
        "POST /instantshopping/v1/authorizations/…/orders → 400 in …s",
        (
            "order_lines[0].total_tax_amount [line_tax]: sent 25, expected 23800 (23799 to 23801) (119000 − "  # noqa: RUF001
            "119000×10000/(10000+2500) = 23800)"  # noqa: RUF001
        ),
    ),
    "tax rate": (
        with_line(tax_rate=25),
        "POST /instantshopping/v1/authorizations/…/orders → 400 in …s",
        (
            "order_lines[0].total_tax_amount [line_tax]: sent 23800, expected 297 (296 to 297); tax_rate 25 means 0.25 %, "
            "25 % is 2500 (119000 − 119000×10000/(10000+25) = 296.76)…"  # noqa: RUF001
        ),
    ),
    "locale": (
        wrong_locale,
        "POST /instantshopping/v1/authorizations/…/orders → 400 in …s",
        "locale [pattern]: sent 'swedish', expected a language and a country such as sv-SE",
    ),
    "key in the page": (
        wrong_key_in_the_page,
        "page → Klarna  POST /instantshopping/sdk/load → 200 in …s",
        "setup.key [known]: sent 'abc', expected a key that POST /instantshopping/v1/buttons of this server has answered",
    ),
    "key in a test": (
        wrong_key_in_a_test,
        "client → mock  POST /_mock/purchases → 404 in …s",
        "button_key: button key 'abc' is not known",
        "create one with POST /instantshopping/v1/buttons",
    ),
    "no password": (
        no_password,
        "GET /instantshopping/v1/buttons/abc → 401 in …s",
        (
            "the password is empty; any HTTP Basic credentials with a username and a password work here, for "
            "example user PK00000_test with password test: the username is the merchant"
        ),
    ),
    "no credentials": (
        no_credentials,
        "GET /instantshopping/v1/buttons/abc → 401 in …s",
        (
            "any HTTP Basic credentials with a username and a password work here, for example user PK00000_test "
            "with password test: the username is the merchant"
        ),
    ),
    "token of another merchant": (
        token_of_another_merchant,
        "answers another 403: token … is another merchant's",
        "another → Klarna  POST /instantshopping/v1/authorizations/…/orders → 403 in …s",
        "authorization_token belongs to merchant 'token-of-another-merchant', and this request is from 'another'",
    ),
    "content type": (
        wrong_content_type,
        "POST /instantshopping/v1/buttons → 415 in …s",
        "Content-Type is 'text/plain'; send application/json",
    ),
    "path of Klarna": (
        wrong_path,
        "POST /instantshopping/v1/authorization/abc/orders → 404 in …s",
        (
            "no route for /instantshopping/v1/authorization/abc/orders; Klarna's paths begin with "
            "…/instantshopping/v1/authorizations, …"
        ),
    ),
    "closed port": (
        closed_port,
        "place_order at http://127.0.0.1:…/place-order fails: refused",
        "nobody listens on 127.0.0.1:…; is the shop running there?",
    ),
    "shop that listens on IPv6 only": (
        ipv6_only,
        "place_order at http://127.0.0.1:…/place-order fails: refused",
        "something listens on [::1]:…, but not on 127.0.0.1:…; let the shop listen on both, or write [::1] in the URL",
    ),
    "certificate of the shop": (
        untrusted_shop,
        "place_order at https://localhost:…/place-order fails: untrusted",
        "the site's certificate is not accepted: …",
        "start with --callback-ca FILE, the certificate of its issuer in PEM, or with --callback-insecure",
    ),
    "shop that answers 404": (
        with_answer(404),
        "answers place_order at http://127.0.0.1:…/place-order with 404 after …s",
        "is the path of the URL right?",
    ),
    "shop that answers 500": (
        with_answer(500, b"<h1>Fatal error</h1>"),
        "answers place_order at http://127.0.0.1:…/place-order with 500 after …s",
        "the shop's log says why",
    ),
    "shop that answers 200 and does not place": (
        with_answer(200, advance=61),
        "answers place_order with 200 after …s",
        "gives up after 1 min, timed out: the shop never placed or denied it",
        "place it within this time with POST /instantshopping/v1/authorizations/TOKEN/orders, or deny it",
    ),
    "denial after placing": (
        deny_after_placing,
        "DELETE /instantshopping/v1/authorizations/… → 403 in …s",
        "authorization_token already used: the purchase is placed",
    ),
    "order that is posted twice": (
        post_twice,
        "places order …: 1,240.00, ACCEPTED",
        "POST …/orders → 200 in …s: order …, 1,240.00 SEK, ACCEPTED",
        "POST …/orders → 200 in …s: order …, 1,240.00 SEK, ACCEPTED",
    ),
    "order that is posted twice and changed": (
        post_twice_changed,
        "POST /instantshopping/v1/authorizations/…/orders → 403 in …s",
        "authorization_token already used: the order was placed with a different body",
    ),
    "no terms": (
        no_terms,
        "client → mock  POST /_mock/purchases → 400 in …s",
        "merchant_urls.terms [required]: missing, expected …",
    ),
    "http on a public host": (
        http_on_a_public_host,
        "POST /instantshopping/v1/buttons → 400 in …s",
        (
            "merchant_urls.place_order [url]: sent 'http://shop.example.com/place-order', expected an absolute "
            "https URL of at most 2000 characters; http is accepted for loopback and private hosts"
        ),
    ),
    "container that is missing, or has another instance id": (
        missing_container,
        "page → Klarna  POST …/problems → 200 in …s",
        'http://localhost:3000/product: the page has no <klarna-instant-shopping data-instance-id="1">, only the ids ["2"]',
    ),
}
"""For each mistake: how it is made, and what is printed. `…` stands for any text."""
MISTAKES_OF_K1: dict[str, tuple[Mistake, *tuple[str, ...]]] = {
    "wrong password": (
        wrong_password,
        "POST /instantshopping/v1/buttons → 401 in …s",
        (
            "the credentials of 'K1' are not accepted; this server accepts HTTP Basic for K1, each with the "
            "password that --credentials gave it"
        ),
    ),
    "shop that answers after the timeout": (
        answer_after_20_seconds,
        "place_order at http://127.0.0.1:…/place-order fails: timed_out",
        "no complete answer within 0.05 s",
    ),
}
"""Those of the server with `--credentials K1:secret --callback-timeout 0.05`."""


MISTAKES_WITH_TLS: dict[str, tuple[Mistake, *tuple[str, ...]]] = {
    "authority that the client does not trust": (
        untrusted_server,
        (
            "warning: a client does not trust the certificate of this server (unknown ca): `mock-klarna ca --recipes` says how "
            "it can trust it"
        ),
    ),
}
"""Those of the server with `--tls`."""


@asynccontextmanager
async def server_with_terminal(*flags: str) -> AsyncIterator[tuple[str, Terminal]]:
    """Run a server; gives its address and what it prints."""
    async with served(*flags) as server:
        terminal = Terminal()
        assert server.process.stderr is not None
        reading = asyncio.create_task(terminal.read(server.process.stderr))
        try:
            yield server.url, terminal
        finally:
            await server.stopped()
            await reading


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[tuple[str, Terminal]]:
    async with server_with_terminal() as started:
        yield started


async def make(
    mistake: Mistake, url: str, terminal: Terminal, name: str, folder: Path, expected: tuple[str, ...]
) -> None:
    start = len(terminal.lines)
    async with shops.opened() as shop, Client(url, name, "secret") as client:
        await mistake(Merchant(client, shop, folder))
        await terminal.shows(start, expected)


@pytest.mark.parametrize("name", MISTAKES)
async def test_the_cause_of_a_mistake_is_printed(server: tuple[str, Terminal], name: str, tmp_path: Path) -> None:
    mistake, *expected = MISTAKES[name]
    await make(mistake, *server, name.replace(" ", "-"), tmp_path, tuple(expected))


async def test_the_causes_of_mistakes_with_other_settings_are_printed(tmp_path: Path) -> None:
    async with server_with_terminal("--credentials", "K1:secret", "--callback-timeout", "0.05") as server:
        for mistake, *expected in MISTAKES_OF_K1.values():
            await make(mistake, *server, "K1", tmp_path, tuple(expected))
    async with server_with_terminal("--tls", "--tls-port", "0") as server:
        for mistake, *expected in MISTAKES_WITH_TLS.values():
            await make(mistake, *server, "K1", tmp_path, tuple(expected))


REQUEST = b" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic SzE6eA==\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /_mock/health HTTP/1.1\r\nHo",
        b"GET /_mock/journal?name=order_closed&wait=60" + REQUEST + b"\r\n",
        b"GET /_mock/events" + REQUEST + b"\r\n",
        b"POST /instantshopping/v1/buttons" + REQUEST + b"Content-Length: 99\r\n\r\n{",
        b"POST /_mock/purchases" + REQUEST + b"Content-Length: 99\r\n\r\n{",
        b"POST /instantshopping/sdk/load" + REQUEST + b"Content-Length: 99\r\n\r\n{",
    ],
    ids=["connection", "headers", "waiting", "events", "body", "body to the control API", "body of a page"],
)
async def test_a_client_that_goes_is_no_error(server: tuple[str, Terminal], sent: bytes) -> None:
    url, terminal = server
    start = len(terminal.lines)
    async with Client(url, "last", "secret") as client:
        parts = urlsplit(url)
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(sent)
        await writer.drain()
        await client.send("GET", "/_mock/health")  # by now the server has read the request
        writer.transport.abort()
        await client.send("POST", BUTTONS, {"merchant_urls": {"place_order": "http://localhost/x"}})
        await terminal.shows(start, ("POST /instantshopping/v1/buttons → 201 in …",))
    text = "\n".join(terminal.lines[start:])
    assert not re.search(r"→ [45]|warning:|error:|Traceback", text), text
