from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import BUTTON, Dialog, placing
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]


@pytest.fixture
def open_dialog(tab: "Page", product_page: Callable[..., str], options: Json, shop: Shop) -> Open:
    """Opens the product page with changes to its options and clicks its button; in English by default."""

    async def click(**changes: Any) -> Dialog:
        given = {**options, "locale": "en-SE", **changes}
        await tab.goto(product_page(load(given)))
        await tab.locator(BUTTON).click()
        return Dialog(tab)

    return click


@pytest.fixture
def order(shop: Shop, mock_klarna: MockKlarna) -> Callable[[], Json]:
    """Sets the merchant to place orders; returns the order of the place_order callback."""
    shop.decide = placing(mock_klarna)
    return lambda: shop.callbacks[-1]["order"]
