"""axe finds nothing in any page or view, from 400 % zoom to a desktop, in dark and in forced colours; and nothing is too wide."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from mock_klarna import MockKlarna
from mock_klarna.demo import Shop, serve_shop
from tests.browser.axe import problems
from tests.browser.dialog.dialog import FRAME, Dialog

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
OVERLAY = "mock-klarna-overlay"


@dataclass
class Setting:
    """The window and the preferences of a person; `text` is the size of the browser's text."""

    width: int
    height: int
    media: Json
    text: str = ""


SETTINGS = {
    "400 % zoom": Setting(320, 256, {}),
    "phone, dark": Setting(390, 844, {"color_scheme": "dark"}),
    "phone in landscape, forced colours": Setting(740, 360, {"forced_colors": "active"}),
    "phone, 200 % text": Setting(390, 844, {}, "200%"),
    "desktop": Setting(1280, 800, {}),
}


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS)
def setting(request: pytest.FixtureRequest) -> Setting:
    chosen: Setting = request.param
    return chosen


@pytest_asyncio.fixture(loop_scope="session")
async def window(tab: "Page", setting: Setting) -> "Page":
    """The tab as the person has it."""
    await tab.set_viewport_size({"width": setting.width, "height": setting.height})
    await tab.emulate_media(**setting.media)
    return tab


@pytest_asyncio.fixture(loop_scope="session")
async def demo(mock_klarna: MockKlarna) -> AsyncIterator[Shop]:
    async with serve_shop(mock_klarna.url) as shop:
        yield shop


async def _enlarge(page: Any, setting: Setting) -> None:
    await page.evaluate("size => { document.documentElement.style.fontSize = size }", setting.text)


async def test_the_demo_shop_and_each_view_of_the_dialog(window: "Page", setting: Setting, demo: Shop) -> None:
    found: dict[str, list[str]] = {}
    await window.goto(demo.url)
    await window.locator("[data-instance-id=shirt] mock-klarna-button").wait_for()
    await _enlarge(window, setting)
    found["shop"] = await problems(window)
    await window.get_by_label("When Klarna calls").select_option("does nothing")
    await window.locator("[data-instance-id=battery] button").click()
    dialog = Dialog(window)
    await dialog.find("#email").wait_for()
    await expect(window.locator(f"{OVERLAY} .ready")).to_be_attached()
    found["overlay"] = await problems(window)
    frame = window.frame(name=FRAME[1:])
    assert frame is not None
    await _enlarge(frame, setting)
    await dialog.find("#address-button").click()
    await dialog.find("#form-error").wait_for()
    found["form"] = await problems(frame)
    await dialog.identify()
    await dialog.idle()
    found["review"] = await problems(frame)
    await dialog.find("#drawer-button").click()
    await dialog.find("#timeline li").first.wait_for()
    found["drawer"] = await problems(frame)
    await dialog.find("#drawer-close").click()
    await dialog.pay()
    await dialog.find(".busy").wait_for()
    found["waiting"] = await problems(frame)
    for path in ("/orders", "/thanks"):
        await window.goto(demo.url + path)
        await _enlarge(window, setting)
        found[path] = await problems(window)
    assert {view: texts for view, texts in found.items() if texts} == {}
