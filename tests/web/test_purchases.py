"""A shopper without a browser (`/_mock/purchases`): what can be asked for, and what is said of what cannot."""

from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync, Settings
from tests.cases import in_turn

Json = dict[str, Any]
Page = Callable[[str], Any]
PURCHASES = "/_mock/purchases"


@pytest.mark.parametrize(
    ("cart", "select", "lines", "amount"),
    [
        ("se-battery-pack", {}, ["19-402-B", "express_priority"], 124000),
        ("se-shipping-choice", {}, ["19-402-B", "post_nord"], 119000),
        ("se-shipping-choice", {"shipping_option": "express_priority"}, ["19-402-B", "express_priority"], 124000),
        (
            "se-variations",
            {"product_attributes": {"clr": "blue", "size": "m"}, "quantity": 2},
            ["TS-blue-m", "post_nord"],
            39800,
        ),
        ("us-battery-pack", {}, ["19-402-B", "express_priority"], 12400),
    ],
)
async def test_a_shopper_buys_what_was_selected(
    klarna: MockKlarnaAsync, button: Json, page: Page, cart: str, select: Json, lines: list[str], amount: int
) -> None:
    answer = await klarna.send("POST", PURCHASES, {"page": page(cart), "select": select, "wait": 0})
    bought = answer.body
    assert (answer.status, bought["state"]) == (201, "authorized")
    assert answer.headers["Location"] == f"{PURCHASES}/{bought['purchase_id']}"
    assert [line["reference"] for line in bought["order"]["order_lines"]] == lines
    assert bought["order_amount"] == bought["order"]["order_amount"] == amount
    assert bought["button_key"] == button["button_key"]


async def test_the_merchants_checkboxes_are_answered(klarna: MockKlarnaAsync, button: Json, page: Page) -> None:
    bought = await klarna.purchase(page=page("se-checkboxes"), select={"checkboxes": {"newsletter": True}}, wait=0)
    assert bought["order"]["merchant_requested"] == {"newsletter": True, "age_confirmed": False}


async def test_a_purchase_is_found_by_its_id_and_by_its_token(klarna: MockKlarnaAsync, purchase: Json) -> None:
    found = [await klarna.find_purchase(purchase[name]) for name in ("purchase_id", "authorization_token")]
    assert [one["purchase_id"] for one in found] == [purchase["purchase_id"]] * 2
    assert found[0]["callbacks"][0]["kind"] == "place_order"


async def test_purchases_are_listed_newest_first(klarna: MockKlarnaAsync, button: Json, page: Page) -> None:
    made = [(await klarna.purchase(page=page("se-battery-pack"), wait=0))["purchase_id"] for _ in range(3)]
    listed = (await klarna.send("GET", f"{PURCHASES}?limit=2")).body
    assert ([one["purchase_id"] for one in listed["purchases"]], listed["total"]) == (made[:0:-1], 3)
    assert (await klarna.send("GET", f"{PURCHASES}?merchant=other")).body == {"purchases": [], "total": 0}


async def test_waiting_ends_with_the_merchants_decision(klarna: MockKlarnaAsync, purchase: Json) -> None:
    waiting = klarna.find_purchase(purchase["purchase_id"], wait=30)
    await klarna.deny_authorization(purchase["authorization_token"])
    assert (await waiting)["state"] == "denied"


@pytest.mark.parametrize(
    ("shopper", "state"),
    [
        ("se-approved", "authorized"),
        ({"email": "a@example.com", "given_name": "Ada", "city": "Lund"}, "authorized"),
        ({"email": "shopper+denied@example.com"}, "declined"),
        (None, "authorized"),
    ],
)
async def test_anybody_may_buy(klarna: MockKlarnaAsync, button: Json, page: Page, shopper: Any, state: str) -> None:
    wish = {"page": page("se-battery-pack"), "wait": 0, "shopper": shopper}
    bought = await klarna.purchase(**wish)
    assert bought["state"] == state
    if isinstance(shopper, dict) and state == "authorized":
        assert {name: bought["order"]["billing_address"][name] for name in shopper} == shopper


NO_BUTTON = "create one with POST /instantshopping/v1/buttons"
WRONG: list[tuple[Json, int, str, str]] = [
    ({"button_key": "123e4567-e89b-12d3-a456-426655440000 >"}, 404, "button_key", NO_BUTTON),
    ({"shopper": "se-nobody"}, 404, "shopper", "mock-klarna shoppers"),
    ({"shopper": {"country": "XX"}}, 404, "shopper", "mock-klarna shoppers"),
    ({"shopper": {"country": "NO"}}, 400, "shipping_address.country", "one of SE"),
    ({"select": {"shipping_option": "teleport"}}, 400, "select.shipping_option", "one of express_priority"),
    ({"select": {"product_attributes": {"clr": "red"}}}, 400, "select.product_attributes", "no items to choose from"),
    ({"select": {"checkboxes": {"news": True}}}, 400, "select.checkboxes.news", "no additional_checkboxes"),
    ({"select": {"checkboxes": {"news": "yes"}}}, 400, "select.checkboxes.news", "true or false"),
    ({"select": {"quantity": 0}}, 400, "select.quantity", "at least 1"),
    ({"select": {"shiping_option": "x"}}, 400, "select.shiping_option", "did you mean shipping_option?"),
    ({"buton_key": "x"}, 400, "buton_key", "did you mean button_key?"),
    ({"page": {"purchase_country": "JP"}}, 409, "purchase_country", "one of "),
    ({"page": {"purchase_currency": "kronor"}}, 400, "page.purchase_currency", "ISO 4217"),
    ({"page": {"order_lines": []}}, 400, "order_lines", "at least one order line"),
    ({"page": {"locale": ""}}, 400, "page.locale", "sv-SE"),
    ({"outcome": "MAYBE"}, 400, "outcome", "one of ACCEPTED, PENDING, REJECTED"),
    ({"wait": "long"}, 400, "wait", "a number"),
    ({"wait": 1e9}, 400, "wait", "at most 600"),
    ({"merchant_timeout": 0}, 400, "merchant_timeout", "more than 0"),
]


