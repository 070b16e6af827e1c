"""The shop denies what is out of stock, for adults only, or not delivered to the country."""

from datetime import date
from typing import Any

import pytest

from mock_klarna.demo.stock import Stock, age
from tests.demo.merchant import Merchant, cart

Json = dict[str, Any]


def order(*references: str, country: str = "SE", **members: Any) -> Json:
    lines = [{"reference": reference, "quantity": 1} for reference in references]
    return {"order_lines": lines, "billing_address": {"country": country}, **members}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (order("SOLD-OUT"), "item_out_of_stock"),
        (order("19-402-B", "SOLD-OUT"), "item_out_of_stock"),
        (order("LAST-ONE", "LAST-ONE"), "item_out_of_stock"),
        (order("ADULTS-ONLY", customer={"date_of_birth": f"{date.today().year - 17}-01-01"}), "consumer_underaged"),
        (order("ADULTS-ONLY", customer={}), "consumer_underaged"),
        (order("ADULTS-ONLY"), "consumer_underaged"),
        (order("SE-ONLY", country="NO"), "unsupported_shipping_address"),
        (order("SE-ONLY", shipping_address={"country": "NO"}), "unsupported_shipping_address"),
    ],
)
def test_an_order_with_an_unavailable_article_is_not_reserved(body: Json, code: str) -> None:
    assert Stock().reserve("a", body) == {"deny_code": code}


@pytest.mark.parametrize(
    "body",
    [
        order("19-402-B", "something else"),
        order("LAST-ONE"),
        order("ADULTS-ONLY", customer={"date_of_birth": "1985-10-20"}),
        order("SE-ONLY", country="se"),
        order("SE-ONLY", country="NO", shipping_address={"country": "SE"}),
    ],
)
def test_an_order_with_available_articles_is_reserved(body: Json) -> None:
    assert Stock().reserve("a", body) is None


def test_the_last_article_is_reserved_once_for_each_merchant() -> None:
    stock = Stock()
    assert stock.reserve("a", order("LAST-ONE")) is None
    assert stock.reserve("a", order("LAST-ONE")) == {"deny_code": "item_out_of_stock"}
    assert stock.reserve("b", order("LAST-ONE")) is None


def test_released_articles_are_available_again() -> None:
    stock = Stock()
    assert stock.reserve("a", order("LAST-ONE")) is None
    stock.release("a", order("LAST-ONE"))
    assert stock.left("a", "LAST-ONE") == 1


def test_no_article_is_reserved_if_one_is_unavailable() -> None:
    stock = Stock()
    assert stock.reserve("a", order("LAST-ONE", "SOLD-OUT")) is not None
    assert stock.left("a", "LAST-ONE") == 1


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
    purchase = await merchant.purchase(page=cart("se-battery-pack", reference="SOLD-OUT"))
    assert purchase["deny"] == {"deny_code": "item_out_of_stock"}
    assert purchase["consumer_message"] == "Varan är slut i lager. Inga pengar har dragits."


async def test_a_child_cannot_buy_whisky(merchant: Merchant) -> None:
    child = {"country": "SE", "date_of_birth": f"{date.today().year - 10}-01-01"}
    purchase = await merchant.purchase(page=cart("se-battery-pack", reference="ADULTS-ONLY"), shopper=child)
    assert purchase["deny"] == {"deny_code": "consumer_underaged"}


async def test_an_article_is_released_if_klarna_does_not_accept_the_order(merchant: Merchant) -> None:
    page = cart("se-battery-pack", reference="LAST-ONE")
    assert [(await merchant.purchase(then, page=page))["state"] for then in ("wrong_tax", "place", "place")] == [
        "authorized",
        "placed",
        "denied",
    ]
