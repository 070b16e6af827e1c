"""What a merchant does with a placed order beside capturing and refunding (protocol 9.1 and 9.3)."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain.callbacks import first_pause
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
from mock_klarna.domain.purchase import FRAUD, may
from mock_klarna.domain.records import Decision, Fulfilment, Job, Order, Purchase
from mock_klarna.errors import CancelNotAllowed, NotAllowed, StateConflict

DAY = 86400
ACCOUNT_PERIOD = 28 * DAY
"""Seconds for which an authorization lives, and by which an extension prolongs it (protocol 9.1)."""
LONGEST_PERIOD = 180 * DAY
"""Seconds after its placing beyond which no authorization is extended (protocol 9.1)."""
OPEN = ("AUTHORIZED", "PART_CAPTURED")
"""The statuses of an order that is not finished: it can be captured, changed, released or extended."""


class Balance(Struct, frozen=True, gc=False):
    """An order's money at one moment: authorized >= captured >= refunded >= 0, and nothing remains of a finished order."""

    status: str
    authorized: int
    captured: int
    refunded: int
    released: int

    @property
    def remaining(self) -> int:
        """What may still be captured."""
        return self.authorized - self.captured - self.released

    @property
    def refundable(self) -> int:
        """What may still be refunded."""
        return self.captured - self.refunded

    @property
    def words(self) -> str:
        """Why nothing more can be done, as refusals put it: "Order is fully captured."; empty for an open order."""
        return _WORDS.get(self.status, "")


_WORDS = {
    "CAPTURED": "Order is fully captured.",
    "CANCELLED": "Order is cancelled.",
    "EXPIRED": "Order is expired.",
    "CLOSED": "Order is closed.",
}


def expires_at(order: Order) -> float:
    """Return when the authorization ends: 28 days after the order was placed unless it was extended (protocol 9.2)."""
    extended = order.fulfilment.expires_at
    return order.created_at + ACCOUNT_PERIOD if extended is None else extended


def balance(order: Order, now: float) -> Balance:
    """Return where an order stands at a time of its merchant's clock; an expired one needs nobody to tell it so."""
    done = order.fulfilment
    authorized = order.order_amount if done.order_amount is None else done.order_amount
    captured = sum(capture.captured_amount for capture in done.captures)
    refunded = sum(refund.refunded_amount for refund in done.refunds)
    status = _status(done, authorized, captured, expired=now >= expires_at(order))
    released = done.released if status in (*OPEN, "CAPTURED") else authorized - captured
    return Balance(status, authorized, captured, refunded, released)


def _status(done: Fulfilment, authorized: int, captured: int, *, expired: bool) -> str:
    """Return the status (protocol 9.3); a release makes CAPTURED of PART_CAPTURED, which is a guess there as here."""
    if done.ended:
        return done.ended
    if captured and captured + done.released == authorized:
        return "CAPTURED"
    if expired:
        return "CLOSED" if captured else "EXPIRED"
    return "PART_CAPTURED" if captured else "AUTHORIZED"


def klarna_reference(order_id: str) -> str:
    """Return the short reference that people read out: four letters and four digits (protocol 9.2)."""
    number = int.from_bytes(order_id.encode())
    letters = ""
    for _ in range(4):
        number, letter = divmod(number, 26)
        letters += chr(ord("A") + letter)
    return f"{letters}{number % 10_000:04}"


def acknowledge(order: Order, now: float) -> Decision:
    """Take note that the merchant knows the order; again is fine. Raises `NotAllowed` for a finished order."""
    _require_other(("CANCELLED", "EXPIRED", "CLOSED"), balance(order, now), "Acknowledgement not possible.")
    if order.acknowledged:
        return Decision()
    known = replace(order, version=order.version + 1, acknowledged=True)
    event = OrderAcknowledged(purchase_id=order.purchase_id, order_id=order.order_id)
    return Decision(writes=(known,), events=(event,), jobs=last_push(order, now))


