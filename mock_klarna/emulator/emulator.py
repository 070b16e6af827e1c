"""The emulator: every command in groups, and a whole purchase in one call."""

from typing import Any

from mock_klarna import resources
from mock_klarna.domain import session
from mock_klarna.domain.records import Order, Purchase
from mock_klarna.emulator import buttons, checkout_steps
from mock_klarna.emulator.authorizations import Authorizations
from mock_klarna.emulator.buttons import Buttons, Offers
from mock_klarna.emulator.checkout import Checkout
from mock_klarna.emulator.context import Context, UpdateSender
from mock_klarna.emulator.customer_tokens import CustomerTokens
from mock_klarna.emulator.faults import Faults
from mock_klarna.emulator.idempotency import Idempotency
from mock_klarna.emulator.merchants import Merchants
from mock_klarna.emulator.orders import OrderManagement, Orders
from mock_klarna.emulator.saved_snapshots import Snapshots
from mock_klarna.errors import InvalidInput, MockKlarnaError, Problem, UnknownName, did_you_mean
from mock_klarna.validation import Validator


class Emulator:
    """Klarna Instant Shopping: the commands over one context."""

    def __init__(self, context: Context, updates: UpdateSender) -> None:
        self.context = context
        self.store = context.store
        self.settings = context.settings
        self.buttons = Buttons(self.context)
        self.offers = Offers(self.context)
        self.authorizations = Authorizations(self.context)
        self.checkout = Checkout(self.context, updates)
        self.orders = Orders(self.context)
        self.order_management = OrderManagement(self.context)
        self.customer_tokens = CustomerTokens(self.context)
        self.idempotency = Idempotency(self.context)
        self.merchants = Merchants(self.context)
        self.faults = Faults(self.context)
        self.snapshots = Snapshots(self.context)


Json = dict[str, Any]
EXAMPLE_KEY = "123e4567-e89b-12d3-a456-426655440000"
"""The button key in the examples of the integration guide (guide, step 2)."""


async def buy(emulator: Emulator, merchant: str | None, body: Json) -> Purchase:
    """Execute all steps of a shopper, including payment; `body` is a checked `create_purchase` body.

    The button key is that of the body, or that of the page's `setup` (klarna.md C-6), or the merchant's newest. What cannot be
    bought is refused before anything is recorded; if an `update` callback was sent before that turns out, the purchase fails.
    """
    page = _page(emulator.context.validator, body)
    button = await emulator.buttons.offered(merchant, body.get("button_key") or _key_of(page))
    checkout = emulator.checkout
    checkout.require_possible(button, page, body)
    timeout = body.get("merchant_timeout", emulator.settings.merchant_timeout or None)
    purchase = await checkout.start(button, page, body.get("integrator_url"), timeout)
    try:
        return await _finish(checkout, purchase, body)
    except MockKlarnaError as refused:
        await checkout.fail(purchase, str(refused))
        raise


async def _finish(checkout: Checkout, purchase: Purchase, body: Json) -> Purchase:
    """Execute the steps of a shopper after the click, as far as the answers to `update` callbacks allow."""
    purchase = await checkout.identify(purchase, body.get("shopper"))
    for step, context in checkout_steps.choices(purchase.purchase_id, body.get("select") or {}, purchase.session):
        purchase = await checkout.take(purchase, step, context) if purchase.state == "started" else purchase
    if "cheat" in body and purchase.state == "started":
        purchase = await checkout.take(purchase, checkout_steps.cheat(purchase.purchase_id, body["cheat"]))
    return await checkout.pay(purchase, body.get("outcome")) if purchase.state == "started" else purchase


async def order(emulator: Emulator, merchant: str | None, body: Json) -> Order:
    """Execute all steps of a shopper and place the order as the merchant would; `body` is a checked `create_purchase` body.

    Without a button key in the body the page alone counts, so that a merchant needs none. Raises `InvalidInput` without a
    merchant.
    """
    page = _page(emulator.context.validator, body)
    key = body.get("button_key") or _key_of(page)
    if key is None and merchant is None:
        expected = "credentials, or ?merchant= in the URL"
        raise InvalidInput([Problem("merchant", "required", None, expected)], where="merchant")
    button = await emulator.buttons.offered(merchant, key) if key else buttons.unregistered(merchant or "")
    return await emulator.checkout.order(button, page, body)


def _page(validator: Validator, body: Json) -> Json:
    """Return the page of a body: the members of `page` over those of its stored `cart`, read as a page is; raises `UnknownName`."""
    page, name = body.get("page") or {}, body.get("cart")
    if name is None:
        return page
    if name not in resources.cart_names():
        known = ", ".join(resources.cart_names())
        hint = f"{did_you_mean(name, resources.cart_names())} known: {known}".lstrip()
        raise UnknownName(f"unknown cart {name!r}", where="cart", hint=hint)
    cart, _ = validator.check("page", resources.cart(name))
    return session.merge(cart, page)


def _key_of(page: Json) -> str | None:
    """Return the key in the `setup` of a page; `EXAMPLE_KEY` counts as none, so that the guide's examples work as printed."""
    key = (page.get("setup") or {}).get("key")
    return None if key is None or key.startswith(EXAMPLE_KEY) else key
