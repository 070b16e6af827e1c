"""The emulator as the ways in see it: its commands in groups."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from mock_klarna.domain.records import Purchase
from mock_klarna.emulator.authorizations import Authorizations
from mock_klarna.emulator.buttons import Buttons, Offers
from mock_klarna.emulator.checkout import Purchases
from mock_klarna.emulator.context import Context
from mock_klarna.emulator.customer_tokens import CustomerTokens
from mock_klarna.emulator.faults import Faults
from mock_klarna.emulator.idempotency import Idempotency
from mock_klarna.emulator.merchants import Merchants
from mock_klarna.emulator.orders import OrderManagement, Orders
from mock_klarna.settings import Settings
from mock_klarna.store.base import Store


class Emulator:
    """Klarna Instant Shopping over a store. `real_time` returns seconds in UTC, `seed` is that of every merchant's chance."""

    def __init__(self, store: Store, settings: Settings, real_time: Callable[[], float], seed: str) -> None:
        self.context = Context(store, settings, real_time, seed)
        self.store = store
        self.settings = settings
        self.buttons = Buttons(self.context)
        self.offers = Offers(self.context)
        self.authorizations = Authorizations(self.context)
        self.purchases = Purchases(self.context)
        self.orders = Orders(self.context)
        self.order_management = OrderManagement(self.context)
        self.customer_tokens = CustomerTokens(self.context)
        self.idempotency = Idempotency(self.context)
        self.merchants = Merchants(self.context)
        self.faults = Faults(self.context)


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
