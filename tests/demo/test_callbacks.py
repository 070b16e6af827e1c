"""The shop answers callbacks: it believes none without its secret, and none twice."""

import pytest

from mock_klarna.demo import Shop
from mock_klarna.demo.behaviours import UPDATES
from tests.demo.merchant import Merchant, cart

AMOUNTS = {"not_modified": 124000, "lines": 112100, "shipping": 122000, "error": 124000, "garbage": 124000}


def test_every_update_has_a_test() -> None:
    assert set(AMOUNTS) >= set(UPDATES)


@pytest.mark.parametrize(("update", "amount"), AMOUNTS.items())
async def test_an_update_changes_the_amount(merchant: Merchant, update: str, amount: int) -> None:
    purchase = await merchant.purchase(update=update)
    assert (purchase["state"], purchase["order_amount"]) == ("placed", amount)
    assert "update" in [callback["kind"] for callback in (await merchant.books())["callbacks"]]


async def test_a_push_is_counted(merchant: Merchant) -> None:
    await merchant.purchase()
    await merchant.klarna.ask("POST", "/_mock/clock", {"advance": "10m"})
    (order,) = (await merchant.books())["orders"]
    assert order["pushes"] >= 1


@pytest.mark.parametrize(("fraud_status", "next_state"), [("ACCEPTED", "denied"), ("REJECTED", "placed")])
async def test_the_end_of_a_fraud_review_changes_the_order_and_the_stock(
    merchant: Merchant, fraud_status: str, next_state: str
) -> None:
    page = cart("us-battery-pack", reference="LAST-ONE")
    purchase = await merchant.purchase(page=page, shopper="us-approved", outcome="PENDING")
    assert [order["fraud_status"] for order in (await merchant.books())["orders"]] == ["PENDING"]
    await merchant.klarna.ask("POST", f"/_mock/orders/{purchase['order_id']}/decision", {"fraud_status": fraud_status})
    await merchant.klarna.ask("GET", "/_mock/journal?kind=callback&name=notification&wait=120")
    assert [order["fraud_status"] for order in (await merchant.books())["orders"]] == [fraud_status]
    assert (await merchant.purchase(page=page))["state"] == next_state


@pytest.mark.parametrize("path", ["push?merchant=anybody&order_id=unknown", "notification?merchant=anybody"])
async def test_a_callback_for_an_unknown_order_is_answered_404(merchant: Merchant, path: str) -> None:
    assert (await merchant.shop.send("POST", f"/klarna/{path}", {"order_id": "unknown"})).status == 404


@pytest.mark.parametrize(
    ("path", "status"), [("push?then=error", 500), ("notification?then=error", 500), ("push?then=place", 400)]
)
async def test_every_callback_can_have_a_faulty_answer(merchant: Merchant, path: str, status: int) -> None:
    assert (await merchant.shop.send("POST", f"/klarna/{path}&merchant=anybody", {})).status == status


async def test_the_books_of_a_merchant_have_nothing_of_others(merchant: Merchant) -> None:
    await merchant.purchase()
    assert {call["merchant"] for call in (await merchant.books())["calls"]} == {merchant.klarna.merchant}
    assert await merchant.shop.ask("GET", "/orders?merchant=nobody") == {"orders": [], "callbacks": [], "calls": []}


@pytest.mark.parametrize("secret", ["", "?secret=", "?secret=guessed", "?merchant=demo-shop"])
@pytest.mark.parametrize("path", ["place-order", "push", "notification", "update", "create-customer-token"])
async def test_a_callback_of_the_shops_own_key_needs_the_secret(merchant: Merchant, path: str, secret: str) -> None:
    before = await merchant.shop.ask("GET", "/orders")
    assert (await merchant.shop.send("POST", f"/klarna/{path}{secret}", {})).status == 403
    assert await merchant.shop.ask("GET", "/orders") == before


async def test_the_urls_of_the_shops_own_key_have_a_secret_that_no_page_shows(
    demo_shop: Shop, merchant: Merchant
) -> None:
    path = f"/instantshopping/v1/buttons/{demo_shop.button_key}"
    urls = (await merchant.klarna.as_merchant("demo-shop").ask("GET", path))["merchant_urls"]
    secrets = {urls[name].partition("secret=")[2].partition("&")[0] for name in ("place_order", "push", "notification")}
    (secret,) = secrets
    assert len(secret) == 32
    page = (await merchant.shop.send("GET", "/", headers={"Accept": "text/html"})).body
    assert secret not in page
    assert secret not in (await merchant.shop.send("GET", "/static/shop.js")).body


