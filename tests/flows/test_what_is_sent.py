"""What the server sends obeys its own schemas and rules, in strict mode too, whatever was accepted before."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from mock_klarna import MockKlarnaAsync, resources
from mock_klarna.domain.callbacks import CALLBACKS
from mock_klarna.validation import Validator
from mock_klarna.validation.schemas import SchemaValidator
from tests.merchants import shop as shops
from tests.merchants.shop import Shop

Json = dict[str, Any]
Page = Callable[[str], Any]
CARTS = sorted(file.stem for file in (resources.fixtures() / "carts").glob("*.json"))
STRICT = Validator(strict=True)
GIFT_CARD = {"type": "gift_card", "name": "Gift card", "reference": 100, "quantity": 1, "quantity_unit": ""}
GIFT_CARD |= {"unit_price": 5000, "tax_rate": 0, "total_amount": 5000, "total_tax_amount": 0}
LENIENT: Json = {
    "purchase_country": "se",
    "purchase_currency": "sek",
    "locale": "SV-se",
    "merchant_reference1": 10042,
    "merchant_reference2": None,
    "order_lines": [GIFT_CARD],
    "shipping_options": [{"id": 7, "name": "Post", "price": 0, "tax_rate": 0, "tax_amount": 0}],
    "billing_address": {"country": "", "postal_code": 11148, "phone": 46701740615},
    "customer": {"date_of_birth": "", "national_identification_number": 194103219202},
    "options": [],
}


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that changes the lines in its answer to `update`."""
    async with shops.opened() as opened:
        opened.answers["/update"] = shops.always(200, {"merchant_reference2": 4711})
        yield opened


def urls(shop: Shop, *names: str) -> dict[str, str]:
    return {name: f"{shop.url}/{name}" for name in (*names, "update", "terms", "confirmation", "push", "notification")}


def obeys(kind: str, body: Any) -> None:
    """Check the body of a callback; its URLs are those of a shop on this machine, which strict mode refuses."""
    order = body.get("order", body)
    order.pop("merchant_urls", None)
    named = [problem for problem in STRICT.check(kind, body)[1] if problem.path not in ("order.merchant_urls",)]
    assert named == []
    assert STRICT.check(kind, body)[0] == body


def obeys_schema(component: str, body: Any) -> None:
    SchemaValidator(STRICT.catalogue).schema(f"components/{component}.json").validate(body)


def sent(shop: Shop, kind: str) -> list[Any]:
    return [request.json if request.body else b"" for request in shop.at(f"/{kind}")]


@pytest.mark.parametrize("cart", [*CARTS, "lenient"])
async def test_every_callback_of_a_purchase_obeys_its_schema(
    klarna: MockKlarnaAsync, shop: Shop, page: Page, cart: str
) -> None:
    cart_page = LENIENT if cart == "lenient" else page(cart)
    await klarna.create_button(merchant_urls=urls(shop, "place_order"))
    purchase = await klarna.purchase(page=cart_page, outcome="PENDING", wait=0)
    await klarna.wait_for("place_order", kind="callback", within=60)
    authorized = await klarna.get_authorization(purchase["authorization_token"])
    order_id = (await klarna.create_order(purchase["authorization_token"], authorized))["order_id"]
    await klarna.decide(order_id, "ACCEPTED")
    await klarna.wait_for("notification", kind="callback", within=60)
    await klarna.advance_clock("10m")
    for kind in ("place_order", "update", "notification"):
        bodies = sent(shop, kind)
        assert bodies, kind
        for body in bodies:
            obeys(kind, body)
    assert sent(shop, "push") == [b""]
    await klarna.capture(order_id, 1, reference=1)
    obeys_schema("managed_order", await klarna.managed_order(order_id))
    obeys_schema("placed_order", await klarna.find_order(order_id))


async def test_health_clock_and_callbacks_obey_their_schemas(klarna: MockKlarnaAsync, shop: Shop, page: Page) -> None:
    await klarna.create_button(merchant_urls=urls(shop, "place_order"))
    await klarna.purchase(page=page(CARTS[0]), wait=0)
    (sent_callback,) = await klarna.callbacks(kind="place_order")
    obeys_schema("callback", sent_callback)
    obeys_schema("callback", await klarna.resend(sent_callback["callback_id"]))
    obeys_schema("callbacks", (await klarna.send("GET", "/_mock/callbacks")).body)
    obeys_schema("clock", await klarna.advance_clock("1m"))
    obeys_schema("clock", (await klarna.send("GET", "/_mock/clock", headers={"Authorization": ""})).body)
    obeys_schema("health", (await klarna.send("GET", "/_mock/health")).body)


@pytest.mark.parametrize("cart", ["digital-without-shipping", "lenient"])
async def test_the_callback_for_a_customer_token_obeys_its_schema(
    klarna: MockKlarnaAsync, shop: Shop, page: Page, cart: str
) -> None:
    await klarna.create_button(merchant_urls=urls(shop, "create_customer_token"))
    await klarna.purchase(page=LENIENT if cart == "lenient" else page(cart), wait=0)
    await klarna.wait_for("create_customer_token", kind="callback", within=60)
    (body,) = sent(shop, "create_customer_token")
    obeys("create_customer_token", body)


async def test_a_lenient_order_is_stored_and_shown_in_its_documented_form(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    purchase = await klarna.purchase(page=page("se-battery-pack"), wait=0)
    order = purchase["order"]
    order["order_lines"][0] |= {"reference": 4711, "quantity_unit": ""}
    order["billing_address"] |= {"postal_code": 11148}
    order |= {"merchant_reference1": 10042, "merchant_data": None}
    token = purchase["authorization_token"]
    order_id = (await klarna.create_order(token, order))["order_id"]
    assert (await klarna.create_order(token, order))["order_id"] == order_id
    shown = await klarna.managed_order(order_id)
    assert shown["order_lines"][0]["reference"] == "4711"
    assert "quantity_unit" not in shown["order_lines"][0]
    assert (shown["billing_address"]["postal_code"], shown["merchant_reference1"]) == ("11148", "10042")
    obeys_schema("managed_order", shown)


def test_there_is_a_schema_for_every_callback_with_a_body() -> None:
    assert set(CALLBACKS) - {"push"} <= set(STRICT.operations)
