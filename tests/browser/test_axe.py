"""axe finds nothing in any page or view, from 400 % zoom to a desktop, in dark and in forced colours; and nothing is too wide.

The dialog is looked at in a tab of its own: browsers hand emulated preferences to frames of other origins later.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from mock_klarna import MockKlarna
from mock_klarna.demo import Shop, serve_shop
from tests.browser.axe import problems
from tests.browser.dialog.dialog import denying
from tests.browser.shop import Shop as OwnShop

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]


@dataclass
class Person:
    """The window and the preferences of a person; `text` is the size of the browser's text."""

    width: int
    height: int
    media: Json
    text: str = ""


PEOPLE = {
    "400 % zoom": Person(320, 256, {}),
    "phone, 200 % text, dark": Person(390, 844, {"color_scheme": "dark"}, "200%"),
    "phone in landscape, forced colours": Person(740, 360, {"forced_colors": "active"}),
    "desktop": Person(1280, 800, {}),
}


@dataclass
class Audit:
    """The tab of a person, and the problems of each view that was looked at."""

    tab: "Page"
    person: Person
    found: dict[str, list[str]] = field(default_factory=dict)

    async def look(self, view: str) -> None:
        """Look at what the tab shows."""
        await self.tab.evaluate("size => { document.documentElement.style.fontSize = size }", self.person.text)
        if texts := await problems(self.tab):
            self.found[view] = texts

    async def to_review(self) -> None:
        """Fill in the form of the dialog."""
        await self.tab.locator("#fill-button").click()
        await expect(self.tab.locator("#email")).not_to_have_value("")
        await self.tab.locator("#address-button").click()
        await self.tab.locator("#step[aria-busy=false] #checkout-button").wait_for()


@pytest_asyncio.fixture(loop_scope="session", params=PEOPLE.values(), ids=PEOPLE)
async def audit(request: pytest.FixtureRequest, tab: "Page") -> Audit:
    person: Person = request.param
    await tab.set_viewport_size({"width": person.width, "height": person.height})
    await tab.emulate_media(**person.media)
    return Audit(tab, person)


@pytest_asyncio.fixture(loop_scope="session")
async def demo(mock_klarna: MockKlarna) -> AsyncIterator[Shop]:
    async with serve_shop(mock_klarna.url) as shop:
        yield shop


async def test_the_demo_shop_and_a_placed_purchase(audit: Audit, tab: "Page", demo: Shop) -> None:
    await tab.goto(demo.url)
    await tab.locator("[data-instance-id=battery] mock-klarna-button").wait_for()
    await audit.look("products")
    release = await _held(tab, "**/instantshopping/dialog/**")
    await tab.locator("[data-instance-id=shirt] button").click()
    await tab.locator("mock-klarna-overlay button").wait_for()
    await audit.look("overlay of a dialog that opens")
    async with tab.expect_event("framenavigated", lambda frame: "/dialog/" in frame.url) as dialog:
        release()

    await tab.goto((await dialog.value).url)
    await tab.locator("#address-button").click()
    await tab.locator("#form-error").wait_for()
    await audit.look("form with errors")
    await audit.to_review()
    await audit.look("review")
    await tab.locator("#drawer-button").click()
    await tab.locator("#timeline li").first.wait_for()
    await audit.look("drawer")
    await tab.locator("#drawer-close").click()
    release = await _held(tab, "**/wait?*")
    await tab.locator("#checkout-button").click()
    await tab.locator(".busy").wait_for()
    await audit.look("waiting")
    release()
    await tab.locator(".good").wait_for()
    await audit.look("placed")
    await tab.goto(f"{demo.url}/orders")
    await tab.get_by_role("button", name="Ship and capture").wait_for()
    await audit.look("orders")
    assert audit.found == {}


async def _held(tab: "Page", address: str) -> Callable[[], None]:
    """Hold the requests to an address; return a function that lets them go."""
    released = asyncio.Event()

    async def hold(route: "Route") -> None:
        await released.wait()
        await route.continue_()

    await tab.route(address, hold)
    return released.set


async def test_the_page_of_a_key_and_a_denied_purchase(
    audit: Audit,
    tab: "Page",
    mock_klarna: MockKlarna,
    shop: OwnShop,
    page: Callable[[str], Any],
    demo: Shop,
    console_errors: list[str],
) -> None:
    shop.decide = denying(mock_klarna, deny_code="item_out_of_stock")
    cart = page("se-battery-pack")
    lines = [{**cart["order_lines"][0], "reference": f"line {number}"} for number in range(9)]
    created = mock_klarna.create_button(
        **{**cart, "order_lines": lines, "merchant_urls": shop.merchant_urls, "locale": "en-SE"}
    )
    await tab.goto(f"{mock_klarna.url}/instantshopping/buy/{created['button_key']}")
    await tab.locator("#email").wait_for()
    await audit.look("form")
    await tab.locator("#close-button").click()
    await audit.look("paused")
    await tab.locator("#resume-button").click()
    await audit.to_review()
    await tab.locator("#more-lines summary").click()
    await audit.look("review of a long cart")
    await tab.locator("#checkout-button").click()
    await tab.locator(".bad").wait_for()
    await audit.look("denied")
    await tab.goto(f"{demo.url}/thanks")
    await audit.look("confirmation page")
    await tab.goto(f"{mock_klarna.url}/instantshopping/buy/unknown")
    await audit.look("unknown key")
    console_errors.clear()
    assert audit.found == {}


async def test_every_view_and_dialog_of_the_dashboard(
    audit: Audit, tab: "Page", mock_klarna: MockKlarna, demo: Shop
) -> None:
    klarna = mock_klarna.awaitable()
    place = f"{demo.url}/klarna/place-order?merchant={mock_klarna.merchant}"
    bought: Json = {}
    for behaviour in ("", "&then=wrong_tax"):
        await klarna.create_button(merchant_urls={"place_order": place + behaviour, "terms": f"{demo.url}/terms"})
        bought = await klarna.purchase(cart="se-battery-pack", shopper="se-approved", outcome="PENDING", wait=0)
        await klarna.wait_for("create_order", purchase_id=bought["purchase_id"])
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}")
    await expect(tab.locator(".row")).to_have_count(2)
    await audit.look("list")
    buttons = await tab.locator("#bar nav button:visible").evaluate_all("(all) => all.map((button) => button.id)")
    assert {"buy", "clock", "faults", "scenarios", "more", "refusals", "snapshots", "settings", "findings"} <= set(
        buttons
    )
    for name in buttons:
        await tab.locator(f"#{name}").click()
        await tab.locator("dialog[open], #findings-title:visible").first.wait_for()
        await audit.look(f"view of {name}")
        await tab.keyboard.press("Escape")
        await expect(tab.locator("dialog, #findings-title:visible")).to_have_count(0)
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}&purchase_id={bought['purchase_id']}")
    await tab.locator("#show-failure").click()
    await tab.locator("div.exchange").wait_for()
    await audit.look("purchase")
    assert audit.found == {}
