"""The URL of `place_order` selects what the shop does."""

import aiohttp
import pytest

from mock_klarna import Settings, serve
from mock_klarna.client import Client
from mock_klarna.demo import serve_shop
from mock_klarna.demo.behaviours import FAULTY_ANSWERS, PLACE_ORDER_BEHAVIOURS
from mock_klarna.demo.shop import Shop
from tests.demo.merchant import Merchant, cart

READ, PLACED = ("GET", 200), ("POST", 200)
DECISIONS = {
    "place": ("placed", [READ, PLACED]),
    "place_unchecked": ("placed", [PLACED]),
    "deny": ("denied", [("DELETE", 204)]),
    "slow&seconds=0.01": ("placed", [READ, PLACED]),
    "late": ("authorized", []),
    "place_twice": ("placed", [READ, PLACED, PLACED]),
    "place_then_deny": ("placed", [READ, PLACED, ("DELETE", 403)]),
    "deny_then_place": ("denied", [("DELETE", 204), ("POST", 403)]),
    "place_and_error": ("placed", [READ, PLACED]),
    "place_with_confirmation": ("placed", [READ, PLACED]),
    "change&order_amount=100000": ("placed", [READ, PLACED]),
    "change&order_amount=124001": ("authorized", [READ, ("POST", 400)]),
    "change&purchase_currency=EUR": ("authorized", [READ, ("POST", 400)]),
    "wrong_tax": ("authorized", [READ, ("POST", 400)]),
    "wrong_password": ("authorized", [("POST", 401)]),
    "other_merchant": ("authorized", []),
    "unknown_token": ("authorized", [("POST", 404)]),
}
ANSWERS = {
    "place": ("answered", 200),
    "place_and_error": ("answered", 500),
    "slow&seconds=soon": ("answered", 400),
    "change&order_amount=much": ("answered", 400),
    "silent": ("answered", 200),
    "error": ("answered", 500),
    "garbage": ("answered", 200),
    "broken": ("broken", None),
    "redirect": ("redirected", 302),
    "endless": ("too_long", 200),
}


def test_every_behaviour_has_a_test() -> None:
    assert {then.partition("&")[0] for then in DECISIONS} == set(PLACE_ORDER_BEHAVIOURS)
    assert {*ANSWERS, "hang"} >= set(FAULTY_ANSWERS)


@pytest.mark.parametrize(("then", "state", "calls"), [(then, *expected) for then, expected in DECISIONS.items()])
async def test_a_behaviour_has_its_result_and_its_calls(
    merchant: Merchant, then: str, state: str, calls: list[tuple[str, int]]
) -> None:
    purchase = await merchant.purchase(then)
    assert purchase["state"] == state
    assert await merchant.calls() == calls


@pytest.mark.parametrize(("then", "outcome", "status"), [(then, *expected) for then, expected in ANSWERS.items()])
async def test_a_faulty_answer_has_its_outcome(merchant: Merchant, then: str, outcome: str, status: int | None) -> None:
    entry = await merchant.callback((await merchant.purchase(then))["purchase_id"])
    assert (entry["outcome"], entry["status"]) == (outcome, status)


@pytest.mark.parametrize("then", sorted(FAULTY_ANSWERS.keys() - {"hang"}))
async def test_a_faulty_answer_leaves_the_purchase_undecided(merchant: Merchant, then: str) -> None:
    assert (await merchant.purchase(then))["state"] == "authorized"
    assert await merchant.calls() == []


async def test_a_shop_that_hangs_has_not_answered_in_time_and_leaves_the_purchase_undecided() -> None:
    async with (
        serve(Settings(port=0, callback_timeout=0.1)) as running,
        serve_shop(running.url) as demo,
        Client(running.url, "impatient") as klarna,
        Client(demo.url) as shop,
    ):
        merchant = Merchant(klarna, shop)
        purchase = await merchant.purchase("hang")
        entry = await merchant.callback(purchase["purchase_id"])
        assert (purchase["state"], entry["outcome"], entry["status"]) == ("authorized", "timed_out", None)
        assert await merchant.calls() == []


