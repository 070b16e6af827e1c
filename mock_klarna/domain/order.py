"""A placed order: its balance and status, and every command but captures and refunds (klarna.md §9.1 and §9.3)."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain.callbacks import event_type
from mock_klarna.domain.events import (
    AuthorizationTimeExtended,
    Event,
    FraudReviewEnded,
    OrderAcknowledged,
    OrderAuthorizationUpdated,
    OrderCancelled,
    OrderClosed,
    OrderDetailsUpdated,
    RemainingAuthorizationReleased,
)
from mock_klarna.domain.purchase import FRAUD_TRANSITIONS, can_become
from mock_klarna.domain.records import CommandResult, Fulfilment, Job, Order, Purchase, RecordJob, job_id
from mock_klarna.errors import CancelNotAllowed, NotAllowed, StateConflict

DAY = 86400
ACCOUNT_PERIOD = 28 * DAY
"""Seconds for which an authorization is valid, and by which it is extended (klarna.md §9.1)."""
LONGEST_PERIOD = 180 * DAY
"""Seconds after its placing beyond which no authorization is extended (klarna.md §9.1)."""
OPEN = ("AUTHORIZED", "PART_CAPTURED")
"""The statuses of an order that can still be captured, changed, released or extended."""


class Balance(Struct, frozen=True, gc=False):
    """The amounts of an order at one time: authorized >= captured >= refunded >= 0; a finished order has no remaining amount."""

    status: str
    authorized: int
    captured: int
    refunded: int
    released: int

    @property
    def remaining(self) -> int:
        """The amount that may still be captured."""
        return self.authorized - self.captured - self.released

    @property
    def refundable(self) -> int:
        """The amount that may still be refunded."""
        return self.captured - self.refunded

    @property
    def sentence(self) -> str:
        """The status as a sentence, such as "Order is fully captured."; empty for an open order."""
        return _SENTENCES.get(self.status, "")


_SENTENCES = {
    "CAPTURED": "Order is fully captured.",
    "CANCELLED": "Order is cancelled.",
    "EXPIRED": "Order is expired.",
    "CLOSED": "Order is closed.",
}


def expires_at(order: Order) -> float:
    """Return when the authorization ends: 28 days after the order was placed unless it was extended (klarna.md §9.2)."""
    extended = order.fulfilment.expires_at
    return order.created_at + ACCOUNT_PERIOD if extended is None else extended


def balance(order: Order, now: float) -> Balance:
    """Return the balance of an order at a time of its merchant's clock; an authorization expires without an event."""
    fulfilment = order.fulfilment
    authorized = order.order_amount if fulfilment.order_amount is None else fulfilment.order_amount
    captured = sum(capture.captured_amount for capture in fulfilment.captures)
    refunded = sum(refund.refunded_amount for refund in fulfilment.refunds)
    status = _status(fulfilment, authorized, captured, expired=now >= expires_at(order))
    released = fulfilment.released if status in (*OPEN, "CAPTURED") else authorized - captured
    return Balance(status, authorized, captured, refunded, released)


def _status(fulfilment: Fulfilment, authorized: int, captured: int, *, expired: bool) -> str:
    """Return the status (klarna.md §9.3); a release makes CAPTURED of PART_CAPTURED, which is a guess there as here."""
    if fulfilment.ended:
        return fulfilment.ended
    if captured and captured + fulfilment.released == authorized:
        return "CAPTURED"
    if expired:
        return "CLOSED" if captured else "EXPIRED"
    return "PART_CAPTURED" if captured else "AUTHORIZED"


def klarna_reference(order_id: str) -> str:
    """Return the short reference of an order for people: four letters and four digits (klarna.md §9.2)."""
    number = int.from_bytes(order_id.encode())
    letters = ""
    for _ in range(4):
        number, letter = divmod(number, 26)
        letters += chr(ord("A") + letter)
    return f"{letters}{number % 10_000:04}"


