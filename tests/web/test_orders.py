"""An order in one call, for merchants that test Order Management without a page or a button key."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import jsonschema_rs
import pytest
import pytest_asyncio

from mock_klarna import MockKlarna, MockKlarnaAsync, Settings, resources
from mock_klarna.validation.schemas import SchemaValidator, load
from tests.merchants.shop import Shop, opened

Json = dict[str, Any]
Page = Callable[[str], Any]
ORDERS = "/_mock/orders"


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers 200 to everything."""
    async with opened() as shop:
        yield shop


def with_urls(page: Json, shop: str) -> Json:
    return {**page, "merchant_urls": {name: f"{shop}/{name}/{{order.id}}" for name in ("push", "notification")}}


async def events(klarna: MockKlarnaAsync) -> list[str]:
    return [entry["name"] for entry in await klarna.journal(kind="event")]


async def test_an_order_needs_no_button_key_and_no_merchant_urls(klarna: MockKlarnaAsync, page: Page) -> None:
    answer = await klarna.send("POST", ORDERS, {"page": page("se-battery-pack"), "shopper": "se-approved"})
    placed = answer.body
    assert (answer.status, answer.headers["Location"]) == (201, f"{ORDERS}/{placed['order_id']}")
    assert placed["merchant"] == klarna.merchant
    assert (placed["fraud_status"], placed["order_amount"], placed["push_url"]) == ("ACCEPTED", 124000, None)
    assert placed["order"]["merchant_urls"] == {"terms": "https://www.example.com/terms.php"}
    managed = await klarna.managed_order(placed["order_id"])
    assert managed == placed["order_management"]
    assert (managed["status"], managed["remaining_authorized_amount"]) == ("AUTHORIZED", 124000)
    assert managed["billing_address"]["given_name"] == "Alice"
    assert [line["type"] for line in managed["order_lines"]] == ["physical", "shipping_fee"]


async def test_a_shopper_whom_the_dialog_would_refuse_is_refused(klarna: MockKlarnaAsync, page: Page) -> None:
    answer = await klarna.send("POST", ORDERS, {"page": page("se-battery-pack"), "shopper": {"email": "x"}})
    assert (answer.status, answer.body["where"]) == (400, "shopper")
    assert [problem["path"] for problem in answer.body["errors"]] == ["shopper.email"]
    assert await klarna.orders() == []


async def test_the_answer_satisfies_its_schema(klarna: MockKlarnaAsync, page: Page) -> None:
    schemas = SchemaValidator(load(resources.schemas(), strict=True))
    schema: jsonschema_rs.Draft202012Validator = schemas.schema("components/placed_order.json")
    placed = await klarna.order(page=page("se-variations"), select={"product_attributes": {"clr": "blue"}})
    for shown in (placed, await klarna.find_order(placed["order_id"])):
        schema.validate(shown)


async def test_the_journal_shows_the_purchase_and_nothing_is_sent(klarna: MockKlarnaAsync, page: Page) -> None:
    placed = await klarna.order(page=page("se-checkboxes"), select={"checkboxes": {"newsletter": True}})
    await klarna.advance_clock("1h")
    assert (await events(klarna))[:5] == [
        "session_initiated",
        "identification_updated",
        "checkboxes_answered",
        "purchase_authorized",
        "purchase_placed",
    ]
    assert await klarna.callbacks() == []
    purchase = await klarna.find_purchase(placed["purchase_id"])
    assert (purchase["state"], purchase["order_id"]) == ("placed", placed["order_id"])
    assert purchase["order"]["merchant_requested"]["newsletter"]


async def test_pushes_and_notifications_follow_as_after_any_purchase(
    klarna: MockKlarnaAsync, page: Page, shop: Shop
) -> None:
    outcome = {"fraud_status": "PENDING", "then": "ACCEPTED", "after": "1h"}
    placed = await klarna.order(page=with_urls(page("us-battery-pack"), shop.url), outcome=outcome)
    assert placed["fraud_status"] == "PENDING"
    await klarna.advance_clock("2h")
    order_id = placed["order_id"]
    (notified,) = shop.at(f"/notification/{order_id}")
    assert notified.json == {"order_id": order_id, "event_type": "FRAUD_RISK_ACCEPTED"}
    assert len(shop.at(f"/push/{order_id}")) == 4
    await klarna.acknowledge(order_id)
    await klarna.advance_clock("12h")
    assert {request.path.split("/")[1] for request in shop.requests} == {"push", "notification"}
    assert len(shop.at(f"/push/{order_id}")) == 4


async def test_a_button_key_gives_its_options_if_it_is_named(klarna: MockKlarnaAsync, page: Page) -> None:
    urls = {"place_order": "https://shop.example/place", "push": "https://shop.example/push/{order.id}"}
    key = (await klarna.create_button(merchant_urls={**urls, "terms": "https://shop.example"}))["button_key"]
    named = await klarna.order(page=page("se-battery-pack"), button_key=key)
    assert named["push_url"] == f"https://shop.example/push/{named['order_id']}"
    assert (await klarna.order(page=page("se-battery-pack")))["push_url"] is None


