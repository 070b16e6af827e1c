"""A whole purchase without a browser: the steps of a shopper, one after the other (`POST /_mock/purchases`)."""

from typing import Any

from mock_klarna.domain.records import Purchase
from mock_klarna.emulator.emulator import Emulator

Json = dict[str, Any]


async def buy(emulator: Emulator, merchant: str | None, wish: Json) -> Purchase:
    """Play a shopper up to the final button and return the purchase as it is then; `wish` is a checked `create_purchase` body."""
    button = await emulator.buttons.offered(merchant, wish.get("button_key"))
    purchases = emulator.purchases
    patience = wish.get("merchant_timeout", emulator.settings.merchant_timeout or None)
    purchase = await purchases.start(button, wish.get("page") or {}, wish.get("integrator_url"), patience)
    purchase = await purchases.identify(purchase, wish.get("shopper"))
    purchase = await _choose(emulator, purchase, wish.get("select") or {})
    return await purchases.pay(purchase, wish.get("outcome")) if purchase.state == "started" else purchase


async def _choose(emulator: Emulator, purchase: Purchase, select: Json) -> Purchase:
    purchases = emulator.purchases
    if "product_attributes" in select or "quantity" in select:
        attributes, quantity = select.get("product_attributes") or {}, select.get("quantity", 1)
        purchase = await purchases.specify(purchase, attributes, quantity)
    if "shipping_option" in select:
        purchase = await purchases.choose_shipping(purchase, select["shipping_option"])
    return await purchases.answer_checkboxes(purchase, select.get("checkboxes") or {})