@in_turn(("wish", "status", "path", "hint"), WRONG)
async def test_a_wrong_wish_is_told_its_place_and_its_remedy(
    klarna: MockKlarnaAsync, button: Json, page: Page, wish: Json, status: int, path: str, hint: str
) -> None:
    whole = {"wait": 0, **wish, "page": {**page("se-battery-pack"), **wish.get("page", {})}}
    answer = await klarna.send("POST", PURCHASES, whole)
    assert answer.status == status
    problems = answer.body.get("errors", [])
    places = {answer.body.get("where"), *(problem["path"] for problem in problems)}
    rights = [answer.body.get("hint", ""), *(problem["expected"] for problem in problems)]
    assert path in places
    assert any(hint in said for said in rights)
    assert (await klarna.send("GET", "/_mock/health")).body["orders"] == 0


async def test_every_problem_is_told_at_once(klarna: MockKlarnaAsync, button: Json) -> None:
    answer = await klarna.send("POST", PURCHASES, {"page": {"locale": "sv-SE"}})
    assert [problem["path"] for problem in answer.body["errors"]] == [
        "purchase_country",
        "purchase_currency",
        "order_lines",
    ]


async def test_a_merchant_without_a_key_is_told_how_to_get_one(klarna: MockKlarnaAsync, page: Page) -> None:
    answer = await klarna.send("POST", PURCHASES, {"page": page("se-battery-pack")})
    assert (answer.status, answer.body["hint"]) == (404, NO_BUTTON)


async def test_a_disabled_key_sells_nothing(klarna: MockKlarnaAsync, button: Json, page: Page) -> None:
    await klarna.update_button(button["button_key"], disabled=True)
    answer = await klarna.send("POST", PURCHASES, {"page": page("se-battery-pack")})
    assert (answer.status, answer.body["where"]) == (409, "button_key")


@pytest.mark.parametrize("path", [f"{PURCHASES}/nobody", "/_mock/callbacks/nobody", "/_mock/orders/nobody"])
async def test_what_does_not_exist_is_not_found_in_words(klarna: MockKlarnaAsync, path: str) -> None:
    answer = await klarna.send("GET", path)
    assert (answer.status, "nobody" in answer.body["detail"]) == (404, True)
    assert answer.body["hint"]


async def test_one_merchant_does_not_see_what_another_one_has(klarna: MockKlarnaAsync, purchase: Json) -> None:
    callback = (await klarna.wait_for("place_order"))["callback_id"]
    paths = [f"{PURCHASES}/{purchase['purchase_id']}", f"/_mock/callbacks/{callback}"]
    for path in paths:
        assert (await klarna.send("GET", path)).status == 200
        assert (await klarna.send("GET", f"{path}?merchant=other")).status == 404
    assert (await klarna.send("POST", f"{paths[1]}/resend?merchant=other")).status == 404


async def _transcript(klarna: MockKlarnaAsync, page: Page) -> list[Any]:
    urls = {"place_order": "http://127.0.0.1:1/place", "terms": "https://shop.example"}
    told: list[Any] = [await klarna.create_button(merchant_urls=urls)]
    for cart in ("se-battery-pack", "us-battery-pack", "de-discounts"):
        bought = await klarna.purchase(page=page(cart), wait=0)
        told += [bought[name] for name in ("purchase_id", "authorization_token", "order")]
        told.append(await klarna.create_order(bought["authorization_token"], bought["order"]))
    return told


class TestSeeded:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, seed="the seed")

    async def test_the_same_seed_and_the_same_calls_give_the_same_ids_shoppers_and_amounts(
        self, klarna: MockKlarnaAsync, page: Page
    ) -> None:
        first = await _transcript(klarna, page)
        await klarna.reset()
        assert await _transcript(klarna, page) == first

    async def test_a_seed_of_ones_own_goes_over_the_servers(self, klarna: MockKlarnaAsync, page: Page) -> None:
        plain = await _transcript(klarna, page)
        await klarna.reset(seed=5)
        five = await _transcript(klarna, page)
        assert five[0]["button_key"] != plain[0]["button_key"]
        await klarna.reset(seed="5")
        assert await _transcript(klarna, page) == five


async def test_without_a_seed_ids_do_not_come_twice(klarna: MockKlarnaAsync, page: Page) -> None:
    first = await _transcript(klarna, page)
    await klarna.reset()
    assert (await _transcript(klarna, page))[0] != first[0]
