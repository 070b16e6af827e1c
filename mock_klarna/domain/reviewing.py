"""How a fraud review ends (protocol 4.5)."""

from dataclasses import replace

from mock_klarna.domain.errors import NotPossibleNow
from mock_klarna.domain.events import FraudReviewEnded
from mock_klarna.domain.lifecycle import FRAUD, may
from mock_klarna.domain.records import Decision, Job, Order, Purchase
from mock_klarna.domain.schedules import first_pause


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


def event_type(verdict: str) -> str:
    """Return the `event_type` that a verdict has in a notification (protocol 4.5)."""
    return f"FRAUD_RISK_{verdict}"


def _superseded(order: Order) -> tuple[str, ...]:
    return (f"end_review:{order.order_id}", f"notification:{order.order_id}")


def _jobs(order: Order, now: float, push_schedule: str) -> tuple[Job, ...]:
    """Notify at once; an order that is accepted after all is now complete, so its push begins too (protocol 4.4)."""
    due = {"notification": now} if order.notification_url else {}
    if order.fraud_status == "ACCEPTED" and order.push_url:
        due["push"] = now + first_pause(push_schedule)
    return tuple(Job(due=at, merchant=order.merchant, kind=kind, subject=order.order_id) for kind, at in due.items())
