"""The events that decisions record: callbacks, the journal and scenarios follow them."""

import re
from functools import cache
from typing import Any

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened to one merchant; `purchase_id` names the purchase where there is one."""

    purchase_id: str | None = None


class ButtonCreated(Event, frozen=True, kw_only=True):
    """A merchant created a button key (guide, step 1)."""

    button_key: str


class ButtonUpdated(Event, frozen=True, kw_only=True):
    """A merchant changed the options of a button key."""

    button_key: str


class SessionInitiated(Event, frozen=True, kw_only=True):
    """A shopper clicked the button and a session started.

    load_callback: `none`, `without_parameters` or `with_parameters`, by what lib.js knows of the callback of the page's `load()`.
    """

    button_key: str
    load_callback: str | None = None


class IdentificationUpdated(Event, frozen=True, kw_only=True):
    """The shopper was identified, for the first time or again (klarna.md §6.5)."""

    customer_country: str
    customer_postal_code: str


class SpecificationsSelected(Event, frozen=True, kw_only=True):
    """The shopper chose a variation and a quantity (klarna.md §4.2)."""

    reference: str
    quantity: int


class ShippingUpdated(Event, frozen=True, kw_only=True):
    """The shopper chose a shipping option; `reference` is the option's id (klarna.md §6.5)."""

    reference: str


class CheckboxesAnswered(Event, frozen=True, kw_only=True):
    """The shopper answered the merchant's additional checkboxes."""

    merchant_requested: dict[str, bool]


class CartChanged(Event, frozen=True, kw_only=True):
    """A shopper who cheats changed the cart; `before` and `after` are the values of `path`, and the sums are right."""

    cheat: str
    path: str
    before: str
    after: str


class SessionUpdated(Event, frozen=True, kw_only=True):
    """The page, or the merchant's answer to an `update` callback, changed the session.

    `before` and `after` are the members of the session that became others.
    """

    changed: tuple[str, ...]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class UpdateIgnored(Event, frozen=True, kw_only=True):
    """An `update` callback failed, or its answer could not be used; the session did not change."""

    reason: str


class PurchaseAuthorized(Event, frozen=True, kw_only=True):
    """Klarna authorized the purchase and issued a token (guide, step 3)."""

    authorization_token: str
    order_amount: int


class PurchaseDeclined(Event, frozen=True, kw_only=True):
    """Klarna declined the shopper; the merchant is not called."""

    reason: str


class PurchaseFailed(Event, frozen=True, kw_only=True):
    """The purchase ended for a technical reason."""

    reason: str


class PurchasePlaced(Event, frozen=True, kw_only=True):
    """The merchant placed the order (guide, step 3)."""

    order_id: str
    fraud_status: str
    order_amount: int


class PurchaseDenied(Event, frozen=True, kw_only=True):
    """The merchant denied the purchase (guide, step 3)."""

    deny_code: str | None = None
    deny_message: str | None = None
    deny_redirect_url: str | None = None


class PurchaseTimedOut(Event, frozen=True, kw_only=True):
    """The merchant did not answer in time, and the shopper was shown an error (klarna.md §5)."""

    seconds: float


class AuthorizationExpired(Event, frozen=True, kw_only=True):
    """The token expired unused (klarna.md §5)."""

    authorization_token: str


class AuthorizationRefused(Event, frozen=True, kw_only=True):
    """Another merchant used the token and was answered 403 (guide, step 3)."""

    authorization_token: str
    refused_merchant: str


class FraudReviewEnded(Event, frozen=True, kw_only=True):
    """The fraud review of an order ended (klarna.md §4.5)."""

    order_id: str
    fraud_status: str
    event_type: str


class ClockMoved(Event, frozen=True, kw_only=True):
    """A merchant's clock was advanced or set; `seconds` is how far it now is ahead of real time."""

    seconds: float


class FaultCreated(Event, frozen=True, kw_only=True):
    """A fault was created for the next matching request or callback."""

    fault_id: str


class OrderEvent(Event, frozen=True, kw_only=True):
    """Something that happened to one placed order."""

    order_id: str


class OrderAcknowledged(OrderEvent, frozen=True, kw_only=True):
    """The merchant acknowledged the order; pushes stop."""


class OrderAuthorizationUpdated(OrderEvent, frozen=True, kw_only=True):
    """The merchant changed how much of the order is authorized."""

    order_amount: int


class OrderCaptured(OrderEvent, frozen=True, kw_only=True):
    """The merchant captured an amount."""

    capture_id: str
    captured_amount: int
    remaining_authorized_amount: int


class OrderRefunded(OrderEvent, frozen=True, kw_only=True):
    """The merchant refunded a captured amount."""

    refund_id: str
    refunded_amount: int


class OrderCancelled(OrderEvent, frozen=True, kw_only=True):
    """The order was cancelled, by the merchant or after a rejected review."""

    reason: str


class OrderClosed(OrderEvent, frozen=True, kw_only=True):
    """The order was closed by the sandbox (klarna.md §9.3, the admin switch)."""


class RemainingAuthorizationReleased(OrderEvent, frozen=True, kw_only=True):
    """The merchant released the remaining authorization."""

    released_amount: int


class AuthorizationTimeExtended(OrderEvent, frozen=True, kw_only=True):
    """The authorization was extended; `expires_at` is seconds on the merchant's clock."""

    expires_at: float


class OrderDetailsUpdated(OrderEvent, frozen=True, kw_only=True):
    """The merchant changed references, address or shipping info."""

    changed: str


class CaptureUpdated(OrderEvent, frozen=True, kw_only=True):
    """The merchant added shipping info to a capture, extended its due date or sent its invoice again."""

    capture_id: str
    changed: str


class CustomerTokenCreated(Event, frozen=True, kw_only=True):
    """The merchant created a customer token from an authorization (klarna.md §4.3)."""

    customer_token: str


class CustomerTokenChanged(Event, frozen=True, kw_only=True):
    """A customer token was cancelled, suspended or made active again (klarna.md §9.5)."""

    customer_token: str
    status: str


class OrderFromToken(Event, frozen=True, kw_only=True):
    """The merchant placed an order with a customer token, without a shopper (klarna.md §9.5)."""

    customer_token: str
    order_id: str
    fraud_status: str
    order_amount: int


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def event_name(event: Event) -> str:
    """Return the name an event has in the journal: `PurchasePlaced` is `purchase_placed`."""
    return _snake_case(type(event).__name__)


def event_data(event: Event) -> dict[str, object]:
    """Return an event's members, without those that are not set, ready for JSON."""
    values = ((name, getattr(event, name)) for name in event.__struct_fields__ if name != "purchase_id")
    return {name: value for name, value in values if value is not None}


def event_classes(base: type[Event] = Event) -> dict[str, type[Event]]:
    """Return every class of events by the name it has in the journal."""
    found: dict[str, type[Event]] = {}
    for child in base.__subclasses__():
        found |= {_snake_case(child.__name__): child, **event_classes(child)}
    return found
