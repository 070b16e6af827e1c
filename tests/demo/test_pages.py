"""The shop shows its orders and ships them; it acknowledges pushes and creates customer tokens."""

from typing import Any

import pytest

from mock_klarna.demo.klarna import ORDERS
from tests.demo.merchant import Merchant, cart

HTML = {"Accept": "text/html"}


async def managed(merchant: Merchant, order_id: str) -> Any:
    return await merchant.klarna.ask("GET", f"/ordermanagement/v1/orders/{order_id}")


async def test_the_first_push_is_acknowledged_and_no_other_follows(merchant: Merchant) -> None:
    purchase = await merchant.purchase()
    await merchant.klarna.ask("POST", "/_mock/clock", {"advance": "2d"})
    (order,) = (await merchant.books())["orders"]
    assert (order["pushes"], order["acknowledged"]) == (1, True)
    assert (await merchant.klarna.ask("GET", f"/_mock/orders/{purchase['order_id']}"))["acknowledged"]


async def test_shipping_captures_the_amount_once(merchant: Merchant) -> None:
    order_id = (await merchant.purchase())["order_id"]
    sent, again = [await merchant.shop.send("POST", f"/orders/{order_id}/ship") for _ in range(2)]
    assert sent.body == {"order_id": order_id, "captured": 124000}
    assert again.body == sent.body
    assert [call["path"] for call in (await merchant.books())["calls"]].count(f"{ORDERS}/{order_id}/captures") == 1
    assert (await managed(merchant, order_id))["status"] == "CAPTURED"
    shown = await merchant.shop.ask("GET", f"/orders/{order_id}")
    assert (shown["status"], shown["captured_amount"]) == ("CAPTURED", 124000)


async def test_an_unknown_order_is_answered_404(merchant: Merchant) -> None:
    for method, path in (("GET", "/orders/x"), ("POST", "/orders/x/ship")):
        assert (await merchant.shop.send(method, path)).status == 404


async def test_a_browser_can_ship_an_order_from_the_list(merchant: Merchant) -> None:
    path = f"/orders?merchant={merchant.klarna.merchant}"
    assert "There are no orders yet" in (await merchant.shop.send("GET", path, headers=HTML)).body
    order_id = (await merchant.purchase())["order_id"]
    shown = (await merchant.shop.send("GET", path, headers=HTML)).body
    assert f"/orders/{order_id}/ship" in shown
    assert "1240.00 SEK" in shown
    await merchant.shop.send("POST", f"/orders/{order_id}/ship", headers=HTML)
    shown = (await merchant.shop.send("GET", path, headers=HTML)).body
    assert "shipped and captured" in shown
    assert f"/orders/{order_id}/ship" not in shown


async def test_a_subscription_has_a_customer_token(merchant: Merchant) -> None:
    urls = {"create_customer_token": merchant.url("create-customer-token", ""), "terms": "https://shop.example/terms"}
    button = await merchant.klarna.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls})
    page = {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_lines": [
            {"name": "A", "quantity": 1, "unit_price": 1, "tax_rate": 0, "total_amount": 1, "total_tax_amount": 0}
        ],
    }
    purchase = await merchant.klarna.ask("POST", "/_mock/purchases", {"page": page, "button_key": button["button_key"]})
    assert (purchase["state"], purchase["order_id"]) == ("placed", None)
    token = await merchant.klarna.ask("GET", f"/customer-token/v1/tokens/{purchase['customer_token']}")
    assert token["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Battery Power Pack Black"),
        ("/terms", "Terms"),
        ("/thanks", "Thank"),
        ("/sorry", "Sorry"),
        ("/orders", "Orders"),
    ],
)
async def test_the_shop_has_pages_for_every_window(merchant: Merchant, path: str, text: str) -> None:
    answer = await merchant.shop.send("GET", path, headers=HTML)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert f"<h1>{text}" in answer.body or f'<h1 id="chosen">{text}' in answer.body
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in answer.body
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self' data:;")
    assert "unsafe" not in policy


async def test_names_of_articles_are_text_in_the_list_of_orders(merchant: Merchant) -> None:
    await merchant.purchase(page=cart("se-battery-pack", name="<b>Pack</b>", image_url='http://x.example/static/"><b>'))
    path = f"/orders?merchant={merchant.klarna.merchant}"
    shown = (await merchant.shop.send("GET", path, headers=HTML)).body
    assert "&lt;b&gt;Pack&lt;/b&gt;" in shown
    assert "<b>" not in shown
