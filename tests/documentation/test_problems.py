"""The symptoms of `docs/problems.md` are those that the mistakes of a shop have."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mock_klarna import Settings, serve_in_thread
from tests.documentation import curl
from tests.documentation.pages import ROOT

PAGE = (ROOT / "docs" / "problems.md").read_text("utf-8")
TEA = {
    "name": "Tea",
    "quantity": 1,
    "unit_price": 9000,
    "total_amount": 9000,
    "tax_rate": 2500,
    "total_tax_amount": 1800,
}


@pytest.fixture(scope="module")
def klarna() -> Iterator[str]:
    """A server."""
    with serve_in_thread(Settings(port=0, callback_timeout=60)) as server:
        yield server.url


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """A shop that answers `/404` with 404, and so on, and `/never` not at all."""
    ended = threading.Event()

    class Shop(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path == "/never":
                ended.wait()
                return
            self.send_response(int(self.path[1:]))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        ended.set()
        server.shutdown()
        thread.join()


def refused(answer: tuple[int, dict[str, str], Any]) -> tuple[int, str]:
    """Return status and message of a refusal, in either form of errors."""
    status, _, body = answer
    return status, body.get("error_message") or body["detail"]


def button(klarna: str, place_order: str, **options: Any) -> tuple[int, dict[str, str], Any]:
    urls = {"place_order": place_order, "terms": "http://localhost/terms"}
    return curl.requested("POST", f"{klarna}/instantshopping/v1/buttons", {"merchant_urls": urls, **options})


def bought(klarna: str, place_order: str) -> Any:
    """Return a purchase with a key of its own, once its callback has been answered or has failed."""
    wanted = {"button_key": button(klarna, place_order)[2]["button_key"], "cart": "se-battery-pack", "wait": 0}
    purchase = curl.requested("POST", f"{klarna}/_mock/purchases", wanted)[2]
    while not purchase["callbacks"] or not purchase["callbacks"][0]["attempts"]:
        purchase = curl.requested("GET", f"{klarna}/_mock/purchases/{purchase['purchase_id']}")[2]
    return purchase


def order_of(klarna: str, purchase: Any, user: str = "K123:secret", **changed: Any) -> tuple[int, dict[str, str], Any]:
    path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
    return curl.requested("POST", klarna + path, {**purchase["order"], **changed}, user)


def placed(klarna: str, shop: str) -> Any:
    purchase = bought(klarna, f"{shop}/200")
    assert order_of(klarna, purchase)[0] == 200
    return purchase


def denied_after_placing(klarna: str, shop: str) -> tuple[int, dict[str, str], Any]:
    token = placed(klarna, shop)["authorization_token"]
    return curl.requested("DELETE", f"{klarna}/instantshopping/v1/authorizations/{token}", {"deny_code": "other"})


def wrong_order(klarna: str, shop: str) -> tuple[int, dict[str, str], Any]:
    purchase = bought(klarna, f"{shop}/200")
    line, *others = purchase["order"]["order_lines"]
    return order_of(klarna, purchase, order_lines=[{**line, "tax_rate": 25}, *others])


BUTTONS = "/instantshopping/v1/buttons"
REFUSALS: dict[str, tuple[Callable[[str, str], Any], int, str]] = {
    "another merchant's token": (
        lambda url, shop: order_of(url, bought(url, f"{shop}/200"), "K999:x"),
        403,
        "authorization_token belongs to merchant",
    ),
    "placed twice, changed": (
        lambda url, shop: order_of(url, placed(url, shop), merchant_reference1="B"),
        403,
        "the order was placed with a different body",
    ),
    "denied after placing": (denied_after_placing, 403, "the purchase is placed"),
    "a wrong path": (lambda url, _: curl.requested("POST", f"{url}/klarna{BUTTONS}", {}), 404, "no route for"),
    "an unknown key": (
        lambda url, _: curl.requested(
            "POST", f"{url}/_mock/purchases", {"button_key": "nope", "cart": "se-battery-pack"}
        ),
        404,
        "button key 'nope' is not known",
    ),
    "a key of another merchant": (
        lambda url, _: curl.requested("POST", f"{url}/_mock/purchases", {"cart": "se-battery-pack"}, "K999:x"),
        404,
        "has no button key yet",
    ),
    "a key that a reset has deleted": (
        lambda url, _: curl.requested("GET", f"{url}{BUTTONS}/0c0cc73b-8320-4f44-9530-4fc1fa2bce58"),
        404,
        "button_key is not known",
    ),
    "http on a public host": (
        lambda url, _: button(url, "http://shop.example.com/x"),
        400,
        "bad_value:merchant_urls.place_order",
    ),
    "a locale without a country": (
        lambda url, shop: button(url, shop, locale="se"),
        400,
        "bad_value:locale",
    ),
    "a wrong tax rate": (wrong_order, 400, "bad_value:order_lines[0].total_tax_amount"),
}


@pytest.mark.parametrize("mistake", REFUSALS)
def test_a_refused_request_has_the_symptom_of_the_page(mistake: str, klarna: str, shop: str) -> None:
    make, status, symptom = REFUSALS[mistake]
    found = refused(make(klarna, shop))
    assert found[0] == status
    assert symptom in found[1]
    assert f"`{symptom}`" in PAGE


@pytest.mark.process
@pytest.mark.parametrize(
    ("flags", "symptom"),
    [("--data a=b -u K123:secret", "send application/json"), ("--json {}", "no credentials were sent")],
)
def test_a_request_of_another_form_has_the_symptom_of_the_page(flags: str, symptom: str, klarna: str) -> None:
    printed = curl.run(f"curl --no-fail-with-body {flags} {klarna}{BUTTONS} || true")
    assert symptom in json.loads(printed)["error_message"]
    assert f"`{symptom}`" in PAGE


@pytest.mark.parametrize(("path", "symptom"), [("/404", "404"), ("/500", "500"), ("/200", "200"), ("/419", "419")])
def test_a_shop_that_answers_without_placing_has_the_symptom_of_the_page(
    path: str, symptom: str, klarna: str, shop: str
) -> None:
    purchase = bought(klarna, shop + path)
    (attempt,) = purchase["callbacks"][0]["attempts"][:1]
    assert (purchase["state"], attempt["outcome"], str(attempt["status"])) == ("authorized", "answered", symptom)
    assert f"outcome `answered`, status `{symptom}`" in PAGE


def test_a_shop_that_does_not_answer_has_the_symptom_of_the_page(shop: str) -> None:
    with serve_in_thread(Settings(port=0, callback_timeout=0.1)) as server:
        (attempt, *_) = bought(server.url, f"{shop}/never")["callbacks"][0]["attempts"]
    assert attempt["outcome"] == "timed_out"
    assert "| outcome `timed_out` |" in PAGE


@pytest.mark.parametrize(("host", "outcome"), [("127.0.0.1", "refused"), ("no-such-host.test", "unreachable")])
def test_a_shop_that_cannot_be_reached_has_the_symptom_of_the_page(host: str, outcome: str, klarna: str) -> None:
    with socket.socket(socket.AF_INET6) as only_ipv6:
        only_ipv6.bind(("::1", 0))
        only_ipv6.listen()
        purchase = bought(klarna, f"http://{host}:{only_ipv6.getsockname()[1]}/x")
    assert purchase["callbacks"][0]["attempts"][0]["outcome"] == outcome
    assert f"| outcome `{outcome}`" in PAGE


def test_a_shop_of_plain_http_with_an_https_url_has_the_symptom_of_the_page(klarna: str, shop: str) -> None:
    (attempt,) = bought(klarna, shop.replace("http:", "https:"))["callbacks"][0]["attempts"]
    assert (attempt["outcome"], attempt["error"].partition(":")[0]) == ("broken", "no TLS connection")
    assert "| outcome `broken`, `TLS handshake` or `no TLS connection` |" in PAGE


def test_a_key_without_terms_has_the_symptom_of_the_page(klarna: str) -> None:
    urls = {"merchant_urls": {"place_order": "http://localhost/place-order"}}
    key = curl.requested("POST", klarna + BUTTONS, urls)[2]["button_key"]
    page = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_lines": [TEA]}
    status, _, body = curl.requested("POST", f"{klarna}/_mock/purchases", {"button_key": key, "page": page})
    (problem,) = body["errors"]
    assert (status, problem["path"], problem["rule"]) == (400, "merchant_urls.terms", "required")
    assert "`merchant_urls.terms` is required" in PAGE
