"""Purchases in the dialog, and the orders that reach the merchant."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import ALICE, BUTTON, Dialog, painted
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]
Order = Callable[[], Json]


async def test_a_test_shopper_buys_and_continues_to_the_confirmation_page(
    tab: "Page", open_dialog: Open, order: Order
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").click()
    await tab.wait_for_url("**/confirmation")
    assert order()["billing_address"]["given_name"] == "Alice"
    assert order()["integrator_url"].endswith("/product")


async def test_events_reach_the_page_once_and_in_order(
    tab: "Page", open_dialog: Open, order: Order, product_page: Callable[..., str], options: Json
) -> None:
    names = ["session_initiated", "identification_updated", "shipping_updated", "confirmation_displayed"]
    listen = f"for (const name of {names}) Klarna.InstantShopping.on(name, (payload) => answers.push([name, payload]));"
    await tab.goto(product_page(listen + load(_with_post(options), "")))
    await tab.locator(BUTTON).click()
    dialog = Dialog(tab)
    await dialog.identify()
    await dialog.find("#shipping-option-1").check()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    await tab.wait_for_function("answers.length >= 4")
    events: list[tuple[str, Json]] = await tab.evaluate("answers")
    assert [name for name, _ in events] == names
    payload = dict(events)["shipping_updated"]
    assert (payload["customer_country"], payload["customer_postal_code"]) == ("SE", "11148")
    assert payload["customer_selected_shipping_option"]["reference"] == "by_post"


def _with_post(options: Json) -> Json:
    by_post = {"id": "by_post", "name": "By post", "price": 0, "tax_amount": 0, "tax_rate": 2500}
    return {**options, "locale": "en-SE", "shipping_options": [*options["shipping_options"], by_post]}


ADDRESSES = {
    "SE": ({}, "en-SE", "SEK"),
    "DE": (
        {
            "title": "frau",
            "postal_code": "10178",
            "city": "Berlin",
            "phone": "0176 14284340",
            "date_of_birth": "1.2.1980",
        },
        "en-DE",
        "EUR",
    ),
    "US": ({"region": "NY", "postal_code": "10024", "city": "New York", "phone": "310-668-3312"}, "en-US", "USD"),
}


@pytest.mark.parametrize("country", ADDRESSES)
async def test_typed_addresses_reach_the_merchant(open_dialog: Open, order: Order, country: str) -> None:
    more, locale, currency = ADDRESSES[country]
    dialog = await open_dialog(purchase_country=country, purchase_currency=currency, locale=locale)
    typed = {**ALICE, **more}
    title = typed.pop("title", None)
    await dialog.fill(typed)
    if title:
        await dialog.find("#title").select_option(title)
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    address = order()["billing_address"]
    assert {name: address[name] for name in ALICE} == {name: typed[name] for name in ALICE}
    assert address["country"] == country
    customer = {"date_of_birth": "1980-02-01", "title": "Frau", "gender": "female"} if title else {}
    assert order().get("customer", {}) == customer


async def test_the_page_can_fill_in_the_billing_address(open_dialog: Open) -> None:
    dialog = await open_dialog(billing_address={**ALICE, "country": "SE"})
    await expect(dialog.find("#street_address")).to_have_value("Sveavägen 46")
    await dialog.continue_to_review()


async def test_the_shopper_can_enter_a_separate_shipping_address(open_dialog: Open, order: Order) -> None:
    dialog = await open_dialog(options={"allow_separate_shipping_address": True})
    await dialog.fill_in("se-approved")
    await dialog.find("#separate-shipping").check()
    there = {
        "given_name": "Bo",
        "family_name": "Ek",
        "street_address": "Kungsgatan 1",
        "postal_code": "41119",
        "city": "Göteborg",
    }
    await dialog.fill({f"shipping_{name}": value for name, value in there.items()})
    await dialog.find("#shipping_country").select_option("SE")
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["shipping_address"].items() >= there.items()
    assert order()["billing_address"]["city"] == "Stockholm"


async def test_the_chosen_variation_and_quantity_become_the_order_line(
    open_dialog: Open, order: Order, page: Callable[[str], Any]
) -> None:
    cart = page("se-variations")
    dialog = await open_dialog(order_lines=None, items=cart["items"], shipping_options=cart["shipping_options"])
    await dialog.identify()
    await dialog.frame.get_by_text("blå").click()
    await dialog.idle()
    await dialog.frame.get_by_text("L", exact=True).click()
    await dialog.idle()
    await dialog.find("#quantity-more").click()
    await expect(dialog.find(".total dd")).to_have_text("398,00\xa0kr")
    for typed, quantity, total in (("0", "1", "199"), ("2.9", "2", "398")):
        await dialog.find("#quantity").fill(typed)
        await dialog.find("#quantity").press("Enter")
        await expect(dialog.find(".total dd")).to_have_text(f"{total},00\xa0kr")
        await expect(dialog.find("#quantity")).to_have_value(quantity)
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    line = order()["order_lines"][0]
    assert (line["reference"], line["quantity"], line["total_amount"]) == ("TS-blue-l", 2, 39800)


async def test_a_product_with_the_same_attributes_as_another_can_be_chosen(
    open_dialog: Open, order: Order, page: Callable[[str], Any]
) -> None:
    cart = page("se-variations")
    hats = [
        {**item, "group_identifier": "hat", "name": f"Hat {item['name']}", "reference": f"HAT-{item['reference']}"}
        for item in cart["items"]
    ]
    items = [*cart["items"], *hats]
    dialog = await open_dialog(order_lines=None, items=items, shipping_options=cart["shipping_options"])
    await dialog.identify()
    await dialog.find("#product").select_option("hat")
    await dialog.idle()
    await dialog.frame.get_by_text("blå").click()
    await dialog.idle()
    await expect(dialog.find("#product")).to_have_value("hat")
    names = await dialog.find("#product option").all_inner_texts()
    assert names == [cart["items"][0]["name"], "Hat T-shirt blå S"]  # of the chosen product, the chosen variation
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["order_lines"][0]["reference"] == "HAT-TS-blue-s"


async def test_an_attribute_that_only_some_items_have_can_be_chosen_and_left_out(
    open_dialog: Open, order: Order, page: Callable[[str], Any]
) -> None:
    first = page("se-variations")["items"][0]
    engraved = {
        "identifier": "engraving",
        "identifier_label": "Engraving",
        "value": "heart",
        "value_label": "With a heart",
    }
    items = [
        {**first, "reference": "engraved", "product_attributes": [*first["product_attributes"], engraved]},
        {**first, "reference": "plain"},
    ]
    dialog = await open_dialog(order_lines=None, items=items)
    await dialog.identify()
    for label in ("Without", "With a heart", "Without"):
        await dialog.frame.get_by_text(label, exact=True).click()
        await dialog.idle()
        await expect(dialog.frame.get_by_role("group", name="Engraving").get_by_label(label)).to_be_checked()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["order_lines"][0]["reference"] == "plain"


async def test_a_variation_can_be_chosen_after_the_shop_has_answered_with_lines_of_its_own(
    open_dialog: Open, order: Order, page: Callable[[str], Any], shop: Shop, key: str, mock_klarna: MockKlarna
) -> None:
    cart = page("se-variations")
    first, blue = cart["items"][0], next(item for item in cart["items"] if item["reference"] == "TS-blue-s")
    line = {"quantity": 1, "unit_price": 10000, "tax_rate": 2500, "total_amount": 10000, "total_tax_amount": 2000}
    sold = {"name": "T-shirt", "reference": first["reference"], **line}
    gift = {"name": "Gift wrapping", "reference": "gift", **line}
    shop.answers["/update"] = {"order_lines": [gift, {**sold, "quantity": 2, "unit_price": 5000}]}
    mock_klarna.update_button(key, merchant_urls={**shop.merchant_urls, "update": f"{shop.url}/update"})
    dialog = await open_dialog(order_lines=None, items=cart["items"], shipping_options=cart["shipping_options"])
    await dialog.identify()
    await expect(dialog.find(".total dd")).to_have_text("200,00\xa0kr")
    await expect(dialog.find("#quantity")).to_have_value("2")
    shop.answers["/update"] = {}
    await dialog.frame.get_by_text("blå").click()
    await expect(dialog.find(".totals")).to_contain_text(blue["name"])
    await dialog.find("#quantity-more").click()
    await expect(dialog.find("#quantity")).to_have_value("3")
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    lines = [(line["reference"], line["quantity"]) for line in order()["order_lines"]]
    assert lines[:2] == [("gift", 1), ("TS-blue-s", 3)]


async def test_the_chosen_shipping_option_is_in_the_total_and_the_order(
    open_dialog: Open, order: Order, options: Json
) -> None:
    dialog = await open_dialog(shipping_options=_with_post(options)["shipping_options"])
    await dialog.identify()
    await expect(dialog.find("#checkout-button")).to_have_text("Pay 1 240,00\xa0kr")
    await dialog.find("#shipping-option-1").check()
    await expect(dialog.find("#checkout-button")).to_have_text("Pay 1 190,00\xa0kr")
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["selected_shipping_option"]["id"] == "by_post"


async def test_checked_boxes_reach_the_merchant(open_dialog: Open, order: Order) -> None:
    boxes = [{"id": "news", "text": "Send me news"}, {"id": "adult", "text": "I am 18 or older"}]
    dialog = await open_dialog(additional_checkboxes=boxes)
    await dialog.identify()
    await dialog.frame.get_by_label("I am 18 or older").check()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["merchant_requested"] == {"news": False, "adult": True}


async def test_the_page_can_update_the_order_lines_while_the_dialog_is_open(
    tab: "Page", open_dialog: Open, options: Json
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    white = {
        **options["order_lines"][0],
        "name": "Battery Power Pack White",
        "unit_price": 10000,
        "total_amount": 10000,
    }
    changes = {"order_lines": [{**white, "total_tax_amount": 2000}]}
    await tab.evaluate("changes => Klarna.InstantShopping.update(changes)", changes)
    await expect(dialog.find("#checkout-button")).to_have_text("Pay 150,00\xa0kr")
    await expect(dialog.find(".totals")).to_contain_text("Battery Power Pack White")


@pytest.mark.parametrize("step", ["identification", "review"])
async def test_a_closed_dialog_resumes_at_the_same_step(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, step: str
) -> None:
    dialog = await open_dialog()
    await (dialog.identify() if step == "review" else dialog.fill(ALICE))
    await dialog.idle()
    await dialog.find("#close-button").click()
    await expect(tab.locator("#klarna-instant-shopping-fullscreen")).to_have_count(0)
    await painted(tab)
    await tab.locator(BUTTON).click()
    await dialog.find("#checkout-button" if step == "review" else "#address-button").wait_for()
    assert len(mock_klarna.purchases()) == 1


async def test_a_page_in_a_sandboxed_frame_sells(
    tab: "Page",
    product_page: Callable[..., str],
    options: Json,
    shop: Shop,
    order: Order,
) -> None:
    address = product_page(load({**options, "locale": "en-SE"}))
    await tab.goto(shop.show(f'<iframe sandbox="allow-scripts" src="{address}" width="900" height="700">', "/preview"))
    page = tab.frame_locator("iframe")
    await page.locator(BUTTON).click()
    dialog = Dialog(page)
    await dialog.identify()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").click()
    await page.get_by_role("heading", name="confirmation").wait_for()
    assert order()["billing_address"]["email"] == "customer@email.se"
