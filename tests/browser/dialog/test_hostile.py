"""What a merchant writes is text, wherever it is shown; what is no web address is never followed."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.driving import Dialog

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]
NASTY = """"><script>window.top.hit = 1</script><img src=x onerror="hit=1">'{{x}}"""
ID = "a_\"'<b>"


def _nasty(options: Json) -> Json:
    attribute = {"identifier": ID, "identifier_label": NASTY, "value": ID, "value_label": NASTY}
    item = {"type": "physical", "group_identifier": "g", "name": NASTY, "reference": "r", "unit_price": 100}
    items = [{**item, "tax_rate": 0, "total_amount": 100, "total_tax_amount": 0, "product_attributes": [attribute]}]
    option = {**options["shipping_options"][0], "id": ID, "name": NASTY, "description": NASTY, "promo": NASTY}
    boxes = [{"id": ID, "text": NASTY}]
    return {"order_lines": None, "items": items, "shipping_options": [option], "additional_checkboxes": boxes}


async def test_markup_in_a_merchants_words_is_shown_as_it_is(
    opened: Open, options: Json, key: str, mock_klarna: MockKlarna, tab: "Page"
) -> None:
    mock_klarna.update_button(key, name=NASTY)
    dialog = await opened(**_nasty(options))
    await expect(dialog.at("#merchant")).to_have_text(NASTY)
    await dialog.identify()
    for place in (".chip", ".option-name", ".checkboxes", ".sums"):
        await expect(dialog.at(place)).to_contain_text(NASTY)
    await dialog.at(".checkboxes input").check()
    await expect(dialog.at("script, img")).to_have_count(1)
    assert await tab.evaluate("window.hit") is None


async def test_the_terms_are_a_link_to_a_page_beside(opened: Open, shop: Any) -> None:
    dialog = await opened(merchant_urls={"terms": f"{shop.url}/terms"})
    await dialog.identify()
    link = dialog.frame.get_by_role("link", name="terms of the shop")
    await expect(link).to_have_attribute("href", f"{shop.url}/terms")
    await expect(link).to_have_attribute("target", "_blank")


async def test_messages_of_strangers_are_not_heard(tab: "Page", opened: Open, mock_klarna: MockKlarna) -> None:
    dialog = await opened()
    await dialog.identify()
    frame = tab.frame(name="klarna-instant-shopping-fullscreen")
    assert frame is not None
    await frame.evaluate("() => document.activeElement.blur()")
    await frame.evaluate("() => window.postMessage({source: 'mock-klarna', type: 'focus'}, '*')")
    await frame.evaluate(
        "() => new Promise((heard) => { window.addEventListener('message', heard); postMessage(1, '*') })"
    )
    assert await frame.evaluate("() => document.activeElement.id") == ""
