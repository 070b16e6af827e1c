"""What happened, as facts that callbacks, the journal and the scenarios follow."""

import re
from dataclasses import fields
from functools import cache

from mock_klarna.frozen import fact


@fact
class Event:
    """A fact about one merchant; `purchase_id` ties it to the shopper's purchase where there is one."""

    purchase_id: str | None = None


@fact
class ButtonCreated(Event):
    """A merchant created a button key (seed, step 1)."""

    button_key: str


@fact
class ButtonUpdated(Event):
    """A merchant changed the options of a button key."""

    button_key: str


@fact
class SessionInitiated(Event):
    """A shopper clicked the button and a session began."""

    button_key: str


@fact
class IdentificationUpdated(Event):
    """The shopper gave or changed who they are (protocol 6.5)."""

    customer_country: str
    customer_postal_code: str


@fact
class SpecificationsSelected(Event):
    """The shopper chose a variation or a quantity (protocol 4.2)."""

    reference: str
    quantity: int


@fact
class ShippingUpdated(Event):
    """The shopper chose a shipping option; `reference` is the option's id (protocol 6.5)."""

    reference: str


@fact
class CheckboxesAnswered(Event):
    """The shopper answered the merchant's additional checkboxes."""

    merchant_requested: dict[str, bool]


@fact
class SessionUpdated(Event):
    """The page or the merchant's answer to an `update` callback changed the session."""

    changed: tuple[str, ...]


@fact
class UpdateIgnored(Event):
    """The merchant's answer to an `update` callback could not be used; the session stayed as it was."""

    reason: str


@fact
class PurchaseAuthorized(Event):
    """The shopper pressed the final button and Klarna said yes: a token exists (seed, step 3)."""

    authorization_token: str
    order_amount: int


@fact
class PurchaseDeclined(Event):
    """Klarna refused the shopper; the merchant hears nothing of it."""

    reason: str


@fact
class PurchaseFailed(Event):
    """The purchase ended for a technical reason."""

    reason: str


@fact
class PurchasePlaced(Event):
    """The merchant placed the order (seed, step 3)."""

    order_id: str
    fraud_status: str
    order_amount: int


@fact
class PurchaseDenied(Event):
    """The merchant denied the purchase (seed, step 3)."""

    deny_code: str | None = None
    deny_message: str | None = None
    deny_redirect_url: str | None = None


@fact
class PurchaseTimedOut(Event):
    """The merchant stayed silent for so long that the shopper was shown an error (protocol 5)."""

    seconds: float


@fact
class AuthorizationExpired(Event):
    """The token reached the end of its life unused (protocol 5)."""

    authorization_token: str


@fact
class AuthorizationRefused(Event):
    """Another merchant used the token and was answered 403 (seed, step 3)."""

    authorization_token: str
    refused_merchant: str


@fact
class FraudReviewEnded(Event):
    """A pending order was decided (protocol 4.5)."""

    order_id: str
    fraud_status: str
    event_type: str


@fact
class ClockMoved(Event):
    """A merchant's clock was advanced or set; `seconds` is how far it now is ahead of real time."""

    seconds: float


@fact
class FaultCreated(Event):
    """A fault waits for the next matching request or callback."""

    fault_id: str


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def event_name(event: Event) -> str:
    """Return the name an event has in the journal: `PurchasePlaced` is `purchase_placed`."""
    return _snake_case(type(event).__name__)


def event_data(event: Event) -> dict[str, object]:
    """Return an event's members, without those that are not set, ready for JSON."""
    values = ((field.name, getattr(event, field.name)) for field in fields(event) if field.name != "purchase_id")
    return {name: value for name, value in values if value is not None}


@fact
class OrderEvent(Event):
    """A fact about one placed order."""

    order_id: str


@fact
class OrderAcknowledged(OrderEvent):
    """The merchant said that it knows the order; pushes stop."""


@fact
class OrderAuthorizationUpdated(OrderEvent):
    """The merchant changed how much of the order is authorized."""

    order_amount: int


@fact
class OrderCaptured(OrderEvent):
    """The merchant took money, which is what sending the goods allows it to."""

    capture_id: str
    captured_amount: int
    remaining_authorized_amount: int


@fact
class OrderRefunded(OrderEvent):
    """The merchant gave captured money back."""

    refund_id: str
    refunded_amount: int


@fact
class OrderCancelled(OrderEvent):
    """The order was cancelled, by the merchant or in the wake of a rejected review."""

    reason: str


@fact
class OrderClosed(OrderEvent):
    """The order was closed by the sandbox (protocol 9.3, the admin switch)."""


@fact
class RemainingAuthorizationReleased(OrderEvent):
    """The merchant gave up what it had not captured."""

    released_amount: int


@fact
class AuthorizationTimeExtended(OrderEvent):
    """The authorization lives longer; `expires_at` is seconds on the merchant's clock."""

    expires_at: float


@fact
class OrderDetailsUpdated(OrderEvent):
    """The merchant changed references, address or shipping info."""

    changed: str


@fact
class CaptureUpdated(OrderEvent):
    """The merchant added shipping info to a capture, moved its due date or had its invoice sent again."""

    capture_id: str
    changed: str


@fact
class CustomerTokenCreated(Event):
    """The merchant made a customer token of an authorization (protocol 4.3)."""

    customer_token: str


@fact
class CustomerTokenChanged(Event):
    """A customer token was cancelled, suspended or made active again (protocol 9.5)."""

    customer_token: str
    status: str


@fact
class OrderFromToken(Event):
    """The merchant placed an order with a customer token, without a shopper (protocol 9.5)."""

    customer_token: str
    order_id: str
    fraud_status: str
    order_amount: int
