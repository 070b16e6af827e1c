"""Captures and refunds of an order (klarna.md §9.1)."""

from msgspec.structs import replace

from mock_klarna.domain.events import CaptureUpdated, OrderCaptured, OrderRefunded
from mock_klarna.domain.order import OPEN, balance
from mock_klarna.domain.records import Capture, CommandResult, Order, Refund
from mock_klarna.errors import CaptureNotAllowed, NoSuchCapture, NotAllowed, NotFound, RefundNotAllowed

DUE_DATE_OPTIONS = (14, 30)
"""Days by which a capture's due date may be moved. Which ones Klarna offered is not documented."""
_NOT_CAPTURED = {"PENDING": "is pending a fraud review", "STOPPED": "was stopped by a fraud review"}


def capture(order: Order, capture_id: str, amount: int, details: bytes, now: float) -> CommandResult[Order]:
    """Capture an amount of the remaining authorization, which acknowledges the order too (klarna.md §9.3).

    `details` is the JSON of what the merchant sent beside the amount. Raises `CaptureNotAllowed`.
    """
    require_capturable(order, now)
    current = balance(order, now)
    if not current.remaining:
        raise CaptureNotAllowed("Capture not allowed. Nothing is left to capture.")
    if not 0 < amount <= current.remaining:
        raise CaptureNotAllowed(f"Capture not allowed. {amount} is not an amount from 1 to {current.remaining}.")
    new = Capture(capture_id=capture_id, captured_amount=amount, captured_at=now, details=details)
    fulfilment = replace(order.fulfilment, captures=(*order.fulfilment.captures, new))
    captured = replace(order, version=order.version + 1, acknowledged=True, fulfilment=fulfilment)
    event = OrderCaptured(
        purchase_id=order.purchase_id,
        order_id=order.order_id,
        capture_id=capture_id,
        captured_amount=amount,
        remaining_authorized_amount=current.remaining - amount,
    )
    return CommandResult(value=captured, writes=(captured,), events=(event,))


def require_capturable(order: Order, now: float) -> None:
    """Raise `CaptureNotAllowed` unless the order is open and its fraud review allows a capture.

    A rejected order may still be captured until it is cancelled (klarna.md §4.5).
    """
    current = balance(order, now)
    if current.status not in OPEN:
        raise CaptureNotAllowed(f"Capture not allowed. {current.sentence}")
    if order.fraud_status in _NOT_CAPTURED:
        raise CaptureNotAllowed(f"Capture not allowed. Order {_NOT_CAPTURED[order.fraud_status]}.")


def find_capture(order: Order, capture_id: str) -> Capture:
    """Return a capture of an order; raises `NoSuchCapture`."""
    for capture in order.fulfilment.captures:
        if capture.capture_id == capture_id:
            return capture
    raise NoSuchCapture(f"Capture {capture_id[:80]} of order {order.order_id} cannot be found.")


def require_captures(order: Order) -> None:
    """Raise `NotAllowed` for an order without captures (klarna.md §9.1)."""
    if not order.fulfilment.captures:
        raise NotAllowed("Order has no captures.")


def change_details(order: Order, capture_id: str, details: bytes, what: str) -> CommandResult[Order]:
    """Store the JSON of a capture's details; `what` names the members that changed, "" if none did."""
    if not what:
        return CommandResult(value=order)
    return _changed(order, replace(_capture(order, capture_id), details=details), what)


def extend_due_date(order: Order, capture_id: str, days: int) -> CommandResult[Order]:
    """Move the due date of a capture by one of the options; raises `NotAllowed` for other numbers of days."""
    old = _capture(order, capture_id)
    if days not in DUE_DATE_OPTIONS:
        raise NotAllowed(f"Due date cannot be extended by {days} days, only by {_options()}.")
    return _changed(order, replace(old, extended_days=old.extended_days + days), "due_date")


def _options() -> str:
    return " or ".join(map(str, DUE_DATE_OPTIONS))


def send_out(order: Order, capture_id: str) -> CommandResult[Order]:
    """Send the shopper's invoice again, which only the journal shows."""
    _capture(order, capture_id)
    return CommandResult(value=order, events=(_updated(order, capture_id, "send_out"),))


def _capture(order: Order, capture_id: str) -> Capture:
    require_captures(order)
    return find_capture(order, capture_id)


def _changed(order: Order, new: Capture, what: str) -> CommandResult[Order]:
    captures = tuple(new if old.capture_id == new.capture_id else old for old in order.fulfilment.captures)
    changed = replace(order, version=order.version + 1, fulfilment=replace(order.fulfilment, captures=captures))
    return CommandResult(value=changed, writes=(changed,), events=(_updated(order, new.capture_id, what),))


def _updated(order: Order, capture_id: str, what: str) -> CaptureUpdated:
    return CaptureUpdated(purchase_id=order.purchase_id, order_id=order.order_id, capture_id=capture_id, changed=what)


def refunded_amounts(order: Order) -> list[int]:
    """Return how much of each capture was refunded; refunds count against the oldest captures first."""
    left = sum(refund.refunded_amount for refund in order.fulfilment.refunds)
    amounts = []
    for capture in order.fulfilment.captures:
        amounts.append(min(left, capture.captured_amount))
        left -= amounts[-1]
    return amounts


def refund(order: Order, refund_id: str, amount: int, details: bytes, now: float) -> CommandResult[Order]:
    """Refund an amount that was captured and not refunded yet, in any status of the order.

    `details` is the JSON of what the merchant sent beside the amount. Raises `RefundNotAllowed`.
    """
    current = balance(order, now)
    if not current.captured:
        raise RefundNotAllowed("Order has no captures. Refund not possible")
    if not current.refundable:
        raise RefundNotAllowed("Refund not allowed. Everything that was captured has been refunded.")
    if not 0 < amount <= current.refundable:
        raise RefundNotAllowed(f"Refund not allowed. {amount} is not an amount from 1 to {current.refundable}.")
    new = Refund(refund_id=refund_id, refunded_amount=amount, refunded_at=now, details=details)
    fulfilment = replace(order.fulfilment, refunds=(*order.fulfilment.refunds, new))
    refunded = replace(order, version=order.version + 1, fulfilment=fulfilment)
    event = OrderRefunded(
        purchase_id=order.purchase_id, order_id=order.order_id, refund_id=refund_id, refunded_amount=amount
    )
    return CommandResult(value=refunded, writes=(refunded,), events=(event,))


def find_refund(order: Order, refund_id: str) -> Refund:
    """Return a refund of an order; raises `NotFound`."""
    for refund in order.fulfilment.refunds:
        if refund.refund_id == refund_id:
            return refund
    raise NotFound(f"Refund {refund_id[:80]} of order {order.order_id} cannot be found.")
