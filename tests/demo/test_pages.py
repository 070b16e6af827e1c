"""What the shop does once an order is placed: acknowledge, send and capture, show; and subscriptions."""

from typing import Any

from tests.demo.trade import Trade

HTML = {"Accept": "text/html"}


async def managed(trade: Trade, order_id: str) -> Any:
    return await trade.klarna.ask("GET", f"/ordermanagement/v1/orders/{order_id}")


async def test_the_first_push_is_acknowledged_and_the_last(trade: Trade) -> None:
    purchase = await trade.buy()
    await trade.klarna.ask("POST", "/_mock/clock", {"advance": "2d"})
    (order,) = (await trade.books())["orders"]
    assert (order["pushes"], order["acknowledged"]) == (1, True)
    assert (await trade.klarna.ask("GET", f"/_mock/orders/{purchase['order_id']}"))["acknowledged"]


async def test_sending_the_goods_captures_their_money_once(trade: Trade) -> None:
    order_id = (await trade.buy())["order_id"]
    sent, again = [await trade.shop.send("POST", f"/orders/{order_id}/ship") for _ in range(2)]
    assert sent.body == {"order_id": order_id, "captured": 124000}
    assert (again.status, again.body["error_code"]) == (409, "CAPTURE_NOT_ALLOWED")
    assert (await managed(trade, order_id))["status"] == "CAPTURED"
    shown = await trade.shop.ask("GET", f"/orders/{order_id}")
    assert (shown["status"], shown["captured_amount"]) == ("CAPTURED", 124000)


async def test_an_order_that_nobody_placed_is_not_sent(trade: Trade) -> None:
    for method, path in (("GET", "/orders/x"), ("POST", "/orders/x/ship")):
        assert (await trade.shop.send(method, path)).status == 404


async def test_a_browser_sees_its_orders_and_sends_them(trade: Trade) -> None:
    path = f"/orders?merchant={trade.klarna.merchant}"
    assert "Nothing was bought yet" in (await trade.shop.send("GET", path, headers=HTML)).body
    order_id = (await trade.buy())["order_id"]
    shown = (await trade.shop.send("GET", path, headers=HTML)).body
    assert f"/orders/{order_id}/ship" in shown
    assert "1240.00 SEK" in shown
    await trade.shop.send("POST", f"/orders/{order_id}/ship", headers=HTML)
    shown = (await trade.shop.send("GET", path, headers=HTML)).body
    assert "sent and captured" in shown
    assert f"/orders/{order_id}/ship" not in shown


async def test_a_subscription_gets_its_token(trade: Trade) -> None:
    urls = {"create_customer_token": trade.url("create-customer-token", ""), "terms": "https://shop.example/terms"}
    made = await trade.klarna.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls})
    page = {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_lines": [
            {"name": "A", "quantity": 1, "unit_price": 1, "tax_rate": 0, "total_amount": 1, "total_tax_amount": 0}
        ],
    }
    purchase = await trade.klarna.ask("POST", "/_mock/purchases", {"page": page, "button_key": made["button_key"]})
    assert (purchase["state"], purchase["order_id"]) == ("placed", None)
    token = await trade.klarna.ask("GET", f"/customer-token/v1/tokens/{purchase['customer_token']}")
    assert token["status"] == "ACTIVE"
