"""Texts of the merchant are shown as text, and messages from other windows are ignored."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.dialog import Dialog

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]
MARKUP = """"><script>window.top.hit = 1</script><img src=x onerror="hit=1">'{{x}}"""
ID = "a_\"'<b>"


def _options_with_markup(options: Json) -> Json:
    attribute = {"identifier": ID, "identifier_label": MARKUP, "value": ID, "value_label": MARKUP}
    item = {"type": "physical", "group_identifier": "g", "name": MARKUP, "reference": "r", "unit_price": 100}
    items = [{**item, "tax_rate": 0, "total_amount": 100, "total_tax_amount": 0, "product_attributes": [attribute]}]
    option = {**options["shipping_options"][0], "id": ID, "name": MARKUP, "description": MARKUP, "promo": MARKUP}
    boxes = [{"id": ID, "text": MARKUP}]
    return {"order_lines": None, "items": items, "shipping_options": [option], "additional_checkboxes": boxes}


async def test_markup_in_texts_of_the_merchant_is_shown_as_text(
    open_dialog: Open, options: Json, key: str, mock_klarna: MockKlarna, tab: "Page"
) -> None:
    mock_klarna.update_button(key, name=MARKUP)
    dialog = await open_dialog(**_options_with_markup(options))
    await expect(dialog.find("#merchant")).to_have_text(MARKUP)
    await dialog.identify()
    for place in (".chip", ".option-name", ".checkboxes", ".totals"):
        await expect(dialog.find(place)).to_contain_text(MARKUP)
    await dialog.find(".checkboxes input").check()
    await expect(dialog.find("script, img")).to_have_count(1)
    assert await tab.evaluate("window.hit") is None


async def test_the_terms_open_in_a_new_tab(open_dialog: Open, shop: Any) -> None:
    dialog = await open_dialog(merchant_urls={"terms": f"{shop.url}/terms"})
    await dialog.identify()
    link = dialog.frame.get_by_role("link", name="terms of the shop")
    await expect(link).to_have_attribute("href", f"{shop.url}/terms")
    await expect(link).to_have_attribute("target", "_blank")


async def test_messages_from_other_windows_are_ignored(tab: "Page", open_dialog: Open, mock_klarna: MockKlarna) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    frame = tab.frame(name="klarna-instant-shopping-fullscreen")
    assert frame is not None
    await frame.evaluate("() => document.activeElement.blur()")
    await frame.evaluate("() => window.postMessage({source: 'mock-klarna', type: 'focus'}, '*')")
    await frame.evaluate(
        "() => new Promise((done) => { window.addEventListener('message', done); postMessage(1, '*') })"
    )
    assert await frame.evaluate("() => document.activeElement.id") == ""
