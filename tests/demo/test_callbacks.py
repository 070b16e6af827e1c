"""The shop answers the callbacks `update`, `push` and `notification`."""

import pytest

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
    await merchant.klarna.ask("GET", "/_mock/journal?kind=callback&name=notification&wait=10")
    assert [order["fraud_status"] for order in (await merchant.books())["orders"]] == [fraud_status]
    assert (await merchant.purchase(page=page))["state"] == next_state


@pytest.mark.parametrize("path", ["push?order_id=unknown", "notification"])
async def test_a_callback_for_an_unknown_order_is_answered_404(merchant: Merchant, path: str) -> None:
    assert (await merchant.shop.send("POST", f"/klarna/{path}", {"order_id": "unknown"})).status == 404


@pytest.mark.parametrize(
    ("path", "status"), [("push?then=error", 500), ("notification?then=error", 500), ("push?then=place", 400)]
)
async def test_every_callback_can_have_a_faulty_answer(merchant: Merchant, path: str, status: int) -> None:
    assert (await merchant.shop.send("POST", f"/klarna/{path}", {})).status == status


async def test_the_books_of_a_merchant_have_nothing_of_others(merchant: Merchant) -> None:
    await merchant.purchase()
    assert {call["merchant"] for call in (await merchant.books())["calls"]} == {merchant.klarna.merchant}
    assert await merchant.shop.ask("GET", "/orders?merchant=nobody") == {"orders": [], "callbacks": [], "calls": []}
