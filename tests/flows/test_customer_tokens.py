"""Customer tokens: the callback, creation, orders and cancellation (klarna.md §4.3 and §9.5)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Client
from tests.conftest import CLOSED
from tests.flows.managed_order import UNKNOWN_ID, error_of

TAXED = {"tax_rate": 2500, "total_tax_amount": 1980}
LINE = {"name": "A month", "quantity": 1, "unit_price": 9900, "total_amount": 9900}
ORDER = {
    "order_amount": 9900,
    "order_tax_amount": 1980,
    "purchase_currency": "sek",
    "order_lines": [{**LINE, **TAXED, "subscription": {"name": "M", "interval": "MONTH", "interval_count": 1}}],
    "merchant_urls": {"confirmation": f"{CLOSED}/thanks", "push": f"{CLOSED}/push?id={{checkout.order.id}}"},
}
PATHS = ("/instantshopping/v1/authorizations/{}/customer-token", "/payments/v1/authorizations/{}/customer-token")


@pytest.fixture
async def purchase(klarna: MockKlarnaAsync, page: Callable[[str], Any]) -> Any:
    """A purchase with a button key that asks for a customer token instead of an order."""
    urls = {name: f"{CLOSED}/{name}" for name in ("create_customer_token", "terms", "confirmation")}
    await klarna.create_button(merchant_urls=urls)
    return await klarna.purchase(page=page("digital-without-shipping"), wait=0)


@pytest.fixture
async def token(klarna: MockKlarnaAsync, purchase: Any) -> str:
    """An active customer token."""
    created = await klarna.create_token(purchase["authorization_token"], intended_use="SUBSCRIPTION")
    return str(created["token_id"])


async def test_the_callback_has_the_body_of_place_order(klarna: MockKlarnaAsync, purchase: Any) -> None:
    entry = await klarna.wait_for("create_customer_token", kind="callback", within=60)
    assert entry["url"] == f"{CLOSED}/create_customer_token"
    assert entry["request_body"]["authorization_token"] == purchase["authorization_token"]
    assert entry["request_body"]["order"]["order_lines"][0]["reference"] == "EBOOK-7"


@pytest.mark.parametrize("path", PATHS)
async def test_a_token_is_created_once_and_completes_the_purchase(
    klarna: MockKlarnaAsync, purchase: Any, path: str
) -> None:
    token_path = path.format(purchase["authorization_token"])
    first, again = [await klarna.send("POST", token_path, {"purchase_country": "SE"}) for _ in range(2)]
    assert first.status == 200
    assert first.body == again.body
    assert first.body["redirect_url"] == f"{CLOSED}/confirmation"
    assert first.body["billing_address"] == purchase["order"]["billing_address"]
    completed = await klarna.find_purchase(purchase["purchase_id"])
    assert (completed["state"], completed["order_id"]) == ("placed", None)
    assert completed["customer_token"] == first.body["token_id"]
    assert (await klarna.send("POST", token_path, {"description": "another"})).status == 403


@pytest.mark.parametrize("member", ["purchase_country", "purchase_currency"])
async def test_country_and_currency_must_be_those_of_the_purchase(
    klarna: MockKlarnaAsync, purchase: Any, member: str
) -> None:
    other = {"purchase_country": "DE", "purchase_currency": "EUR"}[member]
    answer = await klarna.send("POST", PATHS[1].format(purchase["authorization_token"]), {member: other})
    assert error_of(answer) == (400, "BAD_VALUE", f"Bad value: {member}")


async def test_each_path_answers_errors_in_the_format_of_its_api(klarna: MockKlarnaAsync, purchase: Any) -> None:
    shopping, payments = [await klarna.send("POST", path.format(UNKNOWN_ID), {}) for path in PATHS]
    assert (shopping.status, shopping.body["error_code"]) == (404, "not_found")
    assert "error_message" in shopping.body
    assert error_of(payments)[:2] == (404, "NOT_FOUND")


async def test_a_denied_authorization_gives_no_token(klarna: MockKlarnaAsync, purchase: Any) -> None:
    await klarna.deny_authorization(purchase["authorization_token"])
    answer = await klarna.send("POST", PATHS[0].format(purchase["authorization_token"]), {})
    assert answer.status == 403


@pytest.mark.parametrize(
    ("method", "path"), [("POST", PATHS[0]), ("POST", PATHS[1]), ("DELETE", PATHS[0].rpartition("/")[0])]
)
async def test_the_id_of_a_purchase_is_no_authorization_token(
    klarna: MockKlarnaAsync, purchase: Any, method: str, path: str
) -> None:
    answer = await klarna.send(method, path.format(purchase["purchase_id"]), {})
    assert (answer.status, answer.body["error_code"].lower()) == (404, "not_found")
    async with Client(klarna.url, "somebody-else") as other:
        assert (await other.send(method, path.format(purchase["purchase_id"]), {})).status == 404


@pytest.mark.usefixtures("token")
async def test_an_authorization_whose_customer_token_was_created_gives_no_order(
    klarna: MockKlarnaAsync, purchase: Any
) -> None:
    path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
    answer = await klarna.send("POST", path, purchase["order"])
    assert (answer.status, answer.body["error_message"]) == (
        403,
        "authorization_token already used: a customer token was created with it",
    )


@pytest.mark.parametrize("placeholder", ["{checkout.order.id}", "{order.id}"])
async def test_the_redirect_url_of_an_order_has_the_order_id(
    klarna: MockKlarnaAsync, token: str, placeholder: str
) -> None:
    confirmation = f"{CLOSED}/thanks?order={placeholder}&kept={{token}}"
    placed = await klarna.order_from_token(token, {**ORDER, "merchant_urls": {"confirmation": confirmation}})
    assert placed["redirect_url"] == f"{CLOSED}/thanks?order={placed['order_id']}&kept={{token}}"


@pytest.mark.parametrize(("auto_capture", "status"), [(False, "AUTHORIZED"), (True, "CAPTURED")])
async def test_an_order_from_a_token_is_managed_and_pushed_like_any_other(
    klarna: MockKlarnaAsync, purchase: Any, token: str, auto_capture: bool, status: str
) -> None:
    placed = await klarna.order_from_token(token, {**ORDER, "auto_capture": auto_capture})
    assert placed["redirect_url"] == f"{CLOSED}/thanks"
    order = await klarna.managed_order(placed["order_id"])
    assert order["status"] == status
    assert order["purchase_currency"] == "SEK"
    assert order["billing_address"] == purchase["order"]["billing_address"]
    await klarna.advance_clock("6m")
    pushes = [callback["url"] for callback in await klarna.callbacks() if callback["kind"] == "push"]
    assert pushes == ([] if auto_capture else [f"{CLOSED}/push?id={placed['order_id']}"])


async def test_requests_with_an_idempotency_key_are_executed_once(klarna: MockKlarnaAsync, token: str) -> None:
    path, headers = f"/customer-token/v1/tokens/{token}", {"Klarna-Idempotency-Key": "a"}
    placed, again = [await klarna.send("POST", f"{path}/order", ORDER, headers) for _ in range(2)]
    assert (again.status, again.body) == (200, placed.body)
    assert len(await klarna.orders()) == 1
    cancelled, again = [
        await klarna.send("PATCH", f"{path}/status", {"status": "CANCELLED"}, headers) for _ in range(2)
    ]
    assert (cancelled.status, again.status, again.body) == (202, 202, None)
    state = await klarna.snapshot()
    assert len(state["merchants"][klarna.merchant]["records"]["answer"]) == 2


async def test_order_lines_without_tax_are_accepted(klarna: MockKlarnaAsync, token: str) -> None:
    placed = await klarna.order_from_token(token, {**ORDER, "order_lines": [LINE]})
    assert placed["fraud_status"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"order_amount": 0}, "order_amount"),
        ({"order_amount": 9901}, "order_amount"),
        ({"order_amount": 9901, "order_lines": [LINE]}, "order_amount"),
        ({"order_lines": [LINE, {**LINE, **TAXED}]}, "order_amount"),
        ({"order_lines": [{**LINE, "tax_rate": 2500, "total_amount": 5000}]}, "order_lines[0].total_amount"),
        ({"purchase_currency": "EUR"}, "purchase_currency"),
        ({"order_lines": []}, "order_lines"),
        ({"order_lines": [{**LINE, **TAXED, "total_tax_amount": 5}]}, "order_lines[0].total_tax_amount"),
    ],
)
async def test_an_invalid_order_is_refused_with_its_path(
    klarna: MockKlarnaAsync, token: str, change: Any, path: str
) -> None:
    answer = await klarna.send("POST", f"/customer-token/v1/tokens/{token}/order", {**ORDER, **change})
    assert error_of(answer)[:2] == (400, "BAD_VALUE")
    assert f"Bad value: {path}" in answer.body["error_messages"]


@pytest.mark.parametrize("status", ["CANCELLED", "SUSPENDED"])
async def test_only_an_active_token_can_place_orders(klarna: MockKlarnaAsync, token: str, status: str) -> None:
    await klarna.send("POST", f"/_mock/customer-tokens/{token}/status", {"status": status})
    assert (await klarna.get_token(token))["status"] == status
    answer = await klarna.send("POST", f"/customer-token/v1/tokens/{token}/order", ORDER)
    assert error_of(answer) == (403, "NOT_ALLOWED", f"Customer token is {status.lower()}. Order not possible.")


async def test_a_cancelled_token_cannot_be_activated_again(klarna: MockKlarnaAsync, token: str) -> None:
    path = f"/customer-token/v1/tokens/{token}/status"
    for _ in range(2):
        answer = await klarna.send("PATCH", path, {"status": "CANCELLED"})
        assert (answer.status, answer.body) == (202, None)
    assert error_of(await klarna.send("PATCH", path, {"status": "ACTIVE"}))[:2] == (400, "BAD_VALUE")
    active = await klarna.send("POST", f"/_mock/customer-tokens/{token}/status", {"status": "ACTIVE"})
    assert active.status == 403


async def test_no_order_is_placed_after_a_simultaneous_cancellation(klarna: MockKlarnaAsync, token: str) -> None:
    token_path = f"/customer-token/v1/tokens/{token}"
    answers = await asyncio.gather(
        klarna.send("PATCH", f"{token_path}/status", {"status": "CANCELLED"}),
        *(klarna.send("POST", f"{token_path}/order", ORDER) for _ in range(5)),
    )
    shown = (await klarna.send("GET", f"/_mock/customer-tokens/{token}")).body
    assert shown["status"] == "CANCELLED"
    assert shown["orders"] == sum(answer.status == 200 for answer in answers)
    assert len(await klarna.orders()) == shown["orders"]


async def test_tokens_of_others_and_unknown_tokens_are_refused(klarna: MockKlarnaAsync, token: str) -> None:
    answer = await klarna.send("GET", f"/customer-token/v1/tokens/{UNKNOWN_ID}")
    assert error_of(answer) == (404, "NOT_FOUND", "Invalid customer-token ID")
    async with Client(klarna.url, "somebody-else") as other:
        answer = await other.send("GET", f"/customer-token/v1/tokens/{token}")
    assert error_of(answer)[:2] == (403, "NOT_ALLOWED")
