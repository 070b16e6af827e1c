"""The seed page's HTML as printed, with another script host and another key (seed, step 2)."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mock_klarna import MockKlarna
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
PRINTED = Path(__file__).with_name("seed-page.html").read_text(encoding="utf-8")
KEY = "123e4567-e89b-12d3-a456-426655440000 >"
FRAME = "#klarna-instant-shopping-fullscreen"


@pytest.fixture
def printed(mock_klarna: MockKlarna) -> str:
    """The page with its script from the emulator."""
    return PRINTED.replace("https://x.klarnacdn.net", mock_klarna.url)


async def test_the_printed_key_is_unknown_for_it_is_not_trimmed(tab: "Page", shop: Shop, printed: str) -> None:
    async with tab.expect_console_message() as said:
        await tab.goto(shop.show(printed))
    text = (await said.value).text
    assert '"show_button":false' in text
    assert '"unknown_key"' in text


async def test_the_printed_page_sells(tab: "Page", shop: Shop, printed: str, key: str, mock_klarna: MockKlarna) -> None:
    async with tab.expect_console_message() as said:
        await tab.goto(shop.show(printed.replace(KEY, key)))
    assert (await said.value).text == 'Klarna.InstantShopping.load callback with data:{"show_button":true}'
    assert await tab.get_by_text("The page goes on.").is_visible()
    async with tab.expect_console_message() as said:
        await tab.locator("#product-color-selector").select_option("White")
    assert (await said.value).text == 'Klarna.InstantShopping.update callback with data:{"show_button":true}'
    await tab.get_by_role("button", name="Expresskassa").click()
    frame = tab.frame_locator(FRAME)
    await frame.get_by_text("Battery Power Pack White").first.wait_for()
    (purchase,) = mock_klarna.purchases()
    assert (purchase["state"], purchase["button_key"]) == ("started", key)