async def test_a_refused_order_is_cancelled_as_after_any_purchase(klarna: MockKlarnaAsync, page: Page) -> None:
    placed = await klarna.order(page=page("se-battery-pack"), outcome="REJECTED")
    assert (placed["fraud_status"], placed["order_management"]["status"]) == ("REJECTED", "CANCELLED")


@pytest.mark.parametrize(
    ("body", "status", "path", "hint"),
    [
        ({"page": {}}, 400, "purchase_country", "an ISO 3166"),
        ({"shopper": {"email": "shopper+denied@example.com"}}, 409, "shopper", "another shopper, or an outcome"),
        ({"shopper": "se-nobody"}, 404, "shopper", "mock-klarna shoppers"),
        ({"shopper": {"country": "NO"}}, 400, "shipping_address.country", "one of SE"),
        ({"select": {"shipping_option": "teleport"}}, 400, "select.shipping_option", "one of express_priority"),
        ({"button_key": "made-up"}, 404, "button_key", "create one with"),
        ({"cart": "se-batery-pack"}, 404, "cart", "did you mean se-battery-pack?"),
        ({"cart": 5}, 400, "cart", "a string"),
        ({"buton_key": "x"}, 400, "buton_key", "did you mean button_key?"),
        ({"outcome": "MAYBE"}, 400, "outcome", "one of ACCEPTED, PENDING, REJECTED"),
    ],
)
async def test_an_invalid_order_is_refused_as_a_purchase_is_and_leaves_no_merchant(
    klarna: MockKlarnaAsync, page: Page, body: Json, status: int, path: str, hint: str
) -> None:
    answer = await klarna.send("POST", ORDERS, {"page": page("se-battery-pack"), **body})
    problems = answer.body.get("errors", [])
    assert answer.status == status
    assert path in {answer.body.get("where"), *(problem["path"] for problem in problems)}
    assert any(hint in text for text in (answer.body.get("hint", ""), *(each["expected"] for each in problems)))
    assert (await klarna.snapshot())["merchants"] == {}


async def test_a_stored_cart_is_named_and_the_page_goes_over_it(klarna: MockKlarnaAsync, button: Json) -> None:
    page = {"merchant_reference1": "10042"}
    placed = await klarna.order(cart="se-battery-pack", page=page)
    bought = await klarna.purchase(cart="se-battery-pack", page=page, wait=0)
    for order in (placed["order"], bought["order"]):
        assert (order["order_amount"], order["merchant_reference1"]) == (124000, "10042")


async def test_an_order_belongs_to_a_merchant(klarna: MockKlarnaAsync, page: Page) -> None:
    body = {"page": page("se-battery-pack")}
    answer = await klarna.send("POST", ORDERS, body, {"Authorization": ""})
    assert (answer.status, answer.body["errors"][0]["path"]) == (400, "merchant")
    answer = await klarna.send("POST", f"{ORDERS}?merchant=plugin", body, {"Authorization": ""})
    assert (answer.status, answer.body["merchant"]) == (201, "plugin")


async def test_the_same_seed_gives_the_same_order(klarna: MockKlarnaAsync, page: Page) -> None:
    placed = []
    for _ in range(2):
        await klarna.reset("7")
        placed.append(await klarna.order(page=page("se-battery-pack")))
    assert placed[0]["order_id"] == placed[1]["order_id"]
    assert placed[0]["order"] == placed[1]["order"]


async def test_a_snapshot_keeps_the_order(klarna: MockKlarnaAsync, page: Page) -> None:
    placed = await klarna.order(page=page("se-battery-pack"))
    state = await klarna.snapshot()
    await klarna.reset()
    await klarna.load_snapshot(state)
    assert await klarna.find_order(placed["order_id"]) == placed


def test_a_test_without_a_loop_places_an_order_in_one_call(mock_klarna: MockKlarna, page: Page) -> None:
    order_id = mock_klarna.order(page=page("se-battery-pack"), shopper="se-approved")["order_id"]
    mock_klarna.capture(order_id, 124000)
    mock_klarna.refund(order_id, 1000)
    assert mock_klarna.managed_order(order_id)["status"] == "CAPTURED"


class TestStrict:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, strict=True)

    async def test_a_strict_server_demands_a_confirmation_url(self, klarna: MockKlarnaAsync, page: Page) -> None:
        cart = page("se-battery-pack")
        answer = await klarna.send("POST", ORDERS, {"page": cart})
        assert (answer.status, answer.body["errors"][0]["path"]) == (400, "merchant_urls.confirmation")
        cart["merchant_urls"] = {"confirmation": "https://shop.example/thanks"}
        assert (await klarna.send("POST", ORDERS, {"page": cart})).status == 201
