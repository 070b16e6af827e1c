"""A complete purchase in Firefox."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import placing
from tests.browser.firefox import launched
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]


async def test_firefox_plays_a_purchase(
    tmp_path: Path, product_page: Callable[..., str], options: Json, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = placing(mock_klarna)
    options["order_lines"][0]["image_url"] = ""  # this browser is not kept from the internet
    async with launched(tmp_path) as firefox:
        await firefox.call("browsingContext.navigate", context=firefox.tab, url=product_page(load(options)))
        button = "document.querySelector('mock-klarna-button')?.shadowRoot.querySelector('button')"
        await firefox.click(firefox.tab, button)
        dialog = await firefox.loaded("/instantshopping/dialog/")
        await firefox.element(
            firefox.tab, "document.querySelector('mock-klarna-overlay').shadowRoot.querySelector('.ready')"
        )
        for name in ("fill-button", "address-button", "checkout-button", "confirmation__bottom"):
            wait = "!document.querySelector('[aria-busy=true]')"
            filled = " && document.getElementById('email').value" if name == "address-button" else ""
            await firefox.click(dialog, f"({wait}{filled} ? document.getElementById('{name}') : null)")
        await firefox.loaded("/confirmation")
        assert firefox.console_errors() == []
    assert shop.callbacks[0]["order"]["billing_address"]["email"] == "customer@email.se"
    assert [purchase["state"] for purchase in mock_klarna.purchases()] == ["placed"]
