"""What the dialog looks like: pictures, long carts, what is in line, the sheet on phones, the page behind it; nothing jumps."""

import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import BUTTON, HIDDEN, Dialog
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, Request

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]


def buy_page(mock_klarna: MockKlarna, shop: Shop, options: Json) -> str:
    """Return the address of the page of a key that has what a page would give `load()`."""
    page = {name: value for name, value in options.items() if name != "setup"}
    key = mock_klarna.create_button(**{**page, "merchant_urls": shop.merchant_urls})
    return f"{mock_klarna.url}/instantshopping/buy/{key['button_key']}"


def cart(options: Json, count: int, **members: Any) -> list[Json]:
    """Return a cart with a number of lines; `image_url` may contain the number of the line."""
    line = options["order_lines"][0]
    named = [{**line, "reference": f"r{number}", "name": f"Article {number}"} for number in range(count)]
    return [{**each, **{name: value.format(at) for name, value in members.items()}} for at, each in enumerate(named)]


async def test_products_have_their_picture_or_a_parcel(
    tab: "Page", open_dialog: Open, options: Json, shop: Shop, console_errors: list[str]
) -> None:
    requests: list[str] = []
    tab.on("request", lambda request: _note(requests, request))
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    shop.show(svg, "/picture-0", Content_Type="image/svg+xml")
    lines = cart(options, 3, image_url=shop.url + "/picture-{}")  # the shop has no other pictures
    lines += [{**lines[0], "reference": "x", "image_url": "javascript:alert(1)"}]
    dialog = await open_dialog(order_lines=lines)
    await dialog.identify()
    pictures = dialog.find(".totals .picture")
    await expect(pictures).to_have_count(4)
    await expect(pictures.locator("img")).to_have_count(1)
    assert await pictures.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 9
    assert await pictures.last.evaluate("one => getComputedStyle(one).backgroundImage.slice(0, 14)") == 'url("data:imag'
    await dialog.find("#shipping-option-0").check()
    await dialog.idle()
    # rendering again requests nothing again
    assert sorted(requests) == [f"{shop.url}/picture-{number}" for number in range(3)]
    console_errors.clear()


def _note(requests: list[str], request: "Request") -> None:
    if request.resource_type == "image" and "picture" in request.url:
        requests.append(request.url)


async def test_a_long_cart_is_folded_and_stays_open_during_updates(
    tab: "Page", open_dialog: Open, options: Json
) -> None:
    dialog = await open_dialog(order_lines=cart(options, 20))
    await dialog.identify()
    await expect(dialog.find(".totals .line:visible")).to_have_count(3)
    await dialog.find("#more-lines summary").click()
    await expect(dialog.find(".totals .line:visible")).to_have_count(20)
    await tab.evaluate("lines => Klarna.InstantShopping.update({ order_lines: lines })", cart(options, 19))
    await expect(dialog.find(".totals .line:visible")).to_have_count(19)


async def left_of(found: "Locator") -> list[float]:
    """Return where elements begin, in CSS pixels."""
    edges: list[float] = await found.evaluate_all("all => all.map((one) => one.getBoundingClientRect().left)")
    return edges


async def test_fields_lines_and_promotions_are_in_line_on_phones(
    tab: "Page", open_dialog: Open, page: Callable[[str], Any]
) -> None:
    cart = page("de-discounts")
    shipping = [{**option, "promo": "Nur heute: klimaneutral"} for option in cart["shipping_options"]]
    for width in (390, 320):
        await tab.set_viewport_size({"width": width, "height": 640})
        dialog = await open_dialog(**{**cart, "locale": "fr-DE", "shipping_options": shipping})
        if width == 390:  # in French the label of one field needs two lines, the other one
            assert len(set(await edges(dialog.find("#title, #date_of_birth"), "top"))) == 1
        await dialog.identify("de-approved")
        assert len(set(await edges(dialog.find(".totals .line > :first-child"), "left"))) == 1, width
        assert len(set(await edges(dialog.find(".option-name *"), "left"))) == 1, width


