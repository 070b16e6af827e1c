"""Taking the money of an order, and what is done to a capture afterwards (protocol 9.1)."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mock_klarna.domain.events import CaptureUpdated, OrderCaptured, OrderRefunded
from mock_klarna.domain.order import OPEN, balance, last_push
from mock_klarna.domain.records import Capture, Decision, Order, Refund
from mock_klarna.errors import CaptureNotAllowed, NoSuchCapture, NotAllowed, NotFound, RefundNotAllowed

Json = Mapping[str, Any]
DUE_DATE_OPTIONS = (14, 30)
"""Days by which a capture's due date may be moved. Which ones Klarna offered is not documented."""
_NOT_CAPTURED = {"PENDING": "is pending a fraud review", "STOPPED": "was stopped by a fraud review"}


def capture(order: Order, capture_id: str, amount: int, details: bytes, now: float) -> Decision:
    """Capture an amount of what remains authorized; that acknowledges the order too (protocol 9.3).

    `details` is the JSON of what the merchant said beside the amount. Raises `CaptureNotAllowed`.
    """
    require_capturable(order, now)
    held = balance(order, now)
    if not 0 < amount <= held.remaining:
        raise CaptureNotAllowed(f"Capture not allowed. {amount} is not an amount from 1 to {held.remaining}.")
    taken = Capture(capture_id=capture_id, captured_amount=amount, captured_at=now, details=details)
    done = replace(order.fulfilment, captures=(*order.fulfilment.captures, taken))
    captured = replace(order, version=order.version + 1, acknowledged=True, fulfilment=done)
    event = OrderCaptured(
        purchase_id=order.purchase_id,
        order_id=order.order_id,
        capture_id=capture_id,
        captured_amount=amount,
        remaining_authorized_amount=held.remaining - amount,
    )
    return Decision(writes=(captured,), events=(event,), jobs=last_push(order, now))


def require_capturable(order: Order, now: float) -> None:
    """Raise `CaptureNotAllowed` unless the order is open and its fraud review allows a capture.

    A rejected order may still be captured until it is cancelled (protocol 4.5).
    """
    held = balance(order, now)
    if held.status not in OPEN:
        raise CaptureNotAllowed(f"Capture not allowed. {held.words}")
    if order.fraud_status in _NOT_CAPTURED:
        raise CaptureNotAllowed(f"Capture not allowed. Order {_NOT_CAPTURED[order.fraud_status]}.")


def find_capture(order: Order, capture_id: str) -> Capture:
    """Return a capture of an order; raises `NoSuchCapture`."""
    for taken in order.fulfilment.captures:
        if taken.capture_id == capture_id:
            return taken
    raise NoSuchCapture(f"Capture {capture_id[:80]} of order {order.order_id} cannot be found.")


def require_captures(order: Order) -> None:
    """Raise `NotAllowed` for an order without captures (protocol 9.1)."""
    if not order.fulfilment.captures:
        raise NotAllowed("Order has no captures.")


def changed(order: Order, capture_id: str, details: bytes) -> Decision:
    """Keep what the merchant adds to a capture: its shipping info."""
    return _kept(order, replace(_known(order, capture_id), details=details), "shipping_info")


def extend_due_date(order: Order, capture_id: str, days: int) -> Decision:
    """Move the due date of a capture by one of the options; raises `NotAllowed` for other numbers of days."""
    known = _known(order, capture_id)
    if days not in DUE_DATE_OPTIONS:
        raise NotAllowed(f"Due date cannot be extended by {days} days, only by {_options()}.")
    return _kept(order, replace(known, extended_days=known.extended_days + days), "due_date")


def _options() -> str:
    return " or ".join(map(str, DUE_DATE_OPTIONS))


def send_out(order: Order, capture_id: str) -> Decision:
    """Have the shopper's invoice sent again: nothing changes but the journal."""
    _known(order, capture_id)
    return Decision(events=(_updated(order, capture_id, "send_out"),))


def _known(order: Order, capture_id: str) -> Capture:
    require_captures(order)
    return find_capture(order, capture_id)


def _kept(order: Order, new: Capture, what: str) -> Decision:
    captures = tuple(new if old.capture_id == new.capture_id else old for old in order.fulfilment.captures)
    changed = replace(order, version=order.version + 1, fulfilment=replace(order.fulfilment, captures=captures))
    return Decision(writes=(changed,), events=(_updated(order, new.capture_id, what),))


def _updated(order: Order, capture_id: str, what: str) -> CaptureUpdated:
    return CaptureUpdated(purchase_id=order.purchase_id, order_id=order.order_id, capture_id=capture_id, changed=what)


def refunded_amounts(order: Order) -> list[int]:
    """Return how much of each capture was refunded: refunds use up the oldest captures first."""
    left = sum(refund.refunded_amount for refund in order.fulfilment.refunds)
    amounts = []
    for taken in order.fulfilment.captures:
        amounts.append(min(left, taken.captured_amount))
        left -= amounts[-1]
    return amounts


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