def acknowledge(order: Order, now: float) -> CommandResult[Order]:
    """Acknowledge an order, once or again; raises `NotAllowed` for a finished order."""
    _require_status_outside(("CANCELLED", "EXPIRED", "CLOSED"), balance(order, now), "Acknowledgement not possible.")
    if order.acknowledged:
        return CommandResult(value=order)
    acknowledged = replace(order, version=order.version + 1, acknowledged=True)
    event = OrderAcknowledged(purchase_id=order.purchase_id, order_id=order.order_id)
    return CommandResult(value=acknowledged, writes=(acknowledged,), events=(event,))


def _require_status_outside(refused: Collection[str], current: Balance, tail: str) -> None:
    if current.status in refused:
        raise NotAllowed(f"{current.sentence} {tail}")


def update_authorization(order: Order, amount: int, changes: bytes, now: float) -> CommandResult[Order]:
    """Set the authorized amount; `changes` is the JSON of the members that now replace the order's, its lines among them.

    Raises `NotAllowed` for an order that is not open or not accepted, and for less than was captured.
    """
    current = balance(order, now)
    if current.status not in OPEN:
        raise NotAllowed(f"{current.sentence} Authorization cannot be updated.")
    if order.fraud_status != "ACCEPTED":
        raise NotAllowed(f"Order has fraud status {order.fraud_status}. Authorization cannot be updated.")
    if amount < current.captured:
        raise NotAllowed(
            f"Resulting authorization amount {amount} cannot be less than the captured amount {current.captured} for order."
        )
    event = OrderAuthorizationUpdated(purchase_id=order.purchase_id, order_id=order.order_id, order_amount=amount)
    return _changed(order, event, order_amount=amount, changes=changes)


def _changed(order: Order, event: Event, *, cancels: tuple[str, ...] = (), **members: Any) -> CommandResult[Order]:
    changed = replace(order, version=order.version + 1, fulfilment=replace(order.fulfilment, **members))
    return CommandResult(value=changed, writes=(changed,), events=(event,), cancels=cancels)


def cancel(order: Order, now: float, reason: str = "by the merchant") -> CommandResult[Order]:
    """Cancel an order without captures; its pushes and its review end. Raises `CancelNotAllowed`."""
    current = balance(order, now)
    if current.captured:
        raise CancelNotAllowed("Order has previous captures. Cancel not possible")
    if current.status != "AUTHORIZED":
        raise CancelNotAllowed(f"{current.sentence} Cancel not possible")
    event = OrderCancelled(purchase_id=order.purchase_id, order_id=order.order_id, reason=reason)
    return _changed(order, event, ended="CANCELLED", cancels=_review_jobs(order))


def _review_jobs(order: Order) -> tuple[str, ...]:
    return job_id(RecordJob.END_REVIEW, order.order_id), job_id(RecordJob.CANCEL_REJECTED, order.order_id)


def cancel_rejected(order: Order, now: float) -> CommandResult[Order]:
    """Cancel a rejected order that was not captured within `HOURS_TO_CAPTURE` (klarna.md §4.5)."""
    if order.fraud_status != "REJECTED" or balance(order, now).status != "AUTHORIZED":
        return CommandResult(value=order)
    return cancel(order, now, "the fraud review rejected it")


def close(order: Order) -> CommandResult[Order]:
    """Close an order, which only the sandbox can: what CLOSED means at Klarna is not documented (klarna.md §9.3)."""
    event = OrderClosed(purchase_id=order.purchase_id, order_id=order.order_id)
    return _changed(order, event, ended="CLOSED", cancels=_review_jobs(order))


def release(order: Order, now: float) -> CommandResult[Order]:
    """Release the remaining authorization after at least one capture; raises `NotAllowed`."""
    tail = "Remaining authorization cannot be released."
    current = balance(order, now)
    if current.status != "PART_CAPTURED":
        raise NotAllowed(f"{current.sentence or 'Order has no captures.'} {tail}")
    event = RemainingAuthorizationReleased(
        purchase_id=order.purchase_id, order_id=order.order_id, released_amount=current.remaining
    )
    return _changed(order, event, released=current.released + current.remaining)


