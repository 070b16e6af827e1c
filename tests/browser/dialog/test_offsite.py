"""A key that holds everything is for sale on a page of its own (protocol 7)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.driving import placing
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]


@pytest.fixture
def address(mock_klarna: MockKlarna, shop: Shop, page: Callable[[str], Any]) -> str:
    """The page of a key that holds everything."""
    cart = {**page("se-battery-pack"), "merchant_urls": shop.merchant_urls, "locale": "en-SE"}
    created: Json = mock_klarna.create_button(**cart)
    return f"{mock_klarna.url}/instantshopping/buy/{created['button_key']}"


async def test_it_sells_without_a_shop_around(tab: "Page", address: str, shop: Shop, mock_klarna: MockKlarna) -> None:
    shop.decide = placing(mock_klarna)
    await tab.goto(address)
    await tab.locator("#fill-button").click()
    await expect(tab.locator("#email")).not_to_have_value("")
    await tab.locator("#address-button").click()
    await tab.locator("#checkout-button").click()
    await tab.locator("#confirmation__bottom").click()
    await tab.wait_for_url("**/confirmation")
    assert shop.callbacks[0]["order"]["integrator_url"] == address


async def test_a_reload_goes_on_and_closing_puts_aside(tab: "Page", address: str, mock_klarna: MockKlarna) -> None:
    await tab.goto(address)
    await tab.locator("#fill-button").click()
    await expect(tab.locator("#email")).not_to_have_value("")
    await tab.locator("#address-button").click()
    await tab.locator("#checkout-button").wait_for()
    await tab.reload()
    await tab.locator("#checkout-button").wait_for()
    await tab.locator("#close-button").click()
    await tab.locator("#resume-button").click()
    await tab.locator("#checkout-button").wait_for()
    assert len(mock_klarna.purchases()) == 1


async def test_the_code_for_phones_is_drawn_and_named(tab: "Page", address: str) -> None:
    await tab.goto(f"{address}?locale=sv-SE")
    await tab.get_by_role("heading", name="Dina uppgifter").wait_for()
    code = tab.get_by_role("img", name="QR-kod")
    assert await code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


async def test_a_key_that_lacks_something_says_what(
    tab: "Page", mock_klarna: MockKlarna, key: str, complaints: list[str]
) -> None:
    answer = await tab.goto(f"{mock_klarna.url}/instantshopping/buy/{key}")
    assert answer is not None
    assert answer.status == 409
    await tab.get_by_text("purchase_country: expected").wait_for()
    complaints.clear()
