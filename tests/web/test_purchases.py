"""Purchases without a browser: what a shopper selects, what is refused, and what cannot become an order."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync, Settings
from mock_klarna.domain.cheating import CHEATS
from mock_klarna.resources import cart_names

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
async def test_a_shopper_buys_the_selection(
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
    await klarna.wait_for("place_order", within=60)
    found = [await klarna.find_purchase(purchase[name]) for name in ("purchase_id", "authorization_token")]
    assert [one["purchase_id"] for one in found] == [purchase["purchase_id"]] * 2
    assert found[0]["callbacks"][0]["kind"] == "place_order"


async def test_purchases_are_listed_newest_first(klarna: MockKlarnaAsync, button: Json, page: Page) -> None:
    made = [(await klarna.purchase(page=page("se-battery-pack"), wait=0))["purchase_id"] for _ in range(3)]
    listed = (await klarna.send("GET", f"{PURCHASES}?limit=2")).body
    assert ([one["purchase_id"] for one in listed["purchases"]], listed["total"]) == (made[:0:-1], 3)
    assert (await klarna.send("GET", f"{PURCHASES}?merchant=other")).body == {"purchases": [], "total": 0}
    older = (await klarna.send("GET", f"{PURCHASES}?limit=2&before={made[1]}")).body
    assert ([one["purchase_id"] for one in older["purchases"]], older["total"]) == (made[:1], 3)
    unknown = await klarna.send("GET", f"{PURCHASES}?before=x")
    assert (unknown.status, unknown.body["errors"][0]["path"]) == (400, "before")


async def test_waiting_for_a_purchase_ends_when_a_reset_deletes_it(klarna: MockKlarnaAsync, purchase: Json) -> None:
    path = f"{PURCHASES}/{purchase['purchase_id']}"
    waiting = asyncio.create_task(klarna.send("GET", f"{path}?wait=600"))
    await klarna.send("GET", path)
    await klarna.reset()
    async with asyncio.timeout(120):
        assert (await waiting).status == 404


async def test_waiting_ends_with_the_merchants_decision(klarna: MockKlarnaAsync, purchase: Json) -> None:
    waiting = klarna.find_purchase(purchase["purchase_id"], wait=120)
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
async def test_every_named_shopper_can_buy(
    klarna: MockKlarnaAsync, button: Json, page: Page, shopper: Any, state: str
) -> None:
    body = {"page": page("se-battery-pack"), "wait": 0, "shopper": shopper}
    bought = await klarna.purchase(**body)
    assert bought["state"] == state
    if isinstance(shopper, dict) and state == "authorized":
        assert {name: bought["order"]["billing_address"][name] for name in shopper} == shopper


NO_BUTTON = "create one with POST /instantshopping/v1/buttons"


@pytest.mark.parametrize("cheat", CHEATS)
async def test_a_shopper_who_cheats_is_an_event_before_the_authorization(
    klarna: MockKlarnaAsync, button: Json, page: Page, cheat: str
) -> None:
    bought = await klarna.purchase(page=page("se-battery-pack"), cheat=cheat, wait=0)
    assert bought["state"] == "authorized"
    names = [entry["name"] for entry in await klarna.journal(kind="event", purchase_id=bought["purchase_id"])]
    assert names == ["session_initiated", "identification_updated", "cart_changed", "purchase_authorized"]
    event = await klarna.wait_for("cart_changed", purchase_id=bought["purchase_id"], within=60)
    assert event["cheat"] == cheat
    assert event["before"] != event["after"]


WRONG: list[tuple[Json, int, str, str]] = [
    ({"button_key": "123e4567-e89b-12d3-a456-426655440000 >"}, 404, "button_key", NO_BUTTON),
    ({"shopper": "se-nobody"}, 404, "shopper", "mock-klarna shoppers"),
    ({"shopper": {"country": "JP"}}, 404, "shopper", "mock-klarna shoppers"),
    ({"shopper": {"country": "XX"}}, 400, "shopper.country", "an ISO 3166 alpha-2 country code"),
    ({"shopper": {"date_of_birth": "1980-02-30"}}, 400, "shopper.date_of_birth", "a day such as 1985-10-20"),
    ({"shopper": {"email": "x"}}, 400, "shopper.email", "an e-mail address"),
    ({"shopper": {"email": ""}}, 400, "shopper.email", "an e-mail address"),
    ({"shopper": {"phone": "12"}}, 400, "shopper.phone", "a phone number such as +46"),
    ({"shopper": {"postal_code": "1"}}, 400, "shopper.postal_code", "a postal code of SE"),
    ({"shopper": {"email": "x", "billing_address": {"email": "y"}}}, 400, "shopper.billing_address.email", "an e-mail"),
    (
        {"shopper": {"shipping_address": {"postal_code": "1"}}},
        400,
        "shopper.shipping_address.postal_code",
        "a postal code of SE",
    ),
    ({"shopper": {"country": "NO"}}, 400, "shipping_address.country", "one of SE"),
    ({"select": {"shipping_option": "teleport"}}, 400, "select.shipping_option", "one of express_priority"),
    ({"select": {"product_attributes": {"clr": "red"}}}, 400, "select.product_attributes", "no items to choose from"),
    ({"select": {"group_identifier": "shirt"}}, 400, "select.group_identifier", "no items to choose from"),
    ({"select": {"checkboxes": {"news": True}}}, 400, "select.checkboxes.news", "no additional_checkboxes"),
    ({"select": {"checkboxes": {"news": "yes"}}}, 400, "select.checkboxes.news", "true or false"),
    ({"select": {"quantity": 0}}, 400, "select.quantity", "at least 1"),
    ({"select": {"shiping_option": "x"}}, 400, "select.shiping_option", "did you mean shipping_option?"),
    ({"buton_key": "x"}, 400, "buton_key", "did you mean button_key?"),
    ({"page": {"purchase_country": "JP"}}, 409, "purchase_country", "one of "),
    ({"page": {"purchase_currency": "kronor"}}, 400, "page.purchase_currency", "SEK, the currency of SE"),
    ({"page": {"order_lines": []}}, 400, "order_lines", "at least one order line"),
    ({"page": {"locale": ""}}, 400, "page.locale", "sv-SE"),
    ({"outcome": "MAYBE"}, 400, "outcome", "one of ACCEPTED, PENDING, REJECTED"),
    ({"wait": "long"}, 400, "wait", "a number"),
    ({"wait": 1e9}, 400, "wait", "at most 600"),
    ({"merchant_timeout": 0}, 400, "merchant_timeout", "more than 0"),
    ({"cheat": "prices"}, 400, "cheat", "price"),
    ({"cheat": "shipping_price", "page": {"shipping_options": []}}, 400, "cheat", "shipping option"),
]


async def test_an_invalid_purchase_is_refused_with_place_and_hint_and_leaves_no_trace(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    for body, status, path, hint in WRONG:
        whole = {"wait": 0, **body, "page": {**page("se-battery-pack"), **body.get("page", {})}}
        state, journal = await klarna.snapshot(), await klarna.journal()
        answer = await klarna.send("POST", PURCHASES, whole)
        assert answer.status == status, body
        problems = answer.body.get("errors", [])
        places = {answer.body.get("where"), *(problem["path"] for problem in problems)}
        rights = [answer.body.get("hint", ""), *(problem["expected"] for problem in problems)]
        assert path in places, body
        assert any(hint in expected for expected in rights), body
        assert (await klarna.snapshot(), await klarna.journal()) == (state, journal), body


@pytest.mark.parametrize("cart", cart_names())
async def test_every_stored_cart_can_be_bought_by_its_name(klarna: MockKlarnaAsync, button: Json, cart: str) -> None:
    bought = await klarna.purchase(cart=cart, wait=0)
    assert bought["state"] == "authorized"
    ordered = await klarna.order(cart=cart)
    assert ordered["order_amount"] == bought["order_amount"]


async def test_all_problems_of_a_purchase_are_reported_at_once(klarna: MockKlarnaAsync, button: Json) -> None:
    answer = await klarna.send("POST", PURCHASES, {"page": {"locale": "sv-SE"}})
    assert [problem["path"] for problem in answer.body["errors"]] == [
        "purchase_country",
        "purchase_currency",
        "order_lines",
    ]


async def test_a_purchase_without_a_button_key_is_refused_with_a_hint(klarna: MockKlarnaAsync, page: Page) -> None:
    answer = await klarna.send("POST", PURCHASES, {"page": page("se-battery-pack")})
    assert (answer.status, answer.body["hint"]) == (404, f"{NO_BUTTON}, with the same username")


async def test_a_purchase_with_a_disabled_key_is_refused(klarna: MockKlarnaAsync, button: Json, page: Page) -> None:
    await klarna.update_button(button["button_key"], disabled=True)
    answer = await klarna.send("POST", PURCHASES, {"page": page("se-battery-pack")})
    assert (answer.status, answer.body["where"]) == (409, "button_key")


@pytest.mark.parametrize("path", [f"{PURCHASES}/no-such-id", "/_mock/callbacks/no-such-id", "/_mock/orders/no-such-id"])
async def test_an_unknown_purchase_is_not_found(klarna: MockKlarnaAsync, path: str) -> None:
    answer = await klarna.send("GET", path)
    assert (answer.status, "no-such-id" in answer.body["detail"]) == (404, True)
    assert answer.body["hint"]


async def test_a_merchant_cannot_see_the_data_of_another(klarna: MockKlarnaAsync, purchase: Json) -> None:
    callback = (await klarna.wait_for("place_order", within=60))["callback_id"]
    paths = [f"{PURCHASES}/{purchase['purchase_id']}", f"/_mock/callbacks/{callback}"]
    for path in paths:
        assert (await klarna.send("GET", path)).status == 200
        assert (await klarna.send("GET", f"{path}?merchant=other")).status == 404
    assert (await klarna.send("POST", f"{paths[1]}/resend?merchant=other")).status == 404


async def _transcript(klarna: MockKlarnaAsync, page: Page) -> list[Any]:
    urls = {"place_order": "http://127.0.0.1:1/place", "terms": "https://shop.example"}
    answers: list[Any] = [await klarna.create_button(merchant_urls=urls)]
    for cart in ("se-battery-pack", "us-battery-pack", "de-discounts"):
        bought = await klarna.purchase(page=page(cart), wait=0)
        answers += [bought[name] for name in ("purchase_id", "authorization_token", "order")]
        answers.append(await klarna.create_order(bought["authorization_token"], bought["order"]))
    return answers


class TestSeed:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, seed="the seed")

    async def test_the_same_seed_and_requests_give_the_same_ids_shoppers_and_amounts(
        self, klarna: MockKlarnaAsync, page: Page
    ) -> None:
        first = await _transcript(klarna, page)
        await klarna.reset()
        assert await _transcript(klarna, page) == first

    async def test_the_seed_of_a_merchant_overrides_that_of_the_server(
        self, klarna: MockKlarnaAsync, page: Page
    ) -> None:
        plain = await _transcript(klarna, page)
        await klarna.reset(seed=5)
        five = await _transcript(klarna, page)
        assert five[0]["button_key"] != plain[0]["button_key"]
        await klarna.reset(seed="5")
        assert await _transcript(klarna, page) == five


class TestWithoutSeed:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0)

    async def test_ids_are_never_repeated(self, klarna: MockKlarnaAsync, page: Page) -> None:
        first = await _transcript(klarna, page)
        await klarna.reset()
        assert (await _transcript(klarna, page))[0] != first[0]


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
async def test_a_cart_that_cannot_become_an_order_is_refused(
    klarna: MockKlarnaAsync, button: Json, page: Page, spoil: Callable[[Json], None], path: str
) -> None:
    offered = page("se-battery-pack") | {"order_lines": [LINE], "shipping_options": [POST]}
    spoil(offered)
    answer = await klarna.send("POST", "/_mock/purchases", {"page": offered})
    assert answer.status == 400
    assert [problem["path"].removeprefix("page.") for problem in answer.body["errors"]] == [path]
    assert await klarna.purchases() == []


@pytest.mark.parametrize(("spoil", "path"), UNORDERABLE)
async def test_the_page_of_a_key_whose_cart_cannot_become_an_order_is_refused(
    klarna: MockKlarnaAsync, button: Json, page: Page, spoil: Callable[[Json], None], path: str
) -> None:
    offered = page("se-battery-pack") | {"order_lines": [LINE], "shipping_options": [POST]}
    spoil(offered)
    setup = {"key": button["button_key"], "instance_id": "1"}
    answer = await klarna.send("POST", "/instantshopping/sdk/load", {"options": {"setup": setup, **offered}})
    assert answer.body["show_button"] is False
    assert answer.body["error"]["invalid_fields"] == [path]


async def test_a_quantity_above_the_limits_of_an_order_is_refused(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    select = {"quantity": 1_000_000}
    answer = await klarna.send("POST", "/_mock/purchases", {"page": page("se-variations"), "select": select})
    assert answer.status == 400
    assert [problem["path"] for problem in answer.body["errors"]] == [
        "order_lines[0].total_amount",
        "order_lines[0].total_tax_amount",
    ]


async def test_a_quantity_for_fixed_order_lines_is_refused_by_name(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    cart = page("se-battery-pack")
    for offered in (cart, {**cart, "items": page("se-variations")["items"]}):
        body = {"page": offered, "select": {"quantity": 3}}
        (problem,) = (await klarna.send("POST", "/_mock/purchases", body)).body["errors"]
        assert (problem["path"], problem["value"]) == ("select.quantity", 3)


async def test_a_shopper_chooses_one_of_several_products_with_the_same_attributes(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    cart = page("se-variations")
    hats = [{**item, "group_identifier": "hat", "reference": f"HAT-{item['reference']}"} for item in cart["items"]]
    offered = {**cart, "items": [*cart["items"], *hats]}
    select = {"group_identifier": "hat", "product_attributes": {"clr": "blue", "size": "m"}}
    bought = await klarna.purchase(page=offered, select=select, wait=0)
    assert bought["order"]["order_lines"][0]["reference"] == "HAT-TS-blue-m"
    for member, value, expected in (
        ("group_identifier", "shoe", "t-shirt or hat"),
        ("product_attributes", {"clr": "green"}, "'clr': 'blue'"),
    ):
        body = {"page": offered, "select": {**select, member: value}}
        (problem,) = (await klarna.send("POST", "/_mock/purchases", body)).body["errors"]
        assert (problem["path"], problem["value"]) == (f"select.{member}", value)
        assert expected in problem["expected"]


async def test_an_empty_description_is_left_out_of_the_order(klarna: MockKlarnaAsync, button: Json, page: Page) -> None:
    offered = page("se-battery-pack") | {"shipping_options": [POST | {"description": "", "promo": ""}]}
    bought = await klarna.purchase(page=offered, wait=0)
    assert bought["order"]["selected_shipping_option"] == POST


async def test_a_purchase_uses_the_key_in_the_setup_of_the_page(
    klarna: MockKlarnaAsync, button: Any, page: Callable[[str], Any]
) -> None:
    await klarna.create_button(merchant_urls=button["merchant_urls"])
    older = {**page("se-battery-pack"), "setup": {"key": button["button_key"]}}
    assert (await klarna.purchase(page=older, wait=0))["button_key"] == button["button_key"]
    unknown = {**older, "setup": {"key": "nonsense"}}
    answer = await klarna.send("POST", "/_mock/purchases", {"page": unknown})
    assert (answer.status, answer.body["where"]) == (404, "button_key")


@pytest.mark.parametrize(
    ("accepted", "media"),
    [
        ("text/plain", "text/plain"),
        ("application/json, text/plain, */*", "application/json"),
        ("*/*", "application/json"),
    ],
)
async def test_what_happened_to_a_purchase_can_be_read_as_text(
    klarna: MockKlarnaAsync, purchase: Json, accepted: str, media: str
) -> None:
    path = f"{PURCHASES}/{purchase['purchase_id']}"
    headers = {"Authorization": klarna.client.authorization, "Accept": accepted}
    answer = await klarna.send("GET", path, headers=headers)
    assert answer.headers["Content-Type"].partition(";")[0] == media
    assert answer.headers["Vary"] == "Accept"
    if media == "text/plain":
        first, second, *_ = answer.body.splitlines()
        assert first.startswith(f"purchase {purchase['purchase_id']} of {klarna.merchant}: authorized")
        assert second.endswith("clicks the button, a session starts [session_initiated]")


async def test_a_purchase_without_merchant_and_key_is_refused_with_a_hint(
    klarna: MockKlarnaAsync, button: Json
) -> None:
    refused = await klarna.send("POST", PURCHASES, {"cart": "se-battery-pack"}, {"Authorization": ""})
    assert refused.status == 404
    assert refused.body["detail"] == "no merchant and no button key is named"
    assert "?merchant=" in refused.body["hint"]