def extend(order: Order, now: float) -> CommandResult[Order]:
    """Extend the authorization to 28 days from now, at most 180 days in all; raises `NotAllowed` for a finished order."""
    current = balance(order, now)
    if current.status not in OPEN:
        raise NotAllowed(f"{current.sentence} Authorization time cannot be extended.")
    until = max(expires_at(order), min(now + ACCOUNT_PERIOD, order.created_at + LONGEST_PERIOD))
    event = AuthorizationTimeExtended(purchase_id=order.purchase_id, order_id=order.order_id, expires_at=until)
    return _changed(order, event, expires_at=until)


def change_references(order: Order, changes: bytes, now: float) -> CommandResult[Order]:
    """Store other merchant references; raises `NotAllowed` for a cancelled order."""
    _require_status_outside(("CANCELLED",), balance(order, now), "Merchant references cannot be updated.")
    return _detailed(order, changes, "merchant_references")


def change_customer(order: Order, changes: bytes, what: str, now: float) -> CommandResult[Order]:
    """Store other addresses; `what` names those that changed, "" if none did. Raises `NotAllowed` for a finished order."""
    _require_status_outside(
        ("CANCELLED", "EXPIRED", "CLOSED"), balance(order, now), "Customer details cannot be updated."
    )
    return _detailed(order, changes, what) if what else CommandResult(value=order)


def add_shipping_info(order: Order, changes: bytes) -> CommandResult[Order]:
    """Store more shipping info, which is allowed in every status (klarna.md §9.1)."""
    return _detailed(order, changes, "shipping_info")


def _detailed(order: Order, changes: bytes, what: str) -> CommandResult[Order]:
    """Store the JSON of all members that now replace the order's."""
    event = OrderDetailsUpdated(purchase_id=order.purchase_id, order_id=order.order_id, changed=what)
    return _changed(order, event, changes=changes)


HOURS_TO_CAPTURE = 4 * 3600
"""Seconds for which a rejected order can still be captured before it is cancelled (klarna.md §4.5)."""


def end_review(order: Order, purchase: Purchase, fraud_status: str, now: float) -> CommandResult[Order]:
    """End the fraud review of an order with ACCEPTED, REJECTED or STOPPED; the merchant is notified.

    Raises `StateConflict` when the order's fraud status does not allow it.
    """
    if not can_become(FRAUD_TRANSITIONS, order.fraud_status, fraud_status):
        raise StateConflict(
            f"order {order.order_id} has fraud_status {order.fraud_status}",
            where="fraud_status",
            hint="only a PENDING order can be decided, and only an ACCEPTED or PENDING one can be STOPPED",
        )
    require_unfinished(order, now)
    reviewed = replace(order, version=order.version + 1, fraud_status=fraud_status)
    event = FraudReviewEnded(
        purchase_id=order.purchase_id,
        order_id=order.order_id,
        fraud_status=fraud_status,
        event_type=event_type(fraud_status),
    )
    return CommandResult(
        value=reviewed,
        writes=(reviewed, replace(purchase, version=purchase.version + 1, fraud_status=fraud_status)),
        events=(event,),
        jobs=_planned_cancellation(reviewed, now),
        cancels=(job_id(RecordJob.END_REVIEW, order.order_id), job_id("notification", order.order_id)),
    )


def require_unfinished(order: Order, now: float) -> None:
    """Raise `StateConflict` for an order that is cancelled, expired or closed: its review is over."""
    status = balance(order, now).status
    if status in ("CANCELLED", "EXPIRED", "CLOSED"):
        raise StateConflict(f"order {order.order_id} is {status}", where="status", hint="an order that is not finished")


def _planned_cancellation(order: Order, now: float) -> tuple[Job, ...]:
    """Return the job that cancels a rejected order which is not captured in time (klarna.md §4.5)."""
    if order.fraud_status != "REJECTED":
        return ()
    due = now + HOURS_TO_CAPTURE
    return (Job(due=due, merchant=order.merchant, kind=RecordJob.CANCEL_REJECTED, subject=order.order_id),)
