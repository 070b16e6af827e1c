"""The emulator as the ways in see it: its commands in groups."""

from collections.abc import Callable

from mock_klarna.emulator.authorizations import Authorizations
from mock_klarna.emulator.buttons import Buttons
from mock_klarna.emulator.context import Context
from mock_klarna.emulator.customer_tokens import CustomerTokens
from mock_klarna.emulator.faults import Faults
from mock_klarna.emulator.idempotency import Idempotency
from mock_klarna.emulator.merchants import Merchants
from mock_klarna.emulator.offers import Offers
from mock_klarna.emulator.order_management import OrderManagement
from mock_klarna.emulator.orders import Orders
from mock_klarna.emulator.purchases import Purchases
from mock_klarna.settings import Settings
from mock_klarna.store.port import Store


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
