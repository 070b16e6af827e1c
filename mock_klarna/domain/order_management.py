"""What a merchant does with a placed order beside capturing and refunding (protocol 9.1 and 9.3)."""

from collections.abc import Collection
from typing import Any

from mock_klarna.domain.balance import ACCOUNT_PERIOD, LONGEST_PERIOD, OPEN, Balance, balance, expires_at
from mock_klarna.domain.errors import CancelNotAllowed, NotAllowed
from mock_klarna.domain.events import Event
from mock_klarna.domain.facts import replace
from mock_klarna.domain.order_events import (
    AuthorizationTimeExtended,
    OrderAcknowledged,
    OrderAuthorizationUpdated,
    OrderCancelled,
    OrderClosed,
    OrderDetailsUpdated,
    RemainingAuthorizationReleased,
)
from mock_klarna.domain.records import Decision, Job, Order


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
