"""What the shopper does: start a session, change it, and press the final button."""

from typing import Any

from mock_klarna.domain import messages, placing
from mock_klarna.domain.durations import seconds
from mock_klarna.domain.errors import NotPossibleNow
from mock_klarna.domain.events import Event, PurchaseAuthorized, PurchaseDeclined, PurchaseFailed
from mock_klarna.domain.facts import replace
from mock_klarna.domain.lifecycle import PURCHASE, may
from mock_klarna.domain.placing import PlacingRules
from mock_klarna.domain.records import Decision, Job, Outcome, Purchase

Json = dict[str, Any]


def changed(purchase: Purchase, session: bytes, *events: Event) -> Decision:
    """Keep a session that the shopper, the page or the merchant changed, with the facts that tell how.

    Raises `NotPossibleNow` when the shopper has already pressed the final button.
    """
    require_started(purchase)
    return Decision(writes=(replace(purchase, version=purchase.version + 1, session=session),), events=events)


def require_started(purchase: Purchase) -> None:
    """Raise `NotPossibleNow` unless the shopper is still choosing."""
    if purchase.state != "started":
        raise NotPossibleNow(
            f"purchase {purchase.purchase_id} is {purchase.state}",
            where="state",
            right="only a purchase that is started can be changed or paid",
        )


def authorize(purchase: Purchase, token: str, order: Json, raw: bytes, now: float, rules: PlacingRules) -> Decision:
    """Let the risk check pass: issue the token and have `place_order` called (seed, step 3).

    `order` is what the session came to, `raw` its JSON, kept as the bytes that the merchant will get.
    """
    require_started(purchase)
    authorized = replace(
        purchase,
        version=purchase.version + 1,
        state="authorized",
        authorization_token=token,
        order=raw,
        order_amount=order["order_amount"],
        currency=order["purchase_currency"],
        country=order["purchase_country"],
        expires_at=now + rules.token_lifetime,
    )
    event = PurchaseAuthorized(
        purchase_id=purchase.purchase_id, authorization_token=token, order_amount=order["order_amount"]
    )
    ask = Job(due=now, merchant=purchase.merchant, kind="place_order", subject=purchase.purchase_id)
    return Decision(writes=(authorized,), events=(event,), jobs=(ask, placing.waiting(authorized, now, rules)))


def decline(purchase: Purchase, reason: str) -> Decision:
    """Let the risk check refuse the shopper; the merchant is not called (protocol 5)."""
    require_started(purchase)
    event = PurchaseDeclined(purchase_id=purchase.purchase_id, reason=reason)
    return _ended(purchase, "declined", messages.DECLINED, event)


def fail(purchase: Purchase, reason: str) -> Decision:
    """End a session for a technical reason, such as a merchant who does not answer `update` when that is to abort."""
    if not may(PURCHASE, purchase.state, "failed"):
        return Decision()
    return _ended(purchase, "failed", messages.FAILED, PurchaseFailed(purchase_id=purchase.purchase_id, reason=reason))


def _ended(purchase: Purchase, state: str, message: str, event: Event) -> Decision:
    ended = replace(purchase, version=purchase.version + 1, state=state, session=b"", consumer_message=message)
    return Decision(writes=(ended,), events=(event,))


def outcome(wanted: str | Json) -> Outcome:
    """Read an `outcome` of the control API: a fraud status, or `{fraud_status, then, after}` with `after` as a duration."""
    if isinstance(wanted, str):
        return Outcome(fraud_status=wanted)
    after = wanted.get("after")
    return Outcome(wanted["fraud_status"], wanted.get("then"), None if after is None else seconds(after))
