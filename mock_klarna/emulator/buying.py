"""A whole purchase without a browser: the steps of a shopper, one after the other (`POST /_mock/purchases`)."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from mock_klarna.domain.records import Purchase
from mock_klarna.emulator.emulator import Emulator
from mock_klarna.emulator.purchases import Purchases

Json = dict[str, Any]
SEED_KEY = "123e4567-e89b-12d3-a456-426655440000"
"""The key in the seed page's examples (seed, step 2)."""


async def buy(emulator: Emulator, merchant: str | None, wish: Json) -> Purchase:
    """Play a shopper up to the final button and return the purchase as it is then; `wish` is a checked `create_purchase` body.

    The key is the one that is named, or the one that the page names in its `setup` (C-6), or the merchant's newest.
    """
    page = wish.get("page") or {}
    button = await emulator.buttons.offered(merchant, wish.get("button_key") or _key_of(page))
    purchases = emulator.purchases
    patience = wish.get("merchant_timeout", emulator.settings.merchant_timeout or None)
    purchase = await purchases.start(button, page, wish.get("integrator_url"), patience)
    purchase = await purchases.identify(purchase, wish.get("shopper"))
    for choose in _choices(purchases, wish.get("select") or {}):
        purchase = await choose(purchase) if purchase.state == "started" else purchase
    return await purchases.pay(purchase, wish.get("outcome")) if purchase.state == "started" else purchase


def _key_of(page: Json) -> str | None:
    """Return the key that a page names; the placeholder of the seed page's examples names none, so that they work as printed."""
    key = (page.get("setup") or {}).get("key")
    return None if key is None or key.startswith(SEED_KEY) else key


def _choices(purchases: Purchases, select: Json) -> Iterator[Callable[[Purchase], Awaitable[Purchase]]]:
    """Yield what the shopper does between the first and the last step; an `update` callback can end the purchase meanwhile."""
    if "product_attributes" in select or "quantity" in select:
        attributes, quantity = select.get("product_attributes") or {}, select.get("quantity", 1)
        yield partial(purchases.specify, attributes=attributes, quantity=quantity)
    if "shipping_option" in select:
        yield partial(purchases.choose_shipping, option_id=select["shipping_option"])
    yield partial(purchases.answer_checkboxes, answers=select.get("checkboxes") or {})
