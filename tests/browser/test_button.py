"""The button: texts, colours, keyboard, narrow screens, and pages with conflicting styles."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Product = Callable[..., str]
BUTTON = "klarna-instant-shopping button"
CONTRAST = """(button) => {
    const light = (colour) => {
        const parts = colour.match(/\\d+/g).slice(0, 3).map((part) => part / 255);
        const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const style = getComputedStyle(button);
    const [dark, bright] = [light(style.color), light(style.backgroundColor)].sort((one, other) => one - other);
    return (bright + 0.05) / (dark + 0.05);
}"""


@pytest.mark.parametrize("variation", ["klarna", "dark", "light"])
async def test_every_theme_can_be_read(tab: "Page", product_page: Product, options: Json, variation: str) -> None:
    await tab.goto(product_page(load({**options, "styling": {"theme": {"variation": variation}}})))
    assert await tab.locator(BUTTON).evaluate(CONTRAST) > 4.5


async def test_the_button_is_described_as_a_test_environment(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page(load({**options, "locale": "en-SE"})))
    await tab.get_by_text("Test environment, no real payment").wait_for()
    described = "(button) => button.getRootNode().getElementById(button.getAttribute('aria-describedby')).textContent"
    assert "Test environment" in await tab.locator(BUTTON).evaluate(described)


@pytest.mark.parametrize("width", [320, 375, 1280])
async def test_the_button_fits_its_column_and_is_44_pixels_high(
    tab: "Page", product_page: Product, options: Json, width: int
) -> None:
    await tab.set_viewport_size({"width": width, "height": 700})
    await tab.goto(product_page(load({**options, "locale": "fr-FR", "styling": {"theme": {"type": "express"}}})))
    box = await tab.locator(BUTTON).bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= width
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("press", ["Enter", "Space"])
async def test_the_keyboard_opens_the_dialog_and_the_focus_returns(
    tab: "Page", product_page: Product, options: Json, press: str
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).wait_for()
    await tab.keyboard.press("Tab")
    await tab.keyboard.press(press)
    frame = tab.frame_locator("#klarna-instant-shopping-fullscreen")
    await frame.locator("#close-button").wait_for()
    await tab.wait_for_function("document.activeElement.id === 'klarna-instant-shopping-fullscreen'")
    await tab.keyboard.press("Escape")
    await tab.locator("#klarna-instant-shopping-fullscreen").wait_for(state="detached")
    await expect(tab.get_by_role("button", name="Expresskassa")).to_be_focused()


async def test_styles_of_the_page_do_not_reach_the_button(tab: "Page", product_page: Product, options: Json) -> None:
    page_styles = "<style>button, p, div { display: none !important; font-size: 2px !important }</style>"
    container = '<klarna-instant-shopping data-instance-id="button-1" style="display: block"></klarna-instant-shopping>'
    await tab.goto(product_page(load(options), page_styles.replace(", div", "") + container))
    await tab.locator(BUTTON).wait_for()
    assert await tab.locator(BUTTON).evaluate("(button) => getComputedStyle(button).fontSize") == "16px"


async def test_a_page_that_allows_the_emulators_origin_alone_works(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna, shop: Shop
) -> None:
    there = mock_klarna.url
    policy = f"default-src 'none'; script-src 'self' {there}; frame-src {there}; connect-src {there}; style-src {there}"
    await tab.goto(product_page(load(options), Content_Security_Policy=policy))
    await tab.locator(BUTTON).click()
    frame = tab.frame_locator("#klarna-instant-shopping-fullscreen")
    await frame.get_by_text("Battery Power Pack Black").first.wait_for()


async def test_markup_in_what_the_shop_sends_stays_text(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna
) -> None:
    evil = '"><img src=x onerror="window.top.caught = true"><script>window.top.caught = true</script>\'`${1}'
    options["order_lines"][0] |= {"name": evil[:255], "reference": evil[:64]}
    options["shipping_options"][0] |= {"name": evil, "description": evil}
    mock_klarna.update_button(options["setup"]["key"], name=evil)
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).click()
    frame = tab.frame_locator("#klarna-instant-shopping-fullscreen")
    await frame.get_by_text("onerror").first.wait_for()
    assert await tab.evaluate("window.caught") is None
    answer = await tab.evaluate(
        "(id) => new Promise((done) => Klarna.InstantShopping.update({setup: {instance_id: id}}, done))", evil
    )
    assert answer["show_button"] is False
