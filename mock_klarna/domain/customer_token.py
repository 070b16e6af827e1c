"""Customer tokens: created from an authorization, and used for orders without a shopper (klarna.md §4.3 and §9.5).

How a merchant created a token is not documented for Instant Shopping; this follows Klarna Payments (klarna.md §4.3).
"""

from typing import Any, ClassVar

from msgspec.structs import replace

from mock_klarna.domain.events import CustomerTokenChanged, CustomerTokenCreated, OrderFromToken
from mock_klarna.domain.purchase import PlacingRules, filled, require_open, waiting_jobs
from mock_klarna.domain.records import UNTOUCHED, Capture, CommandResult, Fulfilment, Order, Purchase, Record
from mock_klarna.errors import NotAllowed

Json = dict[str, Any]
STATUSES = ("ACTIVE", "SUSPENDED", "CANCELLED")
PAYMENT_METHOD = "INVOICE"
"""How every order of a token is paid; which methods tokens had in Instant Shopping is not documented."""


class CustomerToken(Record, frozen=True, kw_only=True):
    """A shopper's consent to further orders. `body` is the JSON of the shopper's data: addresses, country, currency."""

    kind: ClassVar[str] = "customer_token"
    customer_token: str
    purchase_id: str
    body: bytes
    created_at: float
    status: str = "ACTIVE"
    orders: int = 0

    @property
    def key(self) -> str:
        """The token itself."""
        return self.customer_token

    @property
    def subject(self) -> str | None:
        """The purchase in which the shopper agreed."""
        return self.purchase_id


def create(
    purchase: Purchase, customer_token: str, body: bytes, confirmation: str | None, now: float, rules: PlacingRules
) -> CommandResult[CustomerToken]:
    """Create a customer token from an authorization; the purchase becomes `placed`, without an order.

    `body` is the JSON that the token keeps, `confirmation` the URL where the shopper goes. Raises `NotFound` or `NotAllowed` by
    the state of the authorization token.
    """
    require_open(purchase, now, rules)
    token = CustomerToken(
        merchant=purchase.merchant,
        customer_token=customer_token,
        purchase_id=purchase.purchase_id,
        body=body,
        created_at=now,
    )
    placed = replace(
        purchase,
        version=purchase.version + 1,
        state="placed",
        session=b"",
        customer_token=customer_token,
        redirect_url=confirmation,
        consumer_message=rules.text(purchase.locale, "placed_text"),
    )
    event = CustomerTokenCreated(purchase_id=purchase.purchase_id, customer_token=customer_token)
    return CommandResult(value=token, writes=(token, placed), events=(event,), cancels=waiting_jobs(purchase))


def change(token: CustomerToken, status: str) -> CommandResult[CustomerToken]:
    """Set the status of a token; raises `NotAllowed` for a cancelled one."""
    if status == token.status:
        return CommandResult(value=token)
    if token.status == "CANCELLED":
        raise NotAllowed("Customer token is cancelled. Its status cannot be changed.")
    changed = replace(token, version=token.version + 1, status=status)
    event = CustomerTokenChanged(purchase_id=token.purchase_id, customer_token=token.customer_token, status=status)
    return CommandResult(value=changed, writes=(changed,), events=(event,))


def order(token: CustomerToken, order_id: str, body: Json, raw: bytes, now: float) -> CommandResult[Order]:
    """Place an order with a token: `body` is the checked order, `raw` its JSON with the shopper's data in it.

    The token is written too, so that no order is placed after its cancellation. Raises `NotAllowed` unless it is active.
    """
    if token.status != "ACTIVE":
        raise NotAllowed(f"Customer token is {token.status.lower()}. Order not possible.")
    placed = _placed(token, order_id, body, raw, now)
    event = OrderFromToken(
        purchase_id=token.purchase_id,
        customer_token=token.customer_token,
        order_id=order_id,
        fraud_status=placed.fraud_status,
        order_amount=placed.order_amount,
    )
    used = replace(token, version=token.version + 1, orders=token.orders + 1)
    return CommandResult(value=placed, writes=(placed, used), events=(event,))


def _placed(token: CustomerToken, order_id: str, body: Json, raw: bytes, now: float) -> Order:
    return Order(
        merchant=token.merchant,
        order_id=order_id,
        purchase_id=token.purchase_id,
        body=raw,
        fraud_status="ACCEPTED",
        order_amount=body["order_amount"],
        created_at=now,
        push_url=filled((body.get("merchant_urls") or {}).get("push"), order_id),
        acknowledged=bool(body.get("auto_capture")),
        fulfilment=_captured(order_id, body["order_amount"], now) if body.get("auto_capture") else UNTOUCHED,
    )


def _captured(order_id: str, amount: int, now: float) -> Fulfilment:
    """Return the capture of an order with `auto_capture`; its id is the order's, which no other capture has."""
    return Fulfilment(captures=(Capture(capture_id=order_id, captured_amount=amount, captured_at=now),))