@pytest.mark.parametrize(
    ("name", "shopper", "amount", "currency"),
    [("se-battery-pack", "se-guide", 124000, "SEK"), ("us-battery-pack", "us-approved", 12400, "USD")],
)
async def test_the_purchases_of_the_guide_are_placed_as_they_were_authorized(
    merchant: Merchant, name: str, shopper: str, amount: int, currency: str
) -> None:
    purchase = await merchant.purchase(page=cart(name), shopper=shopper)
    (order,) = (await merchant.books())["orders"]
    assert (purchase["state"], order["order_id"]) == ("placed", purchase["order_id"])
    assert order["order"] == {**purchase["order"], "merchant_reference1": order["order"]["merchant_reference1"]}
    assert (order["order"]["order_amount"], order["order"]["purchase_currency"]) == (amount, currency)


async def test_the_shop_has_a_button_of_its_own(demo_shop: Shop, merchant: Merchant) -> None:
    body = {"button_key": demo_shop.button_key, "page": cart("se-battery-pack"), "wait": 120}
    answer = await merchant.klarna.send("POST", "/_mock/purchases?merchant=demo-shop", body)
    assert (answer.body["state"], answer.body["redirect_url"]) == ("placed", f"{merchant.shop.url}/thanks")


async def test_a_denial_has_the_reason_in_the_url(merchant: Merchant) -> None:
    purchase = await merchant.purchase("deny&deny_code=other&deny_message=Closed%20on%20Mondays")
    assert purchase["deny"] == {"deny_code": "other", "deny_message": "Closed on Mondays"}
    assert purchase["consumer_message"] == "Closed on Mondays"


async def test_a_denial_can_redirect_the_shopper(merchant: Merchant) -> None:
    purchase = await merchant.purchase("deny&deny_redirect_url=https%3A%2F%2Fshop.example%2Fno%3Fa%3D1")
    assert purchase["redirect_url"] == "https://shop.example/no?a=1"


async def test_a_denial_without_a_reason_has_no_body(merchant: Merchant) -> None:
    assert (await merchant.purchase("deny"))["deny"] == {}


async def test_an_order_can_have_its_own_confirmation_page(merchant: Merchant) -> None:
    purchase = await merchant.purchase("place_with_confirmation")
    assert purchase["redirect_url"] == f"https://www.example.com/thanks/{purchase['order_id']}"


async def test_wrong_tax_changes_only_the_first_line(merchant: Merchant) -> None:
    await merchant.purchase("wrong_tax")
    _read, call = (await merchant.books())["calls"]
    assert call["answer"]["error_message"] == "bad_value:order_lines[0].total_tax_amount"


async def test_the_credentials_of_another_merchant_are_answered_403(merchant: Merchant) -> None:
    await merchant.purchase("other_merchant")
    calls = (await merchant.shop.ask("GET", f"/orders?merchant=not-{merchant.klarna.merchant}"))["calls"]
    assert [call["status"] for call in calls] == [403]


async def test_a_postponed_purchase_is_placed_on_request(merchant: Merchant) -> None:
    purchase = await merchant.purchase("late")
    assert await merchant.shop.ask("POST", f"/late?merchant={merchant.klarna.merchant}") == {"released": 1}
    assert (await merchant.klarna.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}"))["state"] == "placed"
    assert await merchant.shop.ask("POST", f"/late?merchant={merchant.klarna.merchant}") == {"released": 0}


async def test_an_unknown_behaviour_is_answered_400_with_the_known_ones(merchant: Merchant) -> None:
    entry = await merchant.callback((await merchant.purchase("dance"))["purchase_id"])
    assert entry["status"] == 400
    assert "'dance'" in entry["answer_body"]
    assert "place_twice" in entry["answer_body"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"authorization_token": "a"}', b'{"order": {}}', b"\xff"])
async def test_an_invalid_callback_is_answered_400(merchant: Merchant, body: bytes) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(merchant.url("place-order", ""), data=body) as answer,
    ):
        assert answer.status == 400
