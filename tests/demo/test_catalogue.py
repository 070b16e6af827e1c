"""The shop sells what is in its catalogue, at its prices, to the countries and ages that it is for."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from mock_klarna import demo, resources
from mock_klarna.demo.behaviours import lines, shipping
from mock_klarna.demo.catalogue import ARTICLES, WELCOME, Stock, age, check
from tests.demo.merchant import Merchant, cart

Json = dict[str, Any]
TODAY = date(2026, 5, 4)
PRICES = {"SOLD-OUT": 10000, "LAST-ONE": 119000, "ADULTS-ONLY": 50000, "SE-ONLY": 119000, "EBOOK-7": 9900}
CARTS = sorted(file.stem for file in (resources.fixtures() / "carts").iterdir())


def line(reference: str = "19-402-B", price: int = 0, quantity: int = 1, **members: Any) -> Json:
    unit_price = price or PRICES.get(reference, 119000)
    total = unit_price * quantity
    return {"reference": reference, "quantity": quantity, "unit_price": unit_price, "total_amount": total, **members}


FEE = line("express_priority", 5000, type="shipping_fee")


def order(*order_lines: Json, country: str = "SE", **members: Any) -> Json:
    return {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_lines": [*order_lines, FEE],
        "billing_address": {"country": country},
        **members,
    }


def code(body: Json) -> str | None:
    return (check(body, TODAY) or {}).get("deny_code")


ALLOWED = {
    "an article": order(line()),
    "several pieces": order(line(quantity=3)),
    "the last article": order(line("LAST-ONE")),
    "an article for adults": order(line("ADULTS-ONLY"), customer={"date_of_birth": "1985-10-20"}),
    "an article for one country": order(line("SE-ONLY"), country="se"),
    "a shipping address in the country": order(line("SE-ONLY"), country="NO", shipping_address={"country": "SE"}),
    "no shipping for a download": order(order_lines=[line("EBOOK-7")]),
    "the voucher of an update": order(line(), line(WELCOME, -11900)),
}
DENIED = {
    "a lower price": (order(line(price=1190)), "other"),
    "a higher price": (order(line(price=119001)), "other"),
    "a price in another currency": (order(line(), purchase_currency="EUR"), "other"),
    "a total that is too low": (order(line(total_amount=1190)), "other"),
    "an unknown article": (order(line("NOT-SOLD-HERE")), "other"),
    "no reference": (order({**line(), "reference": None}), "other"),
    "an unknown voucher": (order(line(), line("GIFT", -100000, type="discount")), "other"),
    "a larger voucher": (order(line(), line(WELCOME, -100000)), "other"),
    "the same voucher twice": (order(line(), line(WELCOME, -11900), line(WELCOME, -11900)), "item_out_of_stock"),
    "cheap shipping": (order(order_lines=[line(), line("express_priority", 50, type="shipping_fee")]), "other"),
    "unknown shipping": (order(order_lines=[line(), line("pigeon", 5000, type="shipping_fee")]), "other"),
    "no shipping": (order(order_lines=[line()]), "other"),
    "no shipping as a download": (order(order_lines=[line(type="digital")]), "other"),
    "an article as shipping": (order(order_lines=[line(type="shipping_fee")]), "other"),
    "sales tax that is paid back": (order(line(), line("TAX", -11900, type="sales_tax")), "other"),
    "no pieces": (order(line(quantity=0)), "item_out_of_stock"),
    "negative pieces": (order(line(), line(quantity=-1)), "item_out_of_stock"),
    "too many pieces": (order(line(quantity=101)), "item_out_of_stock"),
    "too many pieces in two lines": (order(line(quantity=51), line(quantity=50)), "item_out_of_stock"),
    "a child": (order(line("ADULTS-ONLY"), customer={"date_of_birth": "2009-01-01"}), "consumer_underaged"),
    "no date of birth": (order(line("ADULTS-ONLY"), customer={}), "consumer_underaged"),
    "no customer": (order(line("ADULTS-ONLY")), "consumer_underaged"),
    "another country": (order(line(), country="NO"), "unsupported_shipping_address"),
    "shipping abroad": (order(line(), shipping_address={"country": "NO"}), "unsupported_shipping_address"),
    "an article for one country": (
        order(line("SE-ONLY"), country="FI", purchase_country="FI"),
        "unsupported_shipping_address",
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_an_order_of_the_catalogue_is_allowed(case: str) -> None:
    assert code(ALLOWED[case]) is None


@pytest.mark.parametrize("case", DENIED)
def test_an_order_that_differs_from_the_catalogue_is_denied(case: str) -> None:
    body, expected = DENIED[case]
    assert code(body) == expected


@pytest.mark.parametrize(("locale", "text"), [("sv-SE", "Varukorgen"), ("de-DE", "Warenkorb"), ("fi-FI", "The cart")])
def test_a_denial_has_a_message_in_the_language_of_the_purchase(locale: str, text: str) -> None:
    reason = check(order(line(price=1), locale=locale), TODAY)
    assert reason
    assert text in reason["deny_message"]


def test_shipping_that_an_update_offered_is_allowed() -> None:
    (option, *_others) = shipping({})["shipping_options"]
    body = order(order_lines=[line(), line(option["id"], option["price"], type="shipping_fee")])
    assert check(body, TODAY, [(option["id"], option["price"])]) is None
    assert check(body, TODAY) is not None


def test_the_discount_of_an_update_is_the_voucher_of_the_catalogue() -> None:
    changes = lines({"order_lines": [line(tax_rate=2500, total_tax_amount=23800)]})
    assert changes
    assert code(order(*changes["order_lines"])) is None


@pytest.mark.parametrize("name", CARTS)
async def test_every_stored_cart_is_placed(merchant: Merchant, name: str) -> None:
    page = orjson.loads((resources.fixtures() / "carts" / f"{name}.json").read_bytes())
    shopper = f"{page['purchase_country'].lower()}-approved"
    assert (await merchant.purchase(page=page, shopper=shopper))["state"] == "placed"


def test_the_articles_of_every_stored_cart_have_pages_and_pictures() -> None:
    for name in CARTS:
        page = orjson.loads((resources.fixtures() / "carts" / f"{name}.json").read_bytes())
        articles = [
            one
            for one in (*page.get("order_lines", ()), *page.get("items", ()))
            if one["type"] in ("physical", "digital")
        ]
        for article in articles:
            assert article["product_url"].startswith("https://www.example.com/"), name
            assert article["image_url"].startswith("https://www.example.com/"), name


def test_the_page_of_the_shop_has_the_prices_of_the_catalogue() -> None:
    script = (Path(demo.__file__).parent / "static" / "goods.js").read_text()
    prices = dict(re.findall(r"([SL]): \{ name: \"[^\"]*\", price: (\d+)", script))
    (shirt,) = set(re.findall(r"unit_price: (\d+)", script))
    for reference, article in ARTICLES.items():
        if reference.startswith(("19-402", "19-404")):
            assert article.prices["SEK"] == int(prices["S" if reference.startswith("19-402") else "L"])
        if reference.startswith("TS-"):
            assert article.prices["SEK"] == int(shirt)


def limited(*references: str) -> Json:
    return order(*(line(reference) for reference in references))


@pytest.mark.parametrize(
    "body", [limited("SOLD-OUT"), limited("19-402-B", "SOLD-OUT"), limited("LAST-ONE", "LAST-ONE")]
)
def test_an_order_with_an_article_that_is_not_in_stock_is_not_reserved(body: Json) -> None:
    assert Stock().reserve("a", body, TODAY) == {"deny_code": "item_out_of_stock"}


def test_the_last_article_is_reserved_once_for_each_merchant() -> None:
    stock = Stock()
    assert stock.reserve("a", limited("LAST-ONE"), TODAY) is None
    assert stock.reserve("a", limited("LAST-ONE"), TODAY) == {"deny_code": "item_out_of_stock"}
    assert stock.reserve("b", limited("LAST-ONE"), TODAY) is None


def test_released_articles_are_available_again() -> None:
    stock = Stock()
    assert stock.reserve("a", limited("LAST-ONE"), TODAY) is None
    stock.release("a", limited("LAST-ONE"))
    assert stock.reserve("a", limited("LAST-ONE"), TODAY) is None


def test_no_article_is_reserved_if_one_is_unavailable() -> None:
    stock = Stock()
    assert stock.reserve("a", limited("LAST-ONE", "SOLD-OUT"), TODAY) is not None
    assert stock.reserve("a", limited("LAST-ONE"), TODAY) is None


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        ("2008-05-04", date(2026, 5, 3), 17),
        ("2008-05-04", date(2026, 5, 4), 18),
        ("2008-02-29", date(2026, 2, 28), 17),
        ("2008-02-29", date(2026, 3, 1), 18),
        ("no date", date(2026, 3, 1), 0),
        (None, date(2026, 3, 1), 0),
    ],
)
def test_the_age_changes_on_the_birthday(born: str | None, today: date, years: int) -> None:
    assert age({"customer": {"date_of_birth": born}}, today) == years


async def test_a_shopper_sees_the_reason_of_the_denial(merchant: Merchant) -> None:
    page = cart("se-battery-pack", reference="SOLD-OUT", unit_price=10000, total_amount=10000, total_tax_amount=2000)
    purchase = await merchant.purchase(page=page)
    assert purchase["deny"] == {"deny_code": "item_out_of_stock"}
    assert purchase["consumer_message"] == "Varan är slut i lager. Inga pengar har dragits."


async def test_a_child_cannot_buy_whisky(merchant: Merchant) -> None:
    child = {"country": "SE", "date_of_birth": f"{date.today().year - 10}-01-01"}
    page = cart(
        "se-battery-pack", reference="ADULTS-ONLY", unit_price=50000, total_amount=50000, total_tax_amount=10000
    )
    purchase = await merchant.purchase(page=page, shopper=child)
    assert purchase["deny"] == {"deny_code": "consumer_underaged"}


async def test_an_article_is_released_if_klarna_does_not_accept_the_order(merchant: Merchant) -> None:
    page = cart("se-battery-pack", reference="LAST-ONE")
    assert [(await merchant.purchase(then, page=page))["state"] for then in ("wrong_tax", "place", "place")] == [
        "authorized",
        "placed",
        "denied",
    ]
