"""What the merchant decides about an authorized purchase, and what time decides when the merchant does not."""

from typing import Any

from mock_klarna.domain import messages, urls
from mock_klarna.domain.errors import BadValue, NotAllowed, NotFound
from mock_klarna.domain.events import AuthorizationExpired, PurchaseDenied, PurchasePlaced, PurchaseTimedOut
from mock_klarna.domain.facts import replace, value
from mock_klarna.domain.fulfilment import REFUSED, UNTOUCHED
from mock_klarna.domain.lifecycle import PURCHASE, may
from mock_klarna.domain.problems import Problem
from mock_klarna.domain.records import Decision, Job, Order, Purchase
from mock_klarna.domain.schedules import first_pause

Json = dict[str, Any]
OVERRIDABLE = ("confirmation", "push", "notification")
"""The merchant URLs that the posted order may replace (seed, step 3)."""


@value
class PlacingRules:
    """The switches of placing (protocol 3.11 and 5; C-7 and C-29)."""

    strict: bool = False
    timeout_ends_token: bool = True
    token_lifetime: float = 3600.0
    confirmation_order_id: bool = False
    push_schedule: str = "push"


def place(
    purchase: Purchase, merchant_urls: Json, body: Json, raw: bytes, order_id: str, now: float, rules: PlacingRules
) -> Decision:
    """Turn an authorized purchase into an order (seed, step 3, "Place the order").

    `body` is the order that the merchant posts and `raw` its JSON; `merchant_urls` are those of the posted order over those
    of the authorized one. Raises `NotFound` or `NotAllowed` by the state of the token, and `BadValue` when the order differs
    too much from the one that the shopper saw.
    """
    require_open(purchase, now, rules)
    if found := differences(purchase, merchant_urls, body, rules):
        raise BadValue(found)
    order = Order(
        merchant=purchase.merchant,
        order_id=order_id,
        purchase_id=purchase.purchase_id,
        body=raw,
        fraud_status=purchase.outcome.fraud_status,
        order_amount=body["order_amount"],
        created_at=now,
        push_url=filled(merchant_urls.get("push"), order_id),
        notification_url=filled(merchant_urls.get("notification"), order_id),
        fulfilment=REFUSED if purchase.outcome.fraud_status == "REJECTED" else UNTOUCHED,
    )
    placed = _placed(purchase, order, merchant_urls.get("confirmation"), rules)
    event = PurchasePlaced(
        purchase_id=purchase.purchase_id,
        order_id=order_id,
        fraud_status=order.fraud_status,
        order_amount=order.order_amount,
    )
    jobs = _jobs_of_new(order, purchase, now, rules)
    return Decision(writes=(placed, order), events=(event,), jobs=jobs, cancels=_waiting_jobs(purchase))


def require_open(purchase: Purchase, now: float, rules: PlacingRules) -> None:
    """Raise unless the merchant may still decide: 404 where nothing is authorized, 403 where it is used up (protocol 2)."""
    if purchase.state in ("placed", "denied"):
        raise NotAllowed(f"authorization_token already used: the purchase is {purchase.state}")
    timed_out = purchase.state == "timed_out" and rules.timeout_ends_token
    if purchase.state not in ("authorized", "timed_out") or timed_out or now >= purchase.expires_at:
        state = "expired" if purchase.state == "authorized" else purchase.state
        raise NotFound(f"authorization_token does not correspond to an authorized order: the purchase is {state}")


def differences(purchase: Purchase, merchant_urls: Json, body: Json, rules: PlacingRules) -> list[Problem]:
    """Hold a posted order against the one that the shopper saw (protocol 3.11), as far as its members are of their type."""
    found, most, amount = [], purchase.order_amount, body.get("order_amount")
    if _is_another(body.get("purchase_currency"), purchase.currency):
        found.append(_differs(body, "purchase_currency", purchase.currency))
    if rules.strict and _is_another(body.get("purchase_country"), purchase.country):
        found.append(_differs(body, "purchase_country", purchase.country))
    if isinstance(amount, int) and (amount != most if rules.strict else amount > most):
        found.append(_differs(body, "order_amount", most if rules.strict else f"at most {most}"))
    if rules.strict and not merchant_urls.get("confirmation"):
        right = "a URL here, in load() or in the button key"
        found.append(Problem(path="merchant_urls.confirmation", rule="required", sent=None, expected=right))
    return found


def _is_another(sent: object, authorized: str) -> bool:
    return isinstance(sent, str) and sent.upper() != authorized.upper()


