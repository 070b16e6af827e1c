"""Merchants post back what they get (protocol 13), so nothing is sold that could not be ordered (protocol 3.11)."""

from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync

Json = dict[str, Any]
Page = Callable[[str], Any]
LINE = {
    "name": "Tea",
    "reference": "tea",
    "quantity": 1,
    "unit_price": 1000,
    "tax_rate": 0,
    "total_amount": 1000,
    "total_tax_amount": 0,
}
POST = {"id": "post", "name": "Post", "price": 500, "tax_rate": 0, "tax_amount": 0}
VOUCHER = {"type": "discount", "unit_price": -100000, "total_amount": -100000}


def _many_lines(page: Json) -> None:
    page["order_lines"] = [LINE] * 1000


def _voucher_above_the_goods(page: Json) -> None:
    page["order_lines"] = [LINE, LINE | VOUCHER]


def _long_option_id(page: Json) -> None:
    page["shipping_options"] = [POST | {"id": "x" * 65}]


def _long_option_name(page: Json) -> None:
    page["shipping_options"] = [POST | {"name": "x" * 256}]


def _long_name(page: Json) -> None:
    page["name"] = "x" * 256


UNORDERABLE = [
    (_many_lines, "order_lines"),
    (_voucher_above_the_goods, "order_amount"),
    (_long_option_id, "selected_shipping_option.id"),
    (_long_option_name, "selected_shipping_option.name"),
    (_long_name, "name"),
]


@pytest.mark.parametrize(("spoil", "path"), UNORDERABLE)
async def test_what_could_not_be_ordered_is_not_sold(
    klarna: MockKlarnaAsync, button: Json, page: Page, spoil: Callable[[Json], None], path: str
) -> None:
    offered = page("se-battery-pack") | {"order_lines": [LINE], "shipping_options": [POST]}
    spoil(offered)
    answer = await klarna.send("POST", "/_mock/purchases", {"page": offered})
    assert answer.status == 400
    assert [problem["path"].removeprefix("page.") for problem in answer.body["errors"]] == [path]
    assert await klarna.purchases() == []


@pytest.mark.parametrize(("spoil", "path"), UNORDERABLE)
async def test_a_key_with_what_could_not_be_ordered_is_refused_on_its_page(
    klarna: MockKlarnaAsync, button: Json, page: Page, spoil: Callable[[Json], None], path: str
) -> None:
    offered = page("se-battery-pack") | {"order_lines": [LINE], "shipping_options": [POST]}
    spoil(offered)
    setup = {"key": button["button_key"], "instance_id": "1"}
    answer = await klarna.send("POST", "/instantshopping/sdk/load", {"options": {"setup": setup, **offered}})
    assert answer.body["show_button"] is False
    assert answer.body["error"]["invalid_fields"] == [path]


async def test_no_shopper_chooses_more_than_an_order_can_hold(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    select = {"quantity": 1_000_000}
    answer = await klarna.send("POST", "/_mock/purchases", {"page": page("se-variations"), "select": select})
    assert answer.status == 400
    assert [problem["path"] for problem in answer.body["errors"]] == [
        "order_lines[0].total_amount",
        "order_lines[0].total_tax_amount",
    ]


async def test_a_quantity_of_lines_that_have_theirs_is_told_by_its_name(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    wish = {"page": page("se-battery-pack"), "select": {"quantity": 3}}
    (problem,) = (await klarna.send("POST", "/_mock/purchases", wish)).body["errors"]
    assert (problem["path"], problem["value"]) == ("select.quantity", 3)


async def test_an_empty_description_is_left_out_of_the_order(klarna: MockKlarnaAsync, button: Json, page: Page) -> None:
    offered = page("se-battery-pack") | {"shipping_options": [POST | {"description": "", "promo": ""}]}
    bought = await klarna.purchase(page=offered, wait=0)
    assert bought["order"]["selected_shipping_option"] == POST
