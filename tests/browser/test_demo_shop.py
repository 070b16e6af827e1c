"""The page of the demo shop: two buttons, selectors that update the first one, and selectable outcomes."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import expect

from mock_klarna import Settings, serve
from mock_klarna.demo import Shop, serve_shop
from tests.browser.dialog.dialog import Dialog

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
OF_THE_MACHINE = {"C2"}
"""Rules that a slow machine breaks."""
BUTTON = "klarna-instant-shopping[data-instance-id={}] button"


@pytest_asyncio.fixture(loop_scope="session")
async def klarna() -> AsyncIterator[str]:
    async with serve(Settings(port=0)) as running:
        yield running.url


@pytest_asyncio.fixture(loop_scope="session")
async def demo(klarna: str) -> AsyncIterator[Shop]:
    async with serve_shop(klarna) as shop:
        yield shop


async def test_the_chosen_colour_and_size_are_bought_and_no_rule_is_broken(
    tab: "Page", demo: Shop, klarna: str
) -> None:
    await tab.goto(demo.url)
    await tab.locator(BUTTON.format("battery")).wait_for()
    await tab.get_by_label("Colour").select_option("Green")
    await tab.get_by_label("Size").select_option("20,000 mAh")
    await expect(tab.locator("#events li")).to_have_count(3)
    await tab.locator(BUTTON.format("battery")).click()
    dialog = Dialog(tab)
    await dialog.identify()
    await expect(dialog.find(".totals")).to_contain_text("Battery Power Pack Green, 20,000 mAh")
    await dialog.pay()
    await dialog.find("#confirmation__bottom").click()
    await tab.get_by_role("heading", name="Thank you").wait_for()
    orders = await (await tab.request.get(f"{demo.url}/orders")).json()
    assert orders["orders"][0]["order"]["order_lines"][0]["reference"] == "19-404-G"
    found = await (await tab.request.get(f"{klarna}/_mock/findings?merchant={demo.merchant}")).json()
    assert [finding["rule"] for finding in found["findings"] if finding["rule"] not in OF_THE_MACHINE] == []
    assert {rule["outcome"] for rule in found["rules"] if rule["rule"] in ("K6", "K7", "K8", "K10")} == {"passed"}


async def test_the_second_button_leaves_the_choice_to_the_dialog(tab: "Page", demo: Shop) -> None:
    await tab.goto(demo.url)
    await tab.locator(BUTTON.format("shirt")).click()
    dialog = Dialog(tab)
    await dialog.identify()
    await dialog.frame.get_by_text("Blue", exact=True).click()
    await expect(dialog.find(".totals")).to_contain_text("T-shirt Blue, S")


@pytest.mark.parametrize(
    ("behaviour", "heading"),
    [("denies: out of stock", "The shop could not take this order"), ("denies: sends the browser elsewhere", "Sorry")],
)
async def test_the_shop_behaves_as_selected(tab: "Page", demo: Shop, behaviour: str, heading: str) -> None:
    await tab.goto(demo.url)
    await tab.locator(BUTTON.format("shirt")).wait_for()
    await tab.get_by_label("When Klarna calls").select_option(behaviour)
    await tab.locator(BUTTON.format("battery")).click()
    dialog = Dialog(tab)
    await dialog.identify()
    await dialog.pay()
    place = tab if heading == "Sorry" else dialog.frame
    await place.get_by_role("heading", name=heading).wait_for()


async def test_the_shop_fits_a_phone(tab: "Page", demo: Shop) -> None:
    await tab.set_viewport_size({"width": 390, "height": 844})
    await tab.goto(demo.url)
    await tab.locator(BUTTON.format("shirt")).wait_for()
    assert await tab.evaluate("document.documentElement.scrollWidth") == 390
