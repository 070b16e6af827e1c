"""How a fraud review ends (protocol 4.5)."""

from mock_klarna.domain.balance import balance
from mock_klarna.domain.errors import NotPossibleNow
from mock_klarna.domain.events import FraudReviewEnded
from mock_klarna.domain.facts import replace
from mock_klarna.domain.lifecycle import FRAUD, may
from mock_klarna.domain.records import Decision, Job, Order, Purchase
from mock_klarna.domain.schedules import first_pause

HOURS_TO_CAPTURE = 4 * 3600
"""Seconds for which a rejected order can still be captured before it is cancelled (protocol 4.5)."""


def decide(order: Order, purchase: Purchase, verdict: str, now: float, push_schedule: str = "push") -> Decision:
    """End the review of a pending order with ACCEPTED, REJECTED or STOPPED; the merchant is notified.

    Raises `NotPossibleNow` when the order's fraud status does not allow it.
    """
    if not may(FRAUD, order.fraud_status, verdict):
        raise NotPossibleNow(
            f"order {order.order_id} has fraud_status {order.fraud_status}",
            where="fraud_status",
            right="only a PENDING order can be decided, and only an ACCEPTED or PENDING one can be STOPPED",
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
    """Raise `NotPossibleNow` for an order that is cancelled, expired or closed: there is nothing left to review."""
    status = balance(order, now).status
    if status in ("CANCELLED", "EXPIRED", "CLOSED"):
        raise NotPossibleNow(f"order {order.order_id} is {status}", where="status", right="an order that is alive")


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