async def edges(found: "Locator", side: str) -> list[float]:
    """Return where elements begin, in CSS pixels, when there are some."""
    await found.first.wait_for()
    places: list[float] = await found.evaluate_all(
        "(all, side) => all.map((one) => Math.round(one.getBoundingClientRect()[side]))", side
    )
    return places


async def test_the_drawer_leaves_room_for_the_card_of_the_buy_page(
    tab: "Page", mock_klarna: MockKlarna, shop: Shop, options: Json
) -> None:
    await tab.goto(buy_page(mock_klarna, shop, options))
    await tab.locator("#email").wait_for()
    for width in (1000, 1280, 1359, 1360, 1500):
        await tab.set_viewport_size({"width": width, "height": 720})
        before = await edges(tab.locator("#dialog"), "top")
        await tab.locator("#drawer-button").click()
        assert await edges(tab.locator("#dialog"), "top") == before, width
        await tab.locator("#drawer-close").click()


async def test_the_button_to_go_on_is_visible_in_every_step(
    tab: "Page", mock_klarna: MockKlarna, shop: Shop, options: Json
) -> None:
    await tab.set_viewport_size({"width": 390, "height": 600})
    await tab.goto(buy_page(mock_klarna, shop, {**options, "order_lines": cart(options, 9)}))
    await tab.locator("#fill-button").click()
    await expect(tab.locator("#email")).not_to_have_value("")
    await expect(tab.locator("#address-button")).to_be_in_viewport(ratio=1)
    await tab.locator("#email").focus()
    for _ in range(8):
        assert await tab.evaluate(HIDDEN) == ""
        await tab.keyboard.press("Tab")
    await tab.locator("#address-button").click()
    await expect(tab.locator("#checkout-button")).to_be_in_viewport(ratio=1)
    assert await tab.evaluate("[scrollY, document.documentElement.scrollHeight > innerHeight]") == [0, True]


async def test_on_a_phone_the_dialog_is_a_sheet_at_the_bottom(tab: "Page", open_dialog: Open) -> None:
    await tab.set_viewport_size({"width": 390, "height": 844})
    dialog = await open_dialog()
    await dialog.find("#email").wait_for()
    box = await dialog.find("#dialog").evaluate(
        "one => [one.offsetLeft, one.offsetTop, one.offsetWidth, one.offsetHeight]"
    )
    assert box == [0, 28, 390, 816]


@pytest.mark.parametrize(
    ("scheme", "meta"), [("dark", ""), ("dark", "light dark"), ("dark", "light"), ("light", "dark")]
)
async def test_the_page_is_seen_behind_the_dialog_in_every_colour_scheme(
    tab: "Page", product_page: Callable[..., str], options: Json, scheme: Any, meta: str
) -> None:
    await tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    body = f'<meta name="color-scheme" content="{meta}"><style>html {{ background: #f00 }}</style>'
    container = '<klarna-instant-shopping data-instance-id="button-1"></klarna-instant-shopping>'
    await tab.goto(product_page(load(options), body + container))
    await tab.locator(BUTTON).click()
    await tab.locator("mock-klarna-overlay .ready").wait_for(state="attached")
    await Dialog(tab).find("#email").wait_for()
    red, green, blue = _pixel(await tab.screenshot(clip={"x": 4, "y": 4, "width": 1, "height": 1}))
    assert 60 < red < 140, (red, green, blue)
    assert max(green, blue) < 30, (red, green, blue)


def _pixel(png: bytes) -> tuple[int, int, int]:
    """Return the colour of a PNG of one pixel."""
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


async def test_nothing_jumps_while_the_page_of_a_key_loads(
    tab: "Page", mock_klarna: MockKlarna, shop: Shop, options: Json
) -> None:
    await tab.goto(buy_page(mock_klarna, shop, options))
    await tab.locator("#email").wait_for()
    moved = """new Promise((resolve) => new PerformanceObserver((list) =>
      resolve(list.getEntries().map(({value, sources}) => [value, sources.map(({node}) => node?.id || node?.nodeName)]))
    ).observe({type: "layout-shift", buffered: true}))"""
    nothing = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve([])))))"
    assert await tab.evaluate(f"Promise.race([{moved}, {nothing}])") == []
