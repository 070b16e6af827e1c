"""What the shopper reads when the merchant, or Klarna, has decided (protocol 5; seed, step 3)."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.driving import BUTTON, Dialog, denying
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
async def test_a_denial_says_why(opened: Open, shop: Shop, mock_klarna: MockKlarna, kind: str) -> None:
    reason, said = DENIALS[kind]
    shop.decide = denying(mock_klarna, **reason)
    dialog = await opened()
    await dialog.identify()
    await dialog.pay()
    await expect(dialog.at("#consumer-message")).to_contain_text(said)
    assert await dialog.heading() == "The shop could not take this order"


async def test_a_denial_with_a_redirect_takes_the_whole_tab_along(
    tab: "Page", opened: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = denying(mock_klarna, deny_redirect_url=f"{shop.url}/sorry")
    dialog = await opened()
    await dialog.identify()
    await dialog.pay()
    await tab.wait_for_url("**/sorry")


async def test_after_a_denial_the_button_begins_a_new_purchase(
    tab: "Page", opened: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = denying(mock_klarna)
    dialog = await opened()
    await dialog.identify()
    await dialog.pay()
    await dialog.at("#back-button").click()
    await tab.locator(BUTTON).click()
    await dialog.at("#address-button").wait_for()
    assert {purchase["state"] for purchase in mock_klarna.purchases()} == {"started", "denied"}


async def test_a_merchant_who_stays_silent_is_said_to_be(opened: Open, shop: Shop, mock_klarna: MockKlarna) -> None:
    dialog = await opened()
    await dialog.identify()
    await dialog.pay()
    await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    mock_klarna.advance_clock("61s")
    await dialog.frame.get_by_role("heading", name="The shop did not answer").wait_for()


async def test_klarna_refuses_a_shopper_and_the_merchant_hears_nothing(opened: Open, shop: Shop) -> None:
    dialog = await opened()
    await dialog.identify("se-denied")
    await dialog.pay()
    await dialog.frame.get_by_role("heading", name="This purchase was not approved").wait_for()
    assert shop.callbacks == []


FORCED = {"ACCEPTED": "Thank you, Alice!", "PENDING": "Thank you, Alice!", "REJECTED": "This purchase was not approved"}


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("outcome", FORCED)
async def test_the_developers_drawer_forces_an_outcome(opened: Open, mock_klarna: MockKlarna, outcome: str) -> None:
    dialog = await opened()
    await dialog.identify()
    await dialog.at("#drawer-button").click()
    await dialog.at("#drawer").get_by_label(outcome).check()
    await dialog.at("#drawer-close").click()
    await dialog.pay()
    await dialog.frame.get_by_role("heading", name=FORCED[outcome]).wait_for()
    assert mock_klarna.purchases()[0]["fraud_status"] == outcome


@pytest.mark.usefixtures("order")
async def test_the_developers_drawer_shows_callbacks_with_their_bodies(opened: Open) -> None:
    dialog = await opened()
    await dialog.identify()
    await dialog.pay()
    await dialog.at("#confirmation__bottom").wait_for()
    await dialog.at("#drawer-button").click()
    entry = dialog.at("#timeline li").filter(has_text="callbackplace_order")
    await entry.locator("summary").click()
    await expect(entry.locator("pre")).to_contain_text('"authorization_token"')


async def test_an_order_without_a_page_to_go_to_ends_in_the_dialog(
    tab: "Page", opened: Open, order: Callable[[], Json], mock_klarna: MockKlarna, shop: Shop, key: str
) -> None:
    urls = {name: url for name, url in shop.merchant_urls.items() if name != "confirmation"}
    mock_klarna.update_button(key, merchant_urls=urls)
    dialog = await opened()
    await dialog.identify()
    await dialog.pay()
    await dialog.frame.get_by_role("button", name="Close").last.click()
    await expect(tab.locator("#klarna-instant-shopping-fullscreen")).to_have_count(0)