@pytest.mark.parametrize("token", ["00000000-0000-4000-8000-000000000000", "../buttons", ""])
async def test_a_forged_callback_is_read_and_nothing_is_placed(merchant: Merchant, token: str) -> None:
    body = {"authorization_token": token, "order": {"order_lines": []}}
    assert (
        await merchant.shop.send("POST", f"/klarna/place-order?merchant={merchant.klarna.merchant}", body)
    ).status == 200
    assert await merchant.calls() == [("GET", 404)]


async def test_a_callback_whose_order_differs_from_the_authorized_one_places_the_authorized_one(
    merchant: Merchant,
) -> None:
    purchase = await merchant.purchase("late")
    forged = {**purchase["order"], "order_amount": 1}
    body = {"authorization_token": purchase["authorization_token"], "order": forged}
    await merchant.shop.send("POST", f"/klarna/place-order?merchant={merchant.klarna.merchant}", body)
    (order,) = (await merchant.books())["orders"]
    assert order["order"]["order_amount"] == 124000


async def test_a_callback_that_arrives_twice_places_one_order(merchant: Merchant) -> None:
    await merchant.klarna.ask("POST", "/_mock/faults", {"on": "callback", "operation": "place_order", "twice": True})
    first = await merchant.callback((await merchant.purchase())["purchase_id"])
    await merchant.klarna.ask("GET", f"/_mock/journal?kind=callback&name=place_order&after={first['seq']}&wait=120")
    assert [method for method, _status in await merchant.calls()].count("POST") == 1


async def test_a_callback_after_the_token_has_expired_places_nothing(merchant: Merchant) -> None:
    purchase = await merchant.purchase("late", merchant_timeout=7200)
    await merchant.klarna.ask("POST", "/_mock/clock", {"advance": "61m"})
    await merchant.shop.ask("POST", f"/late?merchant={merchant.klarna.merchant}")
    assert await merchant.calls() == [("GET", 404)]
    assert (await merchant.klarna.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}"))["state"] == "expired"


async def test_every_order_has_a_number_of_its_own(merchant: Merchant) -> None:
    for _ in range(3):
        await merchant.purchase(page=cart("se-battery-pack") | {"merchant_reference1": "of the page"})
    numbers = [order["order"]["merchant_reference1"] for order in (await merchant.books())["orders"]]
    assert len(set(numbers) - {"of the page"}) == 3


async def test_a_push_that_arrives_twice_is_acknowledged_once(merchant: Merchant) -> None:
    await merchant.purchase()
    await merchant.klarna.ask("POST", "/_mock/faults", {"on": "callback", "operation": "push", "twice": True})
    await merchant.klarna.ask("POST", "/_mock/clock", {"advance": "10m"})
    (order,) = (await merchant.books())["orders"]
    assert (order["pushes"], order["acknowledged"]) == (2, True)
    assert (await merchant.calls()).count(("POST", 204)) == 1


@pytest.mark.parametrize("outcome", ["PENDING", "REJECTED"])
async def test_an_order_that_was_not_accepted_is_not_shipped(merchant: Merchant, outcome: str) -> None:
    purchase = await merchant.purchase(page=cart("us-battery-pack"), shopper="us-approved", outcome=outcome)
    path = f"/orders/{purchase['order_id']}/ship"
    assert (await merchant.shop.send("POST", path)).status == 409
    await merchant.klarna.ask("POST", "/_mock/clock", {"advance": "10m"})
    assert [method for method, _status in await merchant.calls()] == ["GET", "POST"]
    shown = await merchant.shop.send(
        "GET", f"/orders?merchant={merchant.klarna.merchant}", headers={"Accept": "text/html"}
    )
    assert path not in shown.body


@pytest.mark.parametrize(
    ("chosen", "state"),
    [
        ("then=deny&deny_code=address_error", "denied"),
        ("then=silent", "authorized"),
        ("then=place", "placed"),
        ("then=place_unchecked", "denied"),
        ("then=change&order_amount=1", "denied"),
        ('{"cart": 7}', "denied"),
    ],
)
async def test_a_page_can_choose_what_does_not_harm_the_shop(merchant: Merchant, chosen: str, state: str) -> None:
    price = {} if chosen == "then=place" else {"unit_price": 1250, "total_amount": 1250, "total_tax_amount": 250}
    page = cart("se-battery-pack", **price) | {"merchant_data": chosen}
    assert (await merchant.purchase(page=page))["state"] == state
