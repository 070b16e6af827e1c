"""The picture in the README; `python -m tests.documentation.screenshot` takes it anew with headless Chromium."""

import asyncio
from pathlib import Path

from mock_klarna import Settings, serve
from mock_klarna.demo import serve_shop
from tests.browser.chromium import launched

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "dialog.png"
WIDTH, HEIGHT = 1240, 760
_BUTTON = "klarna-instant-shopping[data-instance-id=battery] button"
_FRAME = "#klarna-instant-shopping-fullscreen"


async def take(file: Path) -> None:
    """Open the demo shop, click its button, fill in a test shopper, and save what the window shows."""
    async with serve(Settings(port=0, seed="picture")) as klarna, serve_shop(klarna.url) as shop, launched() as browser:
        context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.5)
        page = await context.new_page()
        await page.goto(shop.url)
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
        await page.screenshot(path=file)


if __name__ == "__main__":
    asyncio.run(take(PICTURE))
