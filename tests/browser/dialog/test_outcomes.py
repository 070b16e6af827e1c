"""Outcomes of a purchase as the shopper sees them (klarna.md §5; guide, step 3)."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.dialog import BUTTON, FRAME, Dialog, denying, painted
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]

DENIALS = {
    "address": ({"deny_code": "address_error"}, "problem with the address"),
    "stock": ({"deny_code": "item_out_of_stock"}, "no longer in stock"),
    "age": ({"deny_code": "consumer_underaged"}, "have to be older"),
    "abroad": ({"deny_code": "unsupported_shipping_address"}, "does not deliver to this address"),
    "message": ({"deny_code": "other", "deny_message": "We <b>moved</b>."}, "We <b>moved</b>."),
    "unknown": ({"deny_code": "bad_weather"}, "The shop declined this purchase"),
    "no reason": ({}, "The shop declined this purchase"),
}


@pytest.mark.parametrize("kind", DENIALS)
async def test_a_denial_shows_its_reason(open_dialog: Open, shop: Shop, mock_klarna: MockKlarna, kind: str) -> None:
    reason, text = DENIALS[kind]
    shop.decide = denying(mock_klarna, **reason)
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await expect(dialog.find("#consumer-message")).to_contain_text(text)
    assert await dialog.heading() == "The shop could not take this order"


async def test_a_denial_with_a_redirect_url_navigates_the_whole_tab(
    tab: "Page", open_dialog: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = denying(mock_klarna, deny_redirect_url=f"{shop.url}/sorry")
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await tab.wait_for_url("**/sorry")


async def test_after_a_denial_the_button_starts_a_new_purchase(
    tab: "Page", open_dialog: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = denying(mock_klarna)
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.find("#back-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    await painted(tab)
    await tab.locator(BUTTON).click()
    await dialog.find("#address-button").wait_for()
    assert {purchase["state"] for purchase in mock_klarna.purchases()} == {"started", "denied"}


async def test_the_shopper_reads_that_the_merchant_does_not_answer(
    open_dialog: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    mock_klarna.advance_clock("61s")
    await dialog.frame.get_by_role("heading", name="The shop did not answer").wait_for()


async def test_a_shopper_whom_klarna_rejects_causes_no_callback(open_dialog: Open, shop: Shop) -> None:
    dialog = await open_dialog()
    await dialog.identify("se-denied")
    await dialog.pay()
    await dialog.frame.get_by_role("heading", name="This purchase was not approved").wait_for()
    assert shop.callbacks == []


FORCED = {"ACCEPTED": "Thank you, Alice!", "PENDING": "Thank you, Alice!", "REJECTED": "This purchase was not approved"}


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("outcome", FORCED)
async def test_the_developer_drawer_sets_the_outcome(open_dialog: Open, mock_klarna: MockKlarna, outcome: str) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.find("#drawer-button").click()
    await dialog.find("#drawer").get_by_label(outcome).check()
    await dialog.find("#drawer-close").click()
    await dialog.pay()
    await dialog.frame.get_by_role("heading", name=FORCED[outcome]).wait_for()
    assert mock_klarna.purchases()[0]["fraud_status"] == outcome


@pytest.mark.usefixtures("order")
async def test_the_developer_drawer_shows_callbacks_with_their_bodies(open_dialog: Open) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    await dialog.find("#drawer-button").click()
    entry = dialog.find("#timeline li").filter(has_text="callbackplace_order")
    await entry.locator("summary").click()
    await expect(entry.locator("pre")).to_contain_text('"authorization_token"')


async def test_without_a_confirmation_url_the_purchase_ends_in_the_dialog(
    tab: "Page", open_dialog: Open, order: Callable[[], Json], mock_klarna: MockKlarna, shop: Shop, key: str
) -> None:
    urls = {name: url for name, url in shop.merchant_urls.items() if name != "confirmation"}
    mock_klarna.update_button(key, merchant_urls=urls)
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.frame.get_by_role("button", name="Close").last.click()
    await expect(tab.locator("#klarna-instant-shopping-fullscreen")).to_have_count(0)
