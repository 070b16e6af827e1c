"""The HTML of the integration guide, with another script host and another key (guide, step 2), and that of the documentation."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mock_klarna import MockKlarna
from tests.browser.shop import Shop
from tests.documentation.pages import blocks

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
GUIDE_PAGE = Path(__file__).with_name("guide.html").read_text(encoding="utf-8")
KEY = "123e4567-e89b-12d3-a456-426655440000 >"
FRAME = "#klarna-instant-shopping-fullscreen"


@pytest.fixture
def guide_page(mock_klarna: MockKlarna) -> str:
    """The page with its script from the emulator."""
    return GUIDE_PAGE.replace("https://x.klarnacdn.net", mock_klarna.url)


async def test_the_key_of_the_guide_is_unknown_because_it_is_not_trimmed(
    tab: "Page", shop: Shop, guide_page: str
) -> None:
    async with tab.expect_console_message() as message:
        await tab.goto(shop.show(guide_page))
    text = (await message.value).text
    assert '"show_button":false' in text
    assert '"unknown_key"' in text


async def test_the_page_of_the_guide_sells(
    tab: "Page", shop: Shop, guide_page: str, key: str, mock_klarna: MockKlarna
) -> None:
    async with tab.expect_console_message() as message:
        await tab.goto(shop.show(guide_page.replace(KEY, key)))
    assert (await message.value).text == 'Klarna.InstantShopping.load callback with data:{"show_button":true}'
    assert await tab.get_by_text("The page goes on.").is_visible()
    async with tab.expect_console_message() as message:
        await tab.locator("#product-color-selector").select_option("White")
    assert (await message.value).text == 'Klarna.InstantShopping.update callback with data:{"show_button":true}'
    await tab.get_by_role("button", name="Expresskassa").click()
    frame = tab.frame_locator(FRAME)
    await frame.get_by_text("Battery Power Pack White").first.wait_for()
    (purchase,) = mock_klarna.purchases()
    assert (purchase["state"], purchase["button_key"]) == ("started", key)


async def test_the_page_of_the_documentation_sells(tab: "Page", shop: Shop, key: str, mock_klarna: MockKlarna) -> None:
    (block,) = blocks("html", containing="load(")
    page = block.code.replace("http://127.0.0.1:8080", mock_klarna.url).replace("BUTTON_KEY", key)
    await tab.goto(shop.show(f"<!doctype html><title>Product</title>{page}"))
    await tab.get_by_role("button", name="Expresskassa").click()
    await tab.frame_locator(FRAME).get_by_text("Battery Power Pack").first.wait_for()
