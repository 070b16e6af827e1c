"""Every command of the fixtures, with a loop and without, against a shop in another thread."""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar, assert_type

import pytest

from mock_klarna.api import Client, Commands, MockKlarna, MockKlarnaAsync
from mock_klarna.errors import MockKlarnaError, Unreachable
from mock_klarna.web.operations import OPERATIONS

Json = dict[str, Any]
Page = Callable[[str], Any]


class Shop(BaseHTTPRequestHandler):
    """Keeps what it is sent and answers 200."""

    received: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.received.append((self.path, self.rfile.read(length)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run a server with a handler; gives its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def shop() -> Iterator[str]:
    Shop.received.clear()
    with served(Shop) as url:
        yield url


def urls(shop: str) -> dict[str, str]:
    return {name: f"{shop}/{name}" for name in ("place_order", "terms", "confirmation", "push", "notification")}


def test_a_pending_purchase_from_the_button_to_the_end_of_its_review(
    mock_klarna: MockKlarna, shop: str, page: Page
) -> None:
    key = mock_klarna.create_button(merchant_urls=urls(shop))["button_key"]
    bought = mock_klarna.purchase(page=page("se-battery-pack"), outcome="PENDING", wait=0)
    mock_klarna.wait_for("place_order", within=60)
    ((path, body),) = Shop.received
    sent = json.loads(body)
    assert (path, sent["button_key"]) == ("/place_order", key)
    token = sent["authorization_token"]
    assert mock_klarna.get_authorization(token) == sent["order"]
    order_id = mock_klarna.create_order(token, sent["order"])["order_id"]
    assert mock_klarna.find_purchase(bought["purchase_id"], wait=60)["state"] == "placed"
    assert mock_klarna.decide(order_id, "ACCEPTED")["fraud_status"] == "ACCEPTED"
    assert mock_klarna.find_order(order_id)["fraud_status"] == "ACCEPTED"
    mock_klarna.wait_for("notification", within=60)
    assert json.loads(Shop.received[-1][1])["event_type"] == "FRAUD_RISK_ACCEPTED"
    mock_klarna.advance_clock("5m")
    assert Shop.received[-1] == ("/push", b"")
    assert [callback["kind"] for callback in mock_klarna.callbacks()] == ["push", "notification", "place_order"]
    (again,) = mock_klarna.callbacks(purchase_id=bought["purchase_id"], limit=1)
    assert len(mock_klarna.resend(again["callback_id"])["attempts"]) == len(again["attempts"]) + 1
    token = "11111111-2222-4333-8444-555555555555"
    forged = mock_klarna.forge_callback(bought["purchase_id"], authorization_token=token)
    assert forged["request_body"]["authorization_token"] == token
    assert mock_klarna.forge_callback(bought["purchase_id"])["request_body"]["authorization_token"] != token


def test_the_rest_of_the_commands(mock_klarna: MockKlarna, shop: str, page: Page) -> None:
    key = mock_klarna.create_button(merchant_urls=urls(shop))["button_key"]
    assert mock_klarna.update_button(key, name="Summer")["name"] == mock_klarna.get_button(key)["name"] == "Summer"
    bought = mock_klarna.purchase(page=page("us-battery-pack"), shopper="us-approved", wait=0)
    mock_klarna.deny_authorization(bought["authorization_token"], deny_code="address_error")
    assert [purchase["state"] for purchase in mock_klarna.purchases(limit=5)] == ["denied"]
    assert assert_type(mock_klarna.export_html(bought["purchase_id"]), str).startswith("<!doctype html>")
    archived = assert_type(mock_klarna.export_har(bought["purchase_id"]), dict[str, Any])["log"]["entries"]
    assert {entry["comment"] for entry in archived} >= {"deny_authorization"}
    kept = mock_klarna.snapshot()
    mock_klarna.reset(seed=7)
    assert mock_klarna.purchases() == []
    mock_klarna.load_snapshot(kept)
    assert len(mock_klarna.purchases()) == 1
    mock_klarna.set_clock("2030-01-01T00:00:00Z")
    assert mock_klarna.clock()["now"].startswith("2030-01-01T00:00")
    mock_klarna.fault("request", operation="get_button", status=503)
    assert len(mock_klarna.faults()) == 1
    mock_klarna.clear_faults()
    assert mock_klarna.faults() == []
    assert {shopper["billing_address"]["country"] for shopper in mock_klarna.shoppers("DE")} == {"DE"}


async def test_the_same_commands_with_a_loop(mock_klarna_async: MockKlarnaAsync, shop: str, page: Page) -> None:
    await mock_klarna_async.create_button(merchant_urls=urls(shop))
    bought = await mock_klarna_async.purchase(page=page("se-battery-pack"), wait=0)
    entry = await mock_klarna_async.wait_for("place_order", purchase_id=bought["purchase_id"], within=60)
    assert entry["outcome"] == "answered"
    answer = await mock_klarna_async.send(
        "DELETE", f"/instantshopping/v1/authorizations/{bought['authorization_token']}"
    )
    assert (answer.status, answer.body) == (204, None)
    assert (await mock_klarna_async.journal(kind="event"))[-1]["name"] == "purchase_denied"
    assert assert_type(await mock_klarna_async.export_html(bought["purchase_id"]), str).startswith("<!doctype html>")


def test_a_client_uses_a_sandbox_that_runs_already_and_leaves_its_state(mock_klarna: MockKlarna, shop: str) -> None:
    with Client(f"{mock_klarna.url}/", *mock_klarna.credentials) as client:
        key = client.create_button(merchant_urls=urls(shop))["button_key"]
        other = client.as_merchant("K456")
        assert (client.url, client.tls_url, client.merchant) == (mock_klarna.url, None, mock_klarna.merchant)
        assert other.journal() == []
    assert mock_klarna.get_button(key)["button_key"] == key
    client.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1", "Connection refused"),
        ("127.0.0.1:8080", "this is not the URL of a server; give http://HOST:PORT"),
        ("localhost:8080", "this is not the URL of a server; give http://HOST:PORT"),
    ],
)
def test_a_client_without_an_answer_says_why(url: str, reason: str) -> None:
    with Client(url) as client, pytest.raises(Unreachable) as unreachable:
        client.clock()
    assert str(unreachable.value) == f"no answer from {url}: {reason}"


