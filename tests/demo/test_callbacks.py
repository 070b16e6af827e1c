"""What comes before and after `place_order`: update, push and notification."""

import pytest

from mock_klarna.demo.behaviours import CHANGES
from tests.demo.trade import Trade, cart

AMOUNTS = {"not_modified": 124000, "lines": 112100, "shipping": 122000, "error": 124000, "garbage": 124000}


def test_every_change_is_tried() -> None:
    assert set(AMOUNTS) >= set(CHANGES)


@pytest.mark.parametrize(("update", "amount"), AMOUNTS.items())
async def test_an_update_changes_what_the_shopper_pays(trade: Trade, update: str, amount: int) -> None:
    purchase = await trade.buy(update=update)
    assert (purchase["state"], purchase["order_amount"]) == ("placed", amount)
    assert "update" in [callback["kind"] for callback in (await trade.books())["callbacks"]]


async def test_a_push_is_noted_at_its_order(trade: Trade) -> None:
    await trade.buy()
    await trade.klarna.ask("POST", "/_mock/clock", {"advance": "10m"})
    (order,) = (await trade.books())["orders"]
    assert order["pushes"] >= 1


@pytest.mark.parametrize(("verdict", "next_state"), [("ACCEPTED", "denied"), ("REJECTED", "placed")])
async def test_the_end_of_a_review_is_taken_into_the_books(trade: Trade, verdict: str, next_state: str) -> None:
    page = cart("us-battery-pack", reference="LAST-ONE")
    purchase = await trade.buy(page=page, shopper="us-approved", outcome="PENDING")
    assert [order["fraud_status"] for order in (await trade.books())["orders"]] == ["PENDING"]
    await trade.klarna.ask("POST", f"/_mock/orders/{purchase['order_id']}/decision", {"fraud_status": verdict})
    await trade.klarna.ask("GET", "/_mock/journal?kind=callback&name=notification&wait=10")
    assert [order["fraud_status"] for order in (await trade.books())["orders"]] == [verdict]
    assert (await trade.buy(page=page))["state"] == next_state


@pytest.mark.parametrize("path", ["push?order_id=unknown", "notification"])
async def test_news_of_an_unknown_order_is_not_found(trade: Trade, path: str) -> None:
    assert (await trade.shop.send("POST", f"/klarna/{path}", {"order_id": "unknown"})).status == 404


@pytest.mark.parametrize(
    ("path", "status"), [("push?then=error", 500), ("notification?then=error", 500), ("push?then=place", 400)]
)
async def test_later_callbacks_misbehave_too(trade: Trade, path: str, status: int) -> None:
    assert (await trade.shop.send("POST", f"/klarna/{path}", {})).status == status


async def test_the_books_of_one_merchant_hold_nothing_of_another(trade: Trade) -> None:
    await trade.buy()
    assert {call["merchant"] for call in (await trade.books())["calls"]} == {trade.klarna.merchant}
    assert await trade.shop.ask("GET", "/orders?merchant=nobody") == {"orders": [], "callbacks": [], "calls": []}


@pytest.mark.parametrize(
    ("path", "words"), [("/", "Battery Power Pack Black"), ("/terms", "Terms"), ("/thanks", "Thank")]
)
async def test_a_browser_finds_the_shops_pages(trade: Trade, path: str, words: str) -> None:
    answer = await trade.shop.send("GET", path)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert words in answer.body