def _differs(body: Json, name: str, authorized: object) -> Problem:
    return Problem(path=name, rule="authorized", sent=body[name], expected=f"{authorized}, as authorized")


def filled(url: str | None, order_id: str) -> str | None:
    """Return a merchant's URL with its placeholders filled in, or None for none."""
    return urls.with_order_id(url, order_id) if url else None


def _placed(purchase: Purchase, order: Order, confirmation: str | None, rules: PlacingRules) -> Purchase:
    url = filled(confirmation, order.order_id)
    if url and url == confirmation and rules.confirmation_order_id:
        url = urls.with_query(url, "order_id", order.order_id)
    rejected = order.fraud_status == "REJECTED"
    return replace(
        purchase,
        version=purchase.version + 1,
        state="placed",
        session=b"",
        order_id=order.order_id,
        fraud_status=order.fraud_status,
        redirect_url=None if rejected else url,
        consumer_message=messages.DECLINED if rejected else messages.PLACED,
    )


def _jobs_of_new(order: Order, purchase: Purchase, now: float, rules: PlacingRules) -> tuple[Job, ...]:
    """Schedule what follows an order: the review's end for a pending one, the push for an accepted one (protocol 4.4, 4.5)."""
    if order.fraud_status == "PENDING" and purchase.outcome.then:
        due = now + (purchase.outcome.after or 0)
        return (Job(due=due, merchant=order.merchant, kind="end_review", subject=order.order_id),)
    if order.fraud_status == "ACCEPTED" and order.push_url:
        due = now + first_pause(rules.push_schedule)
        return (Job(due=due, merchant=order.merchant, kind="push", subject=order.order_id),)
    return ()


def _waiting_jobs(purchase: Purchase) -> tuple[str, ...]:
    return (f"time_out:{purchase.purchase_id}", f"expire:{purchase.purchase_id}")


def deny(purchase: Purchase, body: Json, now: float, rules: PlacingRules) -> Decision:
    """Deny an authorized purchase (seed, step 3, "Deny the order"); a redirect wins over code and message (C-10).

    Raises `NotFound` or `NotAllowed` by the state of the token.
    """
    require_open(purchase, now, rules)
    reason = {name: body[name] for name in ("deny_redirect_url", "deny_code", "deny_message") if body.get(name)}
    redirect = reason.get("deny_redirect_url")
    denied = replace(
        purchase,
        version=purchase.version + 1,
        state="denied",
        session=b"",
        deny=reason,
        redirect_url=redirect,
        consumer_message=None if redirect else messages.denied(reason),
    )
    event = PurchaseDenied(purchase_id=purchase.purchase_id, **reason)
    return Decision(writes=(denied,), events=(event,), cancels=_waiting_jobs(purchase))


def waiting(purchase: Purchase, now: float, rules: PlacingRules) -> Job:
    """Return the job that ends a freshly authorized purchase if the merchant stays silent: patience first, else the token's end."""
    patience = purchase.merchant_timeout
    if patience is None or now + patience >= purchase.expires_at:
        return _job("expire", purchase, purchase.expires_at)
    return _job("time_out", purchase, now + patience)


def _job(kind: str, purchase: Purchase, due: float) -> Job:
    return Job(due=due, merchant=purchase.merchant, kind=kind, subject=purchase.purchase_id)


def time_out(purchase: Purchase, rules: PlacingRules) -> Decision:
    """End the shopper's patience: an error is shown; the token dies with it or lives on to its end (protocol 5, a setting)."""
    if not may(PURCHASE, purchase.state, "timed_out"):
        return Decision()
    ended = replace(purchase, version=purchase.version + 1, state="timed_out", consumer_message=messages.TIMED_OUT)
    event = PurchaseTimedOut(purchase_id=purchase.purchase_id, seconds=purchase.merchant_timeout or 0)
    jobs = () if rules.timeout_ends_token else (_job("expire", purchase, purchase.expires_at),)
    return Decision(writes=(ended,), events=(event,), jobs=jobs)


def expire(purchase: Purchase) -> Decision:
    """End the token's life unused (protocol 5: 60 minutes)."""
    if not may(PURCHASE, purchase.state, "expired"):
        return Decision()
    ended = replace(
        purchase, version=purchase.version + 1, state="expired", session=b"", consumer_message=messages.TIMED_OUT
    )
    event = AuthorizationExpired(
        purchase_id=purchase.purchase_id, authorization_token=purchase.authorization_token or ""
    )
    return Decision(writes=(ended,), events=(event,))
