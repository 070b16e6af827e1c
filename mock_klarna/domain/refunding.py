"""Giving captured money back (protocol 9.1)."""

from mock_klarna.domain.balance import balance
from mock_klarna.domain.errors import NotFound, RefundNotAllowed
from mock_klarna.domain.facts import replace
from mock_klarna.domain.fulfilment import Refund
from mock_klarna.domain.order_events import OrderRefunded
from mock_klarna.domain.records import Decision, Order


def refund(order: Order, refund_id: str, amount: int, details: bytes, now: float) -> Decision:
    """Refund an amount of what was captured and not refunded yet, whatever the order's status.

    `details` is the JSON of what the merchant said beside the amount. Raises `RefundNotAllowed`.
    """
    held = balance(order, now)
    if not held.captured:
        raise RefundNotAllowed("Order has no captures. Refund not possible")
    if not 0 < amount <= held.refundable:
        raise RefundNotAllowed(f"Refund not allowed. {amount} is not an amount from 1 to {held.refundable}.")
    given = Refund(refund_id=refund_id, refunded_amount=amount, refunded_at=now, details=details)
    done = replace(order.fulfilment, refunds=(*order.fulfilment.refunds, given))
    refunded = replace(order, version=order.version + 1, fulfilment=done)
    event = OrderRefunded(
        purchase_id=order.purchase_id, order_id=order.order_id, refund_id=refund_id, refunded_amount=amount
    )
    return Decision(writes=(refunded,), events=(event,))


def find_refund(order: Order, refund_id: str) -> Refund:
    """Return a refund of an order; raises `NotFound`."""
    for given in order.fulfilment.refunds:
        if given.refund_id == refund_id:
            return given
    raise NotFound(f"Refund {refund_id[:80]} of order {order.order_id} cannot be found.")