def last_push(order: Order, now: float) -> tuple[Job, ...]:
    """Have the next push looked at now: there is nothing to say any more, which ends the callback that waits for it."""
    return (Job(due=now, merchant=order.merchant, kind="push", subject=order.order_id),) if order.push_url else ()


def _require_other(refused: Collection[str], held: Balance, tail: str) -> None:
    if held.status in refused:
        raise NotAllowed(f"{held.words} {tail}")


def update_authorization(order: Order, amount: int, changes: bytes, now: float) -> Decision:
    """Authorize another amount; `changes` is the JSON of the members that now replace the order's, its lines among them.

    Raises `NotAllowed` for an order that is not open or not accepted, and for less than was captured.
    """
    held = balance(order, now)
    if held.status not in OPEN:
        raise NotAllowed(f"{held.words} Authorization cannot be updated.")
    if order.fraud_status != "ACCEPTED":
        raise NotAllowed(f"Order has fraud status {order.fraud_status}. Authorization cannot be updated.")
    if amount < held.captured:
        raise NotAllowed(
            f"Resulting authorization amount {amount} cannot be less than the captured amount {held.captured} for order."
        )
    event = OrderAuthorizationUpdated(purchase_id=order.purchase_id, order_id=order.order_id, order_amount=amount)
    return _changed(order, event, order_amount=amount, changes=changes)


def _changed(order: Order, event: Event, **members: Any) -> Decision:
    done = replace(order.fulfilment, **members)
    return Decision(writes=(replace(order, version=order.version + 1, fulfilment=done),), events=(event,))


def cancel(order: Order, now: float, reason: str = "by the merchant") -> Decision:
    """Cancel an order that nothing was captured of; its pushes and its review end. Raises `CancelNotAllowed`."""
    held = balance(order, now)
    if held.captured:
        raise CancelNotAllowed("Order has previous captures. Cancel not possible")
    if held.status != "AUTHORIZED":
        raise CancelNotAllowed(f"{held.words} Cancel not possible")
    event = OrderCancelled(purchase_id=order.purchase_id, order_id=order.order_id, reason=reason)
    decision = _changed(order, event, ended="CANCELLED")
    return replace(
        decision,
        jobs=last_push(order, now),
        cancels=tuple(f"{job}:{order.order_id}" for job in _CANCELLED_JOBS),
    )


_CANCELLED_JOBS = ("end_review", "cancel_rejected")


def cancel_rejected(order: Order, now: float) -> Decision:
    """Cancel a rejected order that the merchant has not captured in the hours it had for that (protocol 4.5)."""
    if order.fraud_status != "REJECTED" or balance(order, now).status != "AUTHORIZED":
        return Decision()
    return cancel(order, now, "the fraud review rejected it")


def close(order: Order, now: float) -> Decision:
    """Close an order, as only the sandbox can: what CLOSED means at Klarna is not documented (protocol 9.3)."""
    event = OrderClosed(purchase_id=order.purchase_id, order_id=order.order_id)
    decision = _changed(order, event, ended="CLOSED")
    return replace(
        decision,
        jobs=last_push(order, now),
        cancels=tuple(f"{job}:{order.order_id}" for job in _CANCELLED_JOBS),
    )


def release(order: Order, now: float) -> Decision:
    """Give up what remains authorized after at least one capture; raises `NotAllowed`."""
    tail = "Remaining authorization cannot be released."
    held = balance(order, now)
    if held.status != "PART_CAPTURED":
        raise NotAllowed(f"{held.words or 'Order has no captures.'} {tail}")
    event = RemainingAuthorizationReleased(
        purchase_id=order.purchase_id, order_id=order.order_id, released_amount=held.remaining
    )
    return _changed(order, event, released=held.released + held.remaining)


def extend(order: Order, now: float) -> Decision:
    """Let the authorization live another 28 days from now, at most 180 days in all; raises `NotAllowed` for one that is over."""
    held = balance(order, now)
    if held.status not in OPEN:
        raise NotAllowed(f"{held.words} Authorization time cannot be extended.")
    until = max(expires_at(order), min(now + ACCOUNT_PERIOD, order.created_at + LONGEST_PERIOD))
    event = AuthorizationTimeExtended(purchase_id=order.purchase_id, order_id=order.order_id, expires_at=until)
    return _changed(order, event, expires_at=until)


