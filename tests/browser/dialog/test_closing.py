"""Closing the dialog and coming back: the purchase goes on, and nothing that was typed is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import ALICE, BUTTON, FRAME, Dialog, denying, painted
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]


async def close(tab: "Page", dialog: Dialog, way: str = "x") -> None:
    if way == "x":
        await dialog.find("#close-button").click()
    else:
        await dialog.find("#step-heading").press("Escape")
    await expect(tab.locator(FRAME)).to_have_count(0)
    await painted(tab)


async def has_typed(dialog: Dialog, values: Json) -> None:
    for name, value in values.items():
        await expect(dialog.find(f"#{name}")).to_have_value(value)


@pytest.mark.parametrize("way", ["x", "Escape"])
async def test_what_was_typed_is_there_after_closing(tab: "Page", open_dialog: Open, way: str) -> None:
    dialog = await open_dialog(options={"allow_separate_shipping_address": True})
    await dialog.find("#separate-shipping").check()
    typed = {**ALICE, "shipping_city": "Göteborg"}
    await dialog.fill(typed)
    await close(tab, dialog, way)
    await tab.locator(BUTTON).click()
    await has_typed(dialog, typed)


async def test_what_was_typed_is_there_after_an_update_of_the_closed_page(
    tab: "Page", open_dialog: Open, options: Json
) -> None:
    dialog = await open_dialog()
    await dialog.fill({"given_name": "Al", "city": "Stock"})
    await close(tab, dialog)
    white = {"order_lines": [options["order_lines"][0] | {"name": "White"}], "billing_address": {"city": "Lund"}}
    await tab.evaluate("changes => Klarna.InstantShopping.update(changes)", white)
    await tab.locator(BUTTON).click()
    await expect(dialog.find(".order-summary")).to_contain_text("White")
    await has_typed(dialog, {"given_name": "Al", "city": "Stock"})


async def test_what_was_typed_is_there_after_a_denial_but_not_after_the_purchase(
    tab: "Page", open_dialog: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = denying(mock_klarna)
    dialog = await open_dialog(options={"allow_separate_shipping_address": True})
    await dialog.find("#separate-shipping").check()
    typed = {**ALICE, **{f"shipping_{name}": ALICE[name] for name in ALICE if name != "email"}, "shipping_city": "Lund"}
    await dialog.fill(typed)
    await dialog.find("#shipping_country").select_option("SE")
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#back-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    await painted(tab)
    await tab.locator(BUTTON).click()
    await has_typed(dialog, typed)

    def placing(callback: Json) -> None:
        mock_klarna.create_order(callback["authorization_token"], callback["order"])

    shop.decide = placing
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    await close(tab, dialog)
    await tab.locator(BUTTON).click()
    await has_typed(dialog, {"given_name": "", "street_address": ""})


@pytest.mark.parametrize("way", ["x", "Escape"])
async def test_a_click_while_the_shop_decides_returns_to_the_same_purchase(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, way: str
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    await close(tab, dialog, way)
    await tab.locator(BUTTON).click()
    await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    (purchase,) = mock_klarna.purchases()
    token = mock_klarna.find_purchase(purchase["purchase_id"])["authorization_token"]
    mock_klarna.create_order(token, mock_klarna.find_purchase(purchase["purchase_id"])["order"])
    await dialog.frame.get_by_role("heading", name="Thank you, Alice!").wait_for()


@pytest.mark.parametrize("outcome", ["waiting", "rejected"])
async def test_a_click_returns_to_a_purchase_that_was_closed_before_the_payment_was_answered(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, outcome: str
) -> None:
    dialog = await open_dialog(locale="sv-SE")
    await dialog.identify("se-approved" if outcome == "waiting" else "se-denied")
    requests: asyncio.Queue[Route] = asyncio.Queue()
    await tab.route("**/sessions/*/pay", requests.put_nowait)
    await dialog.pay()
    request = (await requests.get()).request
    mock_klarna.send("POST", urlsplit(request.url).path, request.post_data_json)  # its answer does not arrive
    await close(tab, dialog)
    await tab.locator(BUTTON).click()
    text = {"waiting": "Butiken bekräftar", "rejected": "Klarna kunde inte godkänna"}[outcome]
    await expect(dialog.find("#consumer-message")).to_contain_text(text)
    assert len(mock_klarna.purchases()) == 1


async def test_a_payment_that_reaches_the_server_after_the_dialog_was_closed_is_not_refused(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    requests: asyncio.Queue[Route] = asyncio.Queue()
    await tab.route("**/sessions/*/pay", requests.put_nowait)
    await dialog.pay()
    request = (await requests.get()).request
    await close(tab, dialog)
    mock_klarna.send("POST", urlsplit(request.url).path, request.post_data_json)
    await tab.locator(BUTTON).click()
    await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    assert len(mock_klarna.purchases()) == 1


async def test_a_dialog_that_is_closed_during_a_payment_keeps_what_was_typed_after_it(
    timed: "Page", product_page: Callable[..., str], options: Json
) -> None:
    await timed.goto(product_page(load(options)))
    await timed.locator(BUTTON).click()
    dialog = Dialog(timed)
    await dialog.identify()
    requests: asyncio.Queue[Route] = asyncio.Queue()
    await timed.route("**/sessions/*/pay", requests.put_nowait)
    await dialog.pay()
    payment = await requests.get()
    await dialog.find("#close-button").click()
    async with timed.expect_request("**/sessions/*/draft"):
        await payment.continue_()
    await expect(timed.locator(FRAME)).to_have_count(0)


async def test_a_decision_that_the_shopper_has_not_seen_is_shown_by_the_next_click(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    await close(tab, dialog)
    (purchase,) = mock_klarna.purchases()
    found = mock_klarna.find_purchase(purchase["purchase_id"])
    mock_klarna.create_order(found["authorization_token"], found["order"])
    await tab.locator(BUTTON).click()
    await dialog.frame.get_by_role("heading", name="Thank you, Alice!").wait_for()
    await close(tab, dialog)
    await tab.locator(BUTTON).click()
    await dialog.find("#address-button").wait_for()
    assert {purchase["state"] for purchase in mock_klarna.purchases()} == {"started", "placed"}


async def test_a_purchase_that_is_gone_is_not_returned_to(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    await close(tab, dialog)
    mock_klarna.reset()
    await tab.locator(BUTTON).click()
    await dialog.frame.get_by_text("does not exist any more").wait_for()
    await close(tab, dialog)
    async with tab.expect_request("**/sdk/sessions"):
        await tab.locator(BUTTON).click()
    await expect(tab.locator("klarna-instant-shopping").get_by_role("alert")).not_to_be_empty()
    assert all("404" in error for error in console_errors)
    console_errors.clear()


async def test_another_product_begins_a_new_purchase(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, options: Json
) -> None:
    dialog = await open_dialog()
    await dialog.fill({"given_name": "Al"})
    await close(tab, dialog)
    other = {**options, "locale": "en-SE", "order_lines": [options["order_lines"][0] | {"name": "White"}]}
    await tab.evaluate("options => new Promise((done) => Klarna.InstantShopping.load(options, done))", other)
    await tab.locator(BUTTON).click()
    await expect(dialog.find(".order-summary")).to_contain_text("White")
    await has_typed(dialog, {"given_name": "Al"})
    assert len(mock_klarna.purchases()) == 2
