import pytest

from mock_klarna.demo.behaviours import BEHAVIOURS, MISBEHAVIOURS
from tests.demo.trade import Trade, cart

DECISIONS = {
    "place": ("placed", [("POST", 200)]),
    "deny": ("denied", [("DELETE", 204)]),
    "slow&seconds=0.01": ("placed", [("POST", 200)]),
    "late": ("authorized", []),
    "place_twice": ("placed", [("POST", 200), ("POST", 200)]),
    "place_then_deny": ("placed", [("POST", 200), ("DELETE", 403)]),
    "deny_then_place": ("denied", [("DELETE", 204), ("POST", 403)]),
    "place_and_error": ("placed", [("POST", 200)]),
    "get_then_place": ("placed", [("GET", 200), ("POST", 200)]),
    "change&order_amount=100000": ("placed", [("POST", 200)]),
    "change&order_amount=124001": ("authorized", [("POST", 400)]),
    "change&purchase_currency=EUR": ("authorized", [("POST", 400)]),
    "wrong_tax": ("authorized", [("POST", 400)]),
    "wrong_password": ("authorized", [("POST", 401)]),
    "other_merchant": ("authorized", []),
    "unknown_token": ("authorized", [("POST", 404)]),
}
ANSWERS = {
    "place": ("answered", 200),
    "place_and_error": ("answered", 500),
    "silent": ("answered", 200),
    "error": ("answered", 500),
    "garbage": ("answered", 200),
    "broken": ("broken", None),
    "redirect": ("redirected", 302),
    "endless": ("too_long", 200),
    "hang": ("timed_out", None),
}


def test_every_behaviour_is_tried() -> None:
    assert {then.partition("&")[0] for then in DECISIONS} == set(BEHAVIOURS)
    assert set(ANSWERS) >= set(MISBEHAVIOURS)


@pytest.mark.parametrize(("then", "state", "calls"), [(then, *expected) for then, expected in DECISIONS.items()])
async def test_a_behaviour_decides_as_its_name_says(
    trade: Trade, then: str, state: str, calls: list[tuple[str, int]]
) -> None:
    purchase = await trade.buy(then)
    assert purchase["state"] == state
    assert await trade.calls() == calls


@pytest.mark.parametrize(("then", "outcome", "status"), [(then, *expected) for then, expected in ANSWERS.items()])
async def test_a_misbehaviour_reaches_klarna(trade: Trade, then: str, outcome: str, status: int | None) -> None:
    attempt = await trade.callback((await trade.buy(then))["purchase_id"])
    assert (attempt["outcome"], attempt["status"]) == (outcome, status)


@pytest.mark.parametrize("then", sorted(MISBEHAVIOURS))
async def test_a_misbehaviour_decides_nothing(trade: Trade, then: str) -> None:
    assert (await trade.buy(then))["state"] == "authorized"
    assert await trade.calls() == []


@pytest.mark.parametrize(
    ("name", "shopper", "amount", "currency"),
    [("se-battery-pack", "se-seed", 124000, "SEK"), ("us-battery-pack", "us-approved", 12400, "USD")],
)
async def test_the_seeds_purchases_are_placed_as_they_were_authorized(
    trade: Trade, name: str, shopper: str, amount: int, currency: str
) -> None:
    purchase = await trade.buy(page=cart(name), shopper=shopper)
    (kept,) = (await trade.books())["orders"]
    assert (purchase["state"], kept["order_id"]) == ("placed", purchase["order_id"])
    assert kept["order"] == purchase["order"]
    assert (kept["order"]["order_amount"], kept["order"]["purchase_currency"]) == (amount, currency)


async def test_the_shop_has_a_button_of_its_own(opened: str, trade: Trade) -> None:
    body = {"button_key": opened.rsplit(maxsplit=1)[-1], "page": cart("se-battery-pack"), "wait": 10}
    answer = await trade.klarna.send("POST", "/_mock/purchases?merchant=demo-shop", body)
    assert (answer.body["state"], answer.body["redirect_url"]) == ("placed", f"{trade.shop.url}/thanks")


async def test_a_denial_says_what_the_url_asks_for(trade: Trade) -> None:
    purchase = await trade.buy("deny&deny_code=other&deny_message=Closed%20on%20Mondays")
    assert purchase["deny"] == {"deny_code": "other", "deny_message": "Closed on Mondays"}
    assert purchase["consumer_message"] == "Closed on Mondays"


async def test_a_denial_can_send_the_shopper_elsewhere(trade: Trade) -> None:
    purchase = await trade.buy("deny&deny_redirect_url=https%3A%2F%2Fshop.example%2Fno%3Fa%3D1")
    assert purchase["redirect_url"] == "https://shop.example/no?a=1"


async def test_a_denial_without_a_reason_has_no_body(trade: Trade) -> None:
    assert (await trade.buy("deny"))["deny"] == {}


async def test_an_order_can_get_a_confirmation_page_of_its_own(trade: Trade) -> None:
    purchase = await trade.buy("get_then_place")
    assert purchase["redirect_url"] == f"https://www.example.com/thanks/{purchase['order_id']}"


async def test_wrong_tax_is_wrong_in_the_first_line_alone(trade: Trade) -> None:
    await trade.buy("wrong_tax")
    (call,) = (await trade.books())["calls"]
    assert call["answer"]["error_message"] == "bad_value:order_lines[0].total_tax_amount"


async def test_credentials_of_somebody_else_are_refused(trade: Trade) -> None:
    await trade.buy("other_merchant")
    calls = (await trade.shop.ask("GET", f"/orders?merchant=not-{trade.klarna.merchant}"))["calls"]
    assert [call["status"] for call in calls] == [403]


async def test_a_purchase_that_was_put_off_is_placed_when_told(trade: Trade) -> None:
    purchase = await trade.buy("late")
    assert await trade.shop.ask("POST", f"/late?merchant={trade.klarna.merchant}") == {"released": 1}
    assert (await trade.klarna.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}"))["state"] == "placed"
    assert await trade.shop.ask("POST", f"/late?merchant={trade.klarna.merchant}") == {"released": 0}


async def test_an_unknown_behaviour_is_answered_with_those_there_are(trade: Trade) -> None:
    attempt = await trade.callback((await trade.buy("dance"))["purchase_id"])
    assert attempt["status"] == 400
    assert "'dance'" in attempt["answer_body"]
    assert "place_twice" in attempt["answer_body"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"authorization_token": "a"}', b'{"order": {}}', b"\xff"])
async def test_a_callback_that_is_none_is_a_bad_request(shop_url: str, body: bytes) -> None:
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{shop_url}/klarna/place-order", data=body) as answer,
    ):
        assert answer.status == 400