def change_references(order: Order, changes: bytes, now: float) -> Decision:
    """Keep other merchant references; raises `NotAllowed` for a cancelled order."""
    _require_other(("CANCELLED",), balance(order, now), "Merchant references cannot be updated.")
    return _detailed(order, changes, "merchant_references")


def change_customer(order: Order, changes: bytes, now: float) -> Decision:
    """Keep another shipping address; raises `NotAllowed` for a finished order."""
    _require_other(("CANCELLED", "EXPIRED", "CLOSED"), balance(order, now), "Customer details cannot be updated.")
    return _detailed(order, changes, "shipping_address")


def add_shipping_info(order: Order, changes: bytes) -> Decision:
    """Keep more shipping info, which no status forbids (protocol 9.1)."""
    return _detailed(order, changes, "shipping_info")


def _detailed(order: Order, changes: bytes, what: str) -> Decision:
    """Keep the JSON of all members that now replace the order's."""
    event = OrderDetailsUpdated(purchase_id=order.purchase_id, order_id=order.order_id, changed=what)
    return _changed(order, event, changes=changes)


def wants_push(order: Order) -> bool:
    """Tell whether the merchant is still to be told of an order: it is not acknowledged, cancelled or closed (protocol 4.4)."""
    return not order.acknowledged and order.fulfilment.ended is None


HOURS_TO_CAPTURE = 4 * 3600
"""Seconds for which a rejected order can still be captured before it is cancelled (protocol 4.5)."""


def decide(order: Order, purchase: Purchase, verdict: str, now: float, push_schedule: str = "push") -> Decision:
    """End the review of a pending order with ACCEPTED, REJECTED or STOPPED; the merchant is notified.

    Raises `StateConflict` when the order's fraud status does not allow it.
    """
    if not may(FRAUD, order.fraud_status, verdict):
        raise StateConflict(
            f"order {order.order_id} has fraud_status {order.fraud_status}",
            where="fraud_status",
            hint="only a PENDING order can be decided, and only an ACCEPTED or PENDING one can be STOPPED",
        )
    require_alive(order, now)
    decided = replace(order, version=order.version + 1, fraud_status=verdict)
    told = replace(purchase, version=purchase.version + 1, fraud_status=verdict)
    event = FraudReviewEnded(
        purchase_id=order.purchase_id,
        order_id=order.order_id,
        fraud_status=verdict,
        event_type=event_type(verdict),
    )
    return Decision(
        writes=(decided, told), events=(event,), jobs=_jobs(decided, now, push_schedule), cancels=_superseded(order)
    )


def require_alive(order: Order, now: float) -> None:
    """Raise `StateConflict` for an order that is cancelled, expired or closed: there is nothing left to review."""
    status = balance(order, now).status
    if status in ("CANCELLED", "EXPIRED", "CLOSED"):
        raise StateConflict(f"order {order.order_id} is {status}", where="status", hint="an order that is alive")


def event_type(verdict: str) -> str:
    """Return the `event_type` that a verdict has in a notification (protocol 4.5)."""
    return f"FRAUD_RISK_{verdict}"


def _superseded(order: Order) -> tuple[str, ...]:
    return (f"end_review:{order.order_id}", f"notification:{order.order_id}")


def _jobs(order: Order, now: float, push_schedule: str) -> tuple[Job, ...]:
    """Notify at once; an accepted order is now complete, so its push begins too, and a rejected one has hours left (4.4, 4.5)."""
    due = {"notification": now} if order.notification_url else {}
    if order.fraud_status == "ACCEPTED" and order.push_url and not order.acknowledged:
        due["push"] = now + first_pause(push_schedule)
    if order.fraud_status == "REJECTED":
        due["cancel_rejected"] = now + HOURS_TO_CAPTURE
    return tuple(Job(due=at, merchant=order.merchant, kind=kind, subject=order.order_id) for kind, at in due.items())
