"""The dashboard of a merchant, and a shop where shoppers buy."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

Json = dict[str, Any]
Open = Callable[..., Awaitable[None]]
Buy = Callable[..., Json]
Wait = Callable[[], Awaitable["asyncio.Queue[Route]"]]


@pytest.fixture
def open_dashboard(tab: "Page", mock_klarna: MockKlarna) -> Open:
    """Opens the dashboard of the merchant, with more query parameters, and waits until it is live."""

    async def go(path: str = "/", **query: str) -> None:
        given = "&".join(f"{name}={value}" for name, value in {"merchant": mock_klarna.merchant, **query}.items())
        await tab.goto(f"{mock_klarna.url}{path}?{given}")
        await expect(tab.locator("#live")).to_have_text("live")

    return go


@pytest.fixture
def buy(mock_klarna: MockKlarna, shop: Shop) -> Buy:
    """Lets a shopper buy the Swedish cart; the shop places the order, after `change` has changed it, or does nothing."""
    urls = {**shop.merchant_urls, "push": f"{shop.url}/push?order={{checkout.order.id}}"}
    key = mock_klarna.create_button(merchant_urls=urls)["button_key"]

    def run(change: Callable[[Json], None] | None = None, *, decides: bool = True, **options: Any) -> Json:
        def decide(callback: Json) -> None:
            if not decides:
                return
            order = copy.deepcopy(callback["order"])
            if change is not None:
                change(order)
            path = f"/instantshopping/v1/authorizations/{callback['authorization_token']}/orders"
            mock_klarna.send("POST", path, order)

        shop.decide = decide
        given = {"button_key": key, "cart": "se-battery-pack", "shopper": "se-approved", "wait": 0, **options}
        bought: Json = mock_klarna.purchase(**given)
        mock_klarna.wait_for("place_order", purchase_id=bought["purchase_id"])
        return bought

    return run


@pytest.fixture
def wait_for_streams(tab: "Page") -> Wait:
    """Lets the requests for streams wait until the test answers them."""

    async def start() -> "asyncio.Queue[Route]":
        streams: asyncio.Queue[Route] = asyncio.Queue()
        await tab.route("**/_mock/events?*", streams.put)
        return streams

    return start


def with_wrong_tax(order: Json) -> None:
    """Change an order so that it is refused."""
    order["order_lines"][0]["total_tax_amount"] += 100
