"""What happened to orders and customer tokens after the purchase (protocol 9)."""

from mock_klarna.domain.events import Event
from mock_klarna.domain.facts import fact


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
