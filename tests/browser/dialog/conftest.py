from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.driving import BUTTON, Dialog, placing
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]


@pytest.fixture
def opened(tab: "Page", product: Callable[..., str], options: Json, shop: Shop) -> Open:
    """Opens the product page, whose options a test changes, and clicks its button; English unless told."""

    async def click(**changes: Any) -> Dialog:
        given = {**options, "locale": "en-SE", **changes}
        await tab.goto(product(load(given)))
        await tab.locator(BUTTON).click()
        return Dialog(tab)

    return click


@pytest.fixture
def order(shop: Shop, mock_klarna: MockKlarna) -> Callable[[], Json]:
    """Has the merchant place what is bought; returns the order that Klarna asked to place."""
    shop.decide = placing(mock_klarna)
    return lambda: shop.callbacks[-1]["order"]
