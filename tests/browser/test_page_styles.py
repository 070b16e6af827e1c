"""Style sheets of pages, which can neither move nor hide the button and the dialog."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import load

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Product = Callable[..., str]
BUTTON = "klarna-instant-shopping button"
FRAME = "#klarna-instant-shopping-fullscreen"
READY = "mock-klarna-overlay:not([hidden]) dialog.ready"
WIDTH, HEIGHT = 800, 600

ON_CLICK = (
    "body { transform: translateX(50px) rotate(5deg) }",
    "body { filter: blur(4px) grayscale(1) }",
    "body { contain: strict; width: 300px; height: 900px }",
    "body { zoom: .5 }",
    "body { perspective: 100px; will-change: transform }",
    "body { display: none !important }",
    "body { visibility: hidden !important; opacity: 0 }",
    "body { overflow: hidden; height: 10px; position: relative }",
    "body { container-type: size; height: 10px }",
    "body { content-visibility: hidden }",
    "body > * { display: none !important }",
    "body { pointer-events: none !important; user-select: none }",
    "html { filter: invert(1) }",
    "html { transform: scale(.5) }",
    "html { opacity: 0 }",
    "html { visibility: hidden !important }",
    "html { pointer-events: none !important }",
    "html { overflow: scroll !important }",
    "html { writing-mode: vertical-rl; direction: rtl }",
    "html { font-size: 62.5% } body { font-size: 50px; line-height: 5 }",
    "html > * { display: none !important }",
    "html > :not(body) { display: none !important; position: static !important }",
    "html > :last-child { height: 0 !important; overflow: hidden !important; opacity: 0 !important }",
    "iframe { max-height: 50px; height: auto !important; max-width: 50px !important }",
    "iframe { padding: 40px; border: 20px solid red !important; margin: 30px !important }",
    "iframe { display: none !important }",
    "iframe { visibility: hidden !important; opacity: 0 !important }",
    "iframe { position: static !important; z-index: -1 !important; float: left !important }",
    "iframe { transform: scale(.2) !important; clip-path: circle(0) !important; filter: opacity(0) !important }",
    "iframe { pointer-events: none !important; aspect-ratio: 16 / 9 !important; box-sizing: content-box !important }",
    "iframe[id] { inset: 50% !important; width: 1px !important; min-height: 2000px !important }",
    "iframe:not([src*=youtube]) { display: none !important }",
    "* { animation: none !important; transition: all 9s !important; transform: none !important; zoom: 1 !important }",
    "* { max-width: 40px !important; max-height: 40px !important; overflow: hidden !important }",
    "* { position: relative !important; z-index: 0 !important; isolation: isolate !important }",
    "* { contain: paint !important; mask: none !important; rotate: 45deg !important; scale: .1 !important }",
    "*::before, *::after { content: ''; position: fixed; inset: 0; z-index: 2147483647; background: red }",
    "dialog { display: none !important } dialog::backdrop { background: red !important }",
    "[popover], :popover-open, :modal { display: none !important }",
    ".modal { position: fixed; inset: 0; z-index: 2147483647; background: red }",
    "@layer base { iframe { display: none !important; height: 0 !important } }",
    "@keyframes gone { to { opacity: 0; display: none; translate: 999px } } :not(html) { animation: gone 1ms forwards !important }",
)
"""Sheets that the page has when the dialog opens; some hide the button, so it is clicked by a script."""

ALWAYS = (
    "div { display: none !important }",
    "div, span, p, button, section { all: unset !important; display: none !important }",
    "* { text-transform: uppercase; letter-spacing: 9px; color: red; font: 3px serif; line-height: 0 }",
    "body { font-size: 1px; visibility: visible; line-height: 0; text-indent: 200px; word-spacing: 40px }",
    "html { font-size: 62.5% }",
    "html { font-size: 1px }",
    "klarna-instant-shopping > * { height: 1px !important; overflow: hidden !important; opacity: 0 !important }",
    "klarna-instant-shopping > * { position: absolute !important; left: -9999px !important; max-width: 10px !important }",
    "klarna-instant-shopping { text-align: right; color: transparent; cursor: none; direction: rtl }",
    "klarna-instant-shopping *::after { content: 'x'; display: block; height: 500px }",
)
"""Sheets that the page always has."""

COVERS = """([width, height]) => {
    const frame = document.getElementById("klarna-instant-shopping-fullscreen");
    const { x, y, width: wide, height: high } = frame.getBoundingClientRect();
    const points = [[2, 2], [width - 20, 2], [width / 2, height / 2], [2, height - 20], [width - 20, height - 20]];
    const hit = points.every(([left, top]) => document.elementFromPoint(left, top) === frame);
    return hit && x <= 0 && y <= 0 && wide >= width - 16 && high >= height - 16;
}"""


async def test_the_dialog_covers_every_page(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    box = "<klarna-instant-shopping data-instance-id=button-1></klarna-instant-shopping><div class=modal></div>"
    await tab.goto(product_page(load(options), box))
    await tab.locator(BUTTON).wait_for()
    broken = []
    for sheet in ON_CLICK:
        style = await tab.add_style_tag(content=sheet)
        await tab.locator(BUTTON).evaluate("(button) => button.click()")
        await expect(tab.locator(READY)).to_have_count(1)
        close = tab.frame_locator(FRAME).locator("#close-button")
        await expect(close).to_be_visible()
        if not await tab.evaluate(COVERS, [WIDTH, HEIGHT]):
            broken.append(sheet)
        await close.evaluate("(button) => button.click()")
        await expect(tab.locator(FRAME)).to_have_count(0)
        await style.evaluate("(style) => style.remove()")
    assert broken == []


async def test_the_button_looks_the_same_on_every_page(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).wait_for()
    look = """(button) => {
        const { color, fontSize, lineHeight, textTransform, letterSpacing, textIndent, cursor } = getComputedStyle(button);
        const { x, width, height } = button.getBoundingClientRect();
        return [color, fontSize, lineHeight, textTransform, letterSpacing, textIndent, cursor, width, height, x >= 0];
    }"""
    plain = await tab.locator(BUTTON).evaluate(look)
    broken = {}
    for sheet in ALWAYS:
        style = await tab.add_style_tag(content=sheet)
        styled = await tab.locator(BUTTON).evaluate(look)
        if styled != plain or not await tab.locator(BUTTON).is_visible():
            broken[sheet] = styled
        await style.evaluate("(style) => style.remove()")
    assert broken == {}, plain


async def test_the_dialog_opens_above_a_modal_dialog_of_the_page(
    tab: "Page", product_page: Product, options: Json
) -> None:
    box = "<dialog id=cart><klarna-instant-shopping data-instance-id=button-1></klarna-instant-shopping></dialog>"
    await tab.goto(product_page("cart.showModal();" + load(options), box))
    await tab.locator(BUTTON).click()
    frame = tab.frame_locator(FRAME)
    await frame.locator("#email").fill("alice@example.com")
    await frame.locator("#close-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    await expect(tab.locator(BUTTON)).to_be_focused()


async def test_the_page_behind_the_dialog_has_no_focus_and_no_clicks(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).click()
    await expect(tab.locator(READY)).to_be_visible()
    await tab.locator(BUTTON).evaluate("(button) => button.focus()")
    assert await tab.evaluate("document.activeElement.localName") == "iframe"


async def test_a_browser_without_modal_dialogs_shows_the_dialog_above_the_page(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    await tab.add_init_script("delete HTMLDialogElement.prototype.showModal; delete HTMLDialogElement.prototype.close;")
    box = "<style>body{transform:scale(.5)} header{position:fixed;inset:0;z-index:2147483647;background:red}</style>"
    container = "<header></header><klarna-instant-shopping data-instance-id=button-1></klarna-instant-shopping>"
    await tab.goto(product_page(load(options), box + container))
    await tab.locator(BUTTON).evaluate("(button) => button.click()")
    await expect(tab.locator(READY)).to_be_visible()
    assert await tab.evaluate(COVERS, [WIDTH, HEIGHT])
    await tab.frame_locator(FRAME).locator("#close-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
