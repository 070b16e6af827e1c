"""Customer tokens: the callback, the token, orders from it, its end (protocol 4.3 and 9.5)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna.client import Client
from mock_klarna.pytest_plugin.api import MockKlarnaAsync
from tests.orders.conftest import CLOSED, NOBODYS, refusal

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
async def agreed(klarna: MockKlarnaAsync, page: Callable[[str], Any]) -> Any:
    """A purchase at a key that has no place_order."""
    urls = {name: f"{CLOSED}/{name}" for name in ("create_customer_token", "terms", "confirmation")}
    await klarna.create_button(merchant_urls=urls)
    return await klarna.purchase(page=page("digital-without-shipping"), wait=0)


@pytest.fixture
async def token(klarna: MockKlarnaAsync, agreed: Any) -> str:
    """An active customer token."""
    created = await klarna.create_token(agreed["authorization_token"], intended_use="SUBSCRIPTION")
    return str(created["token_id"])


async def test_a_merchant_is_asked_for_a_token_in_the_words_of_place_order(
    klarna: MockKlarnaAsync, agreed: Any
) -> None:
    entry = await klarna.wait_for("create_customer_token", kind="callback")
    assert entry["url"] == f"{CLOSED}/create_customer_token"
    assert entry["request_body"]["authorization_token"] == agreed["authorization_token"]
    assert entry["request_body"]["order"]["order_lines"][0]["reference"] == "EBOOK-7"


@pytest.mark.parametrize("path", PATHS)
async def test_a_token_is_made_once_and_ends_the_purchase(klarna: MockKlarnaAsync, agreed: Any, path: str) -> None:
    here = path.format(agreed["authorization_token"])
    first, again = [await klarna.send("POST", here, {"purchase_country": "SE"}) for _ in range(2)]
    assert first.status == 200
    assert first.body == again.body
    assert first.body["redirect_url"] == f"{CLOSED}/confirmation"
    assert first.body["billing_address"] == agreed["order"]["billing_address"]
    purchase = await klarna.find_purchase(agreed["purchase_id"])
    assert (purchase["state"], purchase["order_id"]) == ("placed", None)
    assert purchase["customer_token"] == first.body["token_id"]
    assert (await klarna.send("POST", here, {"description": "another"})).status == 403


@pytest.mark.parametrize("member", ["purchase_country", "purchase_currency"])
async def test_a_token_is_for_what_the_shopper_saw(klarna: MockKlarnaAsync, agreed: Any, member: str) -> None:
    other = {"purchase_country": "DE", "purchase_currency": "EUR"}[member]
    answer = await klarna.send("POST", PATHS[1].format(agreed["authorization_token"]), {member: other})
    assert refusal(answer) == (400, "BAD_VALUE", f"Bad value: {member}")


async def test_each_path_refuses_in_its_own_shape(klarna: MockKlarnaAsync, agreed: Any) -> None:
    shopping, payments = [await klarna.send("POST", path.format(NOBODYS), {}) for path in PATHS]
    assert (shopping.status, shopping.body["error_code"]) == (404, "not_found")
    assert "error_message" in shopping.body
    assert refusal(payments)[:2] == (404, "NOT_FOUND")


async def test_a_denied_subscription_has_no_token(klarna: MockKlarnaAsync, agreed: Any) -> None:
    await klarna.deny_authorization(agreed["authorization_token"])
    answer = await klarna.send("POST", PATHS[0].format(agreed["authorization_token"]), {})
    assert answer.status == 403


@pytest.mark.parametrize(("auto_capture", "status"), [(False, "AUTHORIZED"), (True, "CAPTURED")])
async def test_an_order_from_a_token_goes_on_like_any_other(
    klarna: MockKlarnaAsync, agreed: Any, token: str, auto_capture: bool, status: str
) -> None:
    placed = await klarna.order_from_token(token, {**ORDER, "auto_capture": auto_capture})
    assert placed["redirect_url"] == f"{CLOSED}/thanks"
    order = await klarna.managed_order(placed["order_id"])
    assert order["status"] == status
    assert order["purchase_currency"] == "SEK"
    assert order["billing_address"] == agreed["order"]["billing_address"]
    await klarna.advance_clock("6m")
    pushes = [callback["url"] for callback in await klarna.callbacks() if callback["kind"] == "push"]
    assert pushes == ([] if auto_capture else [f"{CLOSED}/push?id={placed['order_id']}"])


async def test_lines_without_tax_are_taken(klarna: MockKlarnaAsync, token: str) -> None:
    placed = await klarna.order_from_token(token, {**ORDER, "order_lines": [LINE]})
    assert placed["fraud_status"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"order_amount": 0}, "order_amount"),
        ({"order_amount": 9901}, "order_amount"),
        ({"purchase_currency": "EUR"}, "purchase_currency"),
        ({"order_lines": []}, "order_lines"),
        ({"order_lines": [{**LINE, **TAXED, "total_tax_amount": 5}]}, "order_lines[0].total_tax_amount"),
    ],
)
async def test_a_wrong_order_is_refused(klarna: MockKlarnaAsync, token: str, change: Any, path: str) -> None:
    answer = await klarna.send("POST", f"/customer-token/v1/tokens/{token}/order", {**ORDER, **change})
    assert refusal(answer)[:2] == (400, "BAD_VALUE")
    assert f"Bad value: {path}" in answer.body["error_messages"]


@pytest.mark.parametrize("status", ["CANCELLED", "SUSPENDED"])
async def test_only_an_active_token_orders(klarna: MockKlarnaAsync, token: str, status: str) -> None:
    await klarna.send("POST", f"/_mock/customer-tokens/{token}/status", {"status": status})
    assert (await klarna.get_token(token))["status"] == status
    answer = await klarna.send("POST", f"/customer-token/v1/tokens/{token}/order", ORDER)
    assert refusal(answer) == (403, "NOT_ALLOWED", f"Customer token is {status.lower()}. Order not possible.")


async def test_a_merchant_cancels_a_token_for_good(klarna: MockKlarnaAsync, token: str) -> None:
    path = f"/customer-token/v1/tokens/{token}/status"
    for _ in range(2):
        answer = await klarna.send("PATCH", path, {"status": "CANCELLED"})
        assert (answer.status, answer.body) == (202, None)
    assert refusal(await klarna.send("PATCH", path, {"status": "ACTIVE"}))[:2] == (400, "BAD_VALUE")
    active = await klarna.send("POST", f"/_mock/customer-tokens/{token}/status", {"status": "ACTIVE"})
    assert active.status == 403


async def test_no_order_slips_in_after_a_cancellation(klarna: MockKlarnaAsync, token: str) -> None:
    here = f"/customer-token/v1/tokens/{token}"
    answers = await asyncio.gather(
        klarna.send("PATCH", f"{here}/status", {"status": "CANCELLED"}),
        *(klarna.send("POST", f"{here}/order", ORDER) for _ in range(5)),
    )
    shown = (await klarna.send("GET", f"/_mock/customer-tokens/{token}")).body
    assert shown["status"] == "CANCELLED"
    assert shown["orders"] == sum(answer.status == 200 for answer in answers)
    assert len(await klarna.orders()) == shown["orders"]


async def test_a_token_that_is_none_or_anothers_is_refused(klarna: MockKlarnaAsync, token: str) -> None:
    answer = await klarna.send("GET", f"/customer-token/v1/tokens/{NOBODYS}")
    assert refusal(answer) == (404, "NOT_FOUND", "Invalid customer-token ID")
    async with Client(klarna.url, "somebody-else") as other:
        theirs = await other.send("GET", f"/customer-token/v1/tokens/{token}")
    assert refusal(theirs)[:2] == (403, "NOT_ALLOWED")
