from datetime import date
from typing import Any

import pytest

from mock_klarna.demo.stock import Stock, age
from tests.demo.trade import Trade, cart

Json = dict[str, Any]


def order(*references: str, country: str = "SE", **members: Any) -> Json:
    lines = [{"reference": reference, "quantity": 1} for reference in references]
    return {"order_lines": lines, "billing_address": {"country": country}, **members}


@pytest.mark.parametrize(
    ("wanted", "code"),
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
def test_what_cannot_be_delivered_is_objected_to(wanted: Json, code: str) -> None:
    assert Stock().reserve("a", wanted) == {"deny_code": code}


@pytest.mark.parametrize(
    "wanted",
    [
        order("19-402-B", "something else"),
        order("LAST-ONE"),
        order("ADULTS-ONLY", customer={"date_of_birth": "1985-10-20"}),
        order("SE-ONLY", country="se"),
        order("SE-ONLY", country="NO", shipping_address={"country": "SE"}),
    ],
)
def test_what_can_be_delivered_is_reserved(wanted: Json) -> None:
    assert Stock().reserve("a", wanted) is None


def test_the_last_one_is_sold_once_for_each_merchant() -> None:
    stock = Stock()
    assert stock.reserve("a", order("LAST-ONE")) is None
    assert stock.reserve("a", order("LAST-ONE")) == {"deny_code": "item_out_of_stock"}
    assert stock.reserve("b", order("LAST-ONE")) is None


def test_what_is_released_can_be_sold_again() -> None:
    stock = Stock()
    assert stock.reserve("a", order("LAST-ONE")) is None
    stock.release("a", order("LAST-ONE"))
    assert stock.left("a", "LAST-ONE") == 1


def test_nothing_is_reserved_of_an_order_that_is_objected_to() -> None:
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
def test_age_counts_birthdays(born: str | None, today: date, years: int) -> None:
    assert age({"customer": {"date_of_birth": born}}, today) == years


async def test_a_shopper_reads_why_the_shop_denies(trade: Trade) -> None:
    purchase = await trade.buy(page=cart("se-battery-pack", reference="SOLD-OUT"))
    assert purchase["deny"] == {"deny_code": "item_out_of_stock"}
    assert purchase["consumer_message"] == "This item is no longer in stock."


async def test_a_child_cannot_buy_whisky(trade: Trade) -> None:
    child = {"country": "SE", "date_of_birth": f"{date.today().year - 10}-01-01"}
    purchase = await trade.buy(page=cart("se-battery-pack", reference="ADULTS-ONLY"), shopper=child)
    assert purchase["deny"] == {"deny_code": "consumer_underaged"}


async def test_what_klarna_refuses_goes_back_on_the_shelf(trade: Trade) -> None:
    page = cart("se-battery-pack", reference="LAST-ONE")
    assert [(await trade.buy(then, page=page))["state"] for then in ("wrong_tax", "place", "place")] == [
        "authorized",
        "placed",
        "denied",
    ]