def test_type_checkers_know_what_commands_give(mock_klarna: MockKlarna) -> None:
    assert_type(mock_klarna.clock(), dict[str, Any])
    assert_type(mock_klarna.journal(), list[dict[str, Any]])
    assert_type(mock_klarna.clear_faults, Callable[[], None])


async def test_type_checkers_know_what_awaited_commands_give(mock_klarna_async: MockKlarnaAsync) -> None:
    assert_type(await mock_klarna_async.clock(), dict[str, Any])
    assert_type(await mock_klarna_async.journal(), list[dict[str, Any]])
    assert_type(mock_klarna_async.clear_faults, Callable[[], Awaitable[None]])


def test_a_merchant_whose_credentials_would_be_those_of_another_one_is_refused(mock_klarna: MockKlarna) -> None:
    with pytest.raises(MockKlarnaError, match=r"^merchant: 'shop:1' contains a colon, at which a username ends"):
        mock_klarna.as_merchant("shop:1")


def test_a_refusal_is_raised_with_its_place(mock_klarna: MockKlarna) -> None:
    with pytest.raises(MockKlarnaError, match="bad_value:merchant_urls"):
        mock_klarna.create_button(name="no urls")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"errors": [{"message": "no such route"}]}, "HTTP 404"),
        ({"errors": {"path": ["is wrong"]}, "detail": ["no", "route"]}, "['no', 'route']"),
        ({"error_messages": "no such route"}, "HTTP 404"),
        ({"error_messages": [{"code": 7}]}, "{'code': 7}"),
        ({"errors": None, "hint": None, "where": 5, "detail": "no route"}, "no route"),
    ],
)
def test_a_refusal_of_another_server_is_raised_with_what_it_says(body: Json, text: str) -> None:
    class Refusal(Shop):
        def do_GET(self) -> None:
            content = json.dumps(body).encode()
            self.send_response(404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with served(Refusal) as url, Client(url) as client, pytest.raises(MockKlarnaError) as raised:
        client.clock()
    assert raised.value.message == f"GET /_mock/clock: {text}"


def test_a_refusal_of_klarna_is_raised_with_every_problem(mock_klarna: MockKlarna, shop: str, page: Page) -> None:
    mock_klarna.create_button(merchant_urls=urls(shop))
    bought = mock_klarna.purchase(page=page("se-battery-pack"), wait=0)
    order = {**bought["order"], "locale": "Swedish", "purchase_country": "Sweden"}
    with pytest.raises(MockKlarnaError) as refusal:
        mock_klarna.create_order(bought["authorization_token"], order)
    first, *lines = str(refusal.value).splitlines()
    assert first.endswith("/orders: bad_value:purchase_country")
    assert {line.split()[0] for line in lines} == {"purchase_country", "locale"}
    assert "  locale [pattern]: sent 'Swedish', expected a language and a country such as sv-SE" in lines
    assert len(refusal.value.problems) == len(lines)


def test_a_refusal_of_the_sandbox_is_raised_with_every_problem(mock_klarna: MockKlarna) -> None:
    with pytest.raises(MockKlarnaError, match=r"(?s)delay \[.*sent 'soon'.*on \[.*sent 'nothing'"):
        mock_klarna.fault("nothing", delay="soon")


def test_a_refusal_with_one_problem_is_one_sentence(mock_klarna: MockKlarna) -> None:
    with pytest.raises(MockKlarnaError, match=f"{mock_klarna.merchant}' has no button key yet; create one") as refusal:
        mock_klarna.purchase(page={})
    assert "\n" not in str(refusal.value)


def test_what_does_not_happen_is_named(mock_klarna: MockKlarna) -> None:
    with pytest.raises(AssertionError, match="the journal has no purchase_placed yet"):
        mock_klarna.wait_for("purchase_placed", within=0)


def test_waiting_goes_on_after_an_entry(mock_klarna: MockKlarna) -> None:
    mock_klarna.advance_clock(1)
    mock_klarna.advance_clock(2)
    first = mock_klarna.wait_for("clock_moved", within=60)
    assert mock_klarna.wait_for("clock_moved", after=first["seq"])["seconds"] == pytest.approx(3, abs=0.5)


def test_the_credentials_come_in_the_forms_that_clients_take(mock_klarna: MockKlarna) -> None:
    scheme, token = mock_klarna.authorization.split()
    assert scheme == "Basic"
    assert base64.b64decode(token).decode() == ":".join(mock_klarna.credentials)
    assert mock_klarna.credentials[0] == mock_klarna.merchant


class Recorder(Commands[None, None, None, None]):
    """Notes what would be sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def _request(self, method: str, path: str, body: Any = None, then: Any = None) -> None:
        self.sent.append((method, path.partition("?")[0]))


ARGUMENTS = {
    "get_button": 1, "update_button": 1, "get_authorization": 1, "create_order": 2, "deny_authorization": 1,
    "find_purchase": 1, "wait_for": 1, "resend": 1, "forge_callback": 1,
    "find_order": 1, "decide": 2, "advance_clock": 1, "set_clock": 1,
    "export_har": 1, "export_html": 1,
    "fault": 1, "load_snapshot": 1, "managed_order": 1, "acknowledge": 1, "capture": 2, "refund": 2, "cancel": 1,
    "release_remaining_authorization": 1, "extend_authorization_time": 1, "update_order_authorization": 2,
    "create_token": 1, "get_token": 1, "order_from_token": 2, "cancel_token": 1,
    "save_snapshot": 1, "fork_snapshot": 2, "delete_snapshot": 1,
}  # fmt: skip


def test_every_command_asks_for_something_that_is_served() -> None:
    recorder = Recorder()
    for name in dir(Commands):
        if callable(getattr(Commands, name)) and not name.startswith("_"):
            getattr(recorder, name)(*["x"] * ARGUMENTS.get(name, 0))
    served = [(row.method, _pattern(row.path)) for row in OPERATIONS]
    assert len(recorder.sent) > 20
    for verb, path in recorder.sent:
        assert any(verb == method and pattern.fullmatch(path) for method, pattern in served), path


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
