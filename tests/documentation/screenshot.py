"""The pictures in the README; `python -m tests.documentation.screenshot` takes them anew with headless Chromium."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from mock_klarna import MockKlarnaAsync, Settings, serve
from mock_klarna.demo import serve_shop
from tests.browser.chromium import launched

if TYPE_CHECKING:
    from playwright.async_api import Page

PICTURES = Path(__file__).parents[2] / "docs" / "images"
WIDTH, HEIGHT = 1240, 760
_MERCHANT = "K123"
_PURCHASES = (
    ("honest", {"cart": "se-battery-pack", "shopper": "se-new"}),
    ("honest", {"cart": "se-battery-pack", "shopper": "se-denied"}),
    ("honest", {"cart": "us-battery-pack", "shopper": "us-approved"}),
    ("honest", {"cart": "se-shipping-choice", "shopper": "se-approved", "outcome": "PENDING"}),
    ("denying", {"cart": "de-discounts", "shopper": "de-approved"}),
    ("honest", {"cart": "gb-surcharge", "shopper": "gb-approved"}),
)
"""The behaviour of the shop, and what is bought."""
_BUTTON = "klarna-instant-shopping[data-instance-id=battery] button"
_FRAME = "#klarna-instant-shopping-fullscreen"


async def take() -> None:
    """Take both pictures, with one server, one shop and one browser."""
    async with serve(Settings(port=0, seed="picture")) as klarna, serve_shop(klarna.url) as shop, launched() as browser:
        context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.5)
        page = await context.new_page()
        await _take_dialog(page, shop.url)
        refused = await _trade(klarna.as_merchant(_MERCHANT), shop.url)
        await page.goto(f"{klarna.url}/?merchant={_MERCHANT}&purchase_id={refused}")
        await page.locator("#show-failure").wait_for()
        await page.locator(".step.failed").wait_for()
        await page.screenshot(path=PICTURES / "dashboard.png")


async def _take_dialog(page: "Page", shop: str) -> None:
    """Open the demo shop, click its button, fill in a test shopper, and save what the window shows."""
    await page.goto(shop)
    await page.locator(_BUTTON).click()
    dialog = page.frame_locator(_FRAME)
    await dialog.locator("#test-shopper").select_option("se-approved")
    await dialog.locator("#fill-button").click()
    await dialog.locator("#status").get_by_text("se-approved").wait_for(state="attached")
    await dialog.locator("#address-button").click()
    await dialog.locator("#checkout-button").wait_for()
    await dialog.get_by_text("Express 1-2 days").click()
    await dialog.locator("#step[aria-busy=false]").wait_for()
    await dialog.locator("#drawer-button").click()
    await dialog.locator("#drawer").get_by_text("shipping_updated").wait_for()
    await page.wait_for_timeout(600)  # the panel slides in
    await page.screenshot(path=PICTURES / "dialog.png")


async def _trade(klarna: MockKlarnaAsync, shop: str) -> str:
    """Let several shoppers buy, and return the purchase whose order was refused."""

    async def key(behaviour: str = "") -> str:
        paths = {
            "terms": "/terms",
            "confirmation": "/thanks",
            "place_order": f"/klarna/place-order?merchant={_MERCHANT}{behaviour}",
        }
        paths["push"] = f"/klarna/push?merchant={_MERCHANT}&order_id={{checkout.order.id}}"
        created = await klarna.create_button(merchant_urls={name: shop + path for name, path in paths.items()})
        return str(created["button_key"])

    honest, denying, wrong = await key(), await key("&then=deny"), await key("&then=wrong_tax")
    await klarna.fault("callback", operation="push", drop=True)
    await klarna.purchase(button_key=honest, cart="se-battery-pack", shopper="se-guide")
    await klarna.advance_clock("10m")
    for button, options in _PURCHASES:
        await klarna.purchase(button_key=denying if button == "denying" else honest, **options)
    refused = await klarna.purchase(button_key=wrong, cart="se-battery-pack", shopper="se-approved", wait=0)
    await klarna.wait_for("create_order", purchase_id=refused["purchase_id"], within=60)
    return str(refused["purchase_id"])


if __name__ == "__main__":
    asyncio.run(take())
