"""A purchase: its states, what the shopper does, and how the merchant places or denies the order."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain import urls
from mock_klarna.domain.callbacks import ORDER_CALLBACKS
from mock_klarna.domain.events import (
    AuthorizationExpired,
    Event,
    PurchaseAuthorized,
    PurchaseDeclined,
    PurchaseDenied,
    PurchaseFailed,
    PurchasePlaced,
    PurchaseTimedOut,
)
from mock_klarna.domain.records import (
    REFUSED,
    UNTOUCHED,
    CommandResult,
    Job,
    Order,
    Outcome,
    Purchase,
    RecordJob,
    job_id,
)
from mock_klarna.domain.time import seconds
from mock_klarna.errors import BadValue, NotAllowed, NotFound, Problem, StateConflict

PURCHASE_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "started": frozenset({"authorized", "declined", "failed"}),
    "authorized": frozenset({"placed", "denied", "timed_out", "expired"}),
    "timed_out": frozenset({"placed", "denied", "expired"}),
    "placed": frozenset(),
    "denied": frozenset(),
    "declined": frozenset(),
    "expired": frozenset(),
    "failed": frozenset(),
}
"""The states of a purchase, each with those that may follow. `timed_out` is final unless a setting keeps the token valid."""

FRAUD_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "PENDING": frozenset({"ACCEPTED", "REJECTED", "STOPPED"}),
    "ACCEPTED": frozenset({"STOPPED"}),
    "REJECTED": frozenset(),
    "STOPPED": frozenset(),
}
"""The fraud statuses of an order, each with those that may follow (klarna.md §4.5)."""


def can_become(table: Mapping[str, frozenset[str]], state: str, following: str) -> bool:
    """Return whether `following` may come after `state`."""
    return following in table[state]


Text = Callable[[str, str], str]
"""Takes a locale and the name of a text; returns the text in the language of the locale."""

DENY_CODES = ("address_error", "item_out_of_stock", "consumer_underaged", "unsupported_shipping_address")
"""The predefined deny codes, each with a text; any other code shows the merchant's message or the generic text (klarna.md C-10)."""


def denial_message(reason: Mapping[str, str], locale: str, text: Text) -> str:
    """Return the text of the denial dialog: the merchant's message, else the code's own text, else the generic one."""
    code = reason.get("deny_code", "")
    return reason.get("deny_message") or text(locale, f"denied_{code if code in DENY_CODES else 'generic'}")


Json = dict[str, Any]
OVERRIDABLE = ("confirmation", *(kind.name for kind in ORDER_CALLBACKS))
"""The merchant URLs that the posted order may replace (guide, step 3)."""


def _name(_locale: str, name: str) -> str:
    return name


class PlacingRules(Struct, frozen=True, gc=False):
    """The settings of placing (klarna.md §3.11 and §5; klarna.md C-7 and C-29), and the texts that the shopper reads."""

    strict: bool = False
    timeout_ends_token: bool = True
    token_lifetime: float = 3600.0
    confirmation_order_id: bool = False
    text: Text = _name


def place(
    purchase: Purchase, merchant_urls: Json, body: Json, raw: bytes, order_id: str, now: float, rules: PlacingRules
) -> CommandResult[tuple[Purchase, Order]]:
    """Turn an authorized purchase into an order (guide, step 3, "Place the order").

    `body` is the order that the merchant posts and `raw` its JSON; `merchant_urls` are those of the posted order over those
    of the authorized one. Raises `NotFound` or `NotAllowed` by the state of the token, and `BadValue` when the order differs
    from the authorized one.
    """
    require_open(purchase, now, rules)
    if found := differences(purchase, merchant_urls, body, rules):
        raise BadValue(found)
    own_urls: Json = {kind.url: filled(merchant_urls.get(kind.name), order_id) for kind in ORDER_CALLBACKS}
    order = Order(
        merchant=purchase.merchant,
        order_id=order_id,
        purchase_id=purchase.purchase_id,
        body=raw,
        fraud_status=purchase.outcome.fraud_status,
        order_amount=body["order_amount"],
        created_at=now,
        **own_urls,
        fulfilment=REFUSED if purchase.outcome.fraud_status == "REJECTED" else UNTOUCHED,
    )
    placed = _placed(purchase, order, merchant_urls.get("confirmation"), rules)
    event = PurchasePlaced(
        purchase_id=purchase.purchase_id,
        order_id=order_id,
        fraud_status=order.fraud_status,
        order_amount=order.order_amount,
    )
    return CommandResult(
        value=(placed, order),
        writes=(placed, order),
        events=(event,),
        jobs=_planned_review(order, purchase.outcome, now),
        cancels=waiting_jobs(purchase),
    )


def require_open(purchase: Purchase, now: float, rules: PlacingRules) -> None:
    """Raise unless the token is open: `NotFound` where nothing is authorized, `NotAllowed` where it is used up (klarna.md §2)."""
    if purchase.state in ("placed", "denied"):
        raise NotAllowed(f"authorization_token already used: the purchase is {purchase.state}")
    timed_out = purchase.state == "timed_out" and rules.timeout_ends_token
    if purchase.state not in ("authorized", "timed_out") or timed_out or now >= purchase.expires_at:
        state = "expired" if purchase.state == "authorized" else purchase.state
        raise NotFound(f"authorization_token does not correspond to an authorized order: the purchase is {state}")


def differences(purchase: Purchase, merchant_urls: Json, body: Json, rules: PlacingRules) -> list[Problem]:
    """Return where a posted order differs from the authorized one (klarna.md §3.11); members of a wrong type are skipped."""
    found, authorized, amount = [], purchase.order_amount, body.get("order_amount")
    if _is_different(body.get("purchase_currency"), purchase.currency):
        found.append(_differs(body, "purchase_currency", purchase.currency))
    if rules.strict and _is_different(body.get("purchase_country"), purchase.country):
        found.append(_differs(body, "purchase_country", purchase.country))
    if isinstance(amount, int) and (amount != authorized if rules.strict else amount > authorized):
        found.append(_differs(body, "order_amount", authorized if rules.strict else f"at most {authorized}"))
    if rules.strict and not merchant_urls.get("confirmation"):
        hint = "a URL here, in load() or in the button key"
        found.append(Problem(path="merchant_urls.confirmation", rule="required", value=None, expected=hint))
    return found


def _is_different(sent: object, authorized: str) -> bool:
    return isinstance(sent, str) and sent.upper() != authorized.upper()


def _differs(body: Json, name: str, authorized: object) -> Problem:
    return Problem(path=name, rule="authorized", value=body[name], expected=f"{authorized}, as authorized")


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
        consumer_message=rules.text(purchase.locale, "rejected_text" if rejected else "placed_text"),
    )


def _planned_review(order: Order, outcome: Outcome, now: float) -> tuple[Job, ...]:
    """Return the job that ends the review of a pending order, if its outcome plans that (klarna.md §4.5)."""
    if order.fraud_status != "PENDING" or not outcome.then:
        return ()
    return (
        Job(due=now + (outcome.after or 0), merchant=order.merchant, kind=RecordJob.END_REVIEW, subject=order.order_id),
    )


def waiting_jobs(purchase: Purchase) -> tuple[str, ...]:
    """Return the ids of the jobs that end a purchase which the merchant does not decide on."""
    return job_id(RecordJob.TIME_OUT, purchase.purchase_id), job_id(RecordJob.EXPIRE, purchase.purchase_id)


def deny(purchase: Purchase, body: Json, now: float, rules: PlacingRules) -> CommandResult[Purchase]:
    """Deny an authorized purchase (guide, step 3, "Deny the order"); a redirect precedes code and message (klarna.md C-10).

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
        consumer_message=None if redirect else denial_message(reason, purchase.locale, rules.text),
    )
    event = PurchaseDenied(purchase_id=purchase.purchase_id, **reason)
    return CommandResult(value=denied, writes=(denied,), events=(event,), cancels=waiting_jobs(purchase))


def ending(purchase: Purchase, now: float) -> Job:
    """Return the job that ends a newly authorized purchase without an answer: at `merchant_timeout`, or when the token expires."""
    timeout = purchase.merchant_timeout
    if timeout is None or now + timeout >= purchase.expires_at:
        return _job(RecordJob.EXPIRE, purchase, purchase.expires_at)
    return _job(RecordJob.TIME_OUT, purchase, now + timeout)


def _job(kind: RecordJob, purchase: Purchase, due: float) -> Job:
    return Job(due=due, merchant=purchase.merchant, kind=kind, subject=purchase.purchase_id)


def time_out(purchase: Purchase, rules: PlacingRules) -> CommandResult[Purchase]:
    """Show the shopper an error, since the merchant did not answer; a setting says whether the token ends too (klarna.md §5)."""
    if not can_become(PURCHASE_TRANSITIONS, purchase.state, "timed_out"):
        return CommandResult(value=purchase)
    message = rules.text(purchase.locale, "timed_out_text")
    ended = replace(purchase, version=purchase.version + 1, state="timed_out", consumer_message=message)
    event = PurchaseTimedOut(purchase_id=purchase.purchase_id, seconds=purchase.merchant_timeout or 0)
    jobs = () if rules.timeout_ends_token else (_job(RecordJob.EXPIRE, purchase, purchase.expires_at),)
    return CommandResult(value=ended, writes=(ended,), events=(event,), jobs=jobs)


def expire(purchase: Purchase, rules: PlacingRules) -> CommandResult[Purchase]:
    """Let an unused token expire (klarna.md §5: 60 minutes)."""
    if not can_become(PURCHASE_TRANSITIONS, purchase.state, "expired"):
        return CommandResult(value=purchase)
    ended = _ended(purchase, "expired", rules.text(purchase.locale, "expired_text"))
    event = AuthorizationExpired(
        purchase_id=purchase.purchase_id, authorization_token=purchase.authorization_token or ""
    )
    return CommandResult(value=ended, writes=(ended,), events=(event,))


def change_session(purchase: Purchase, session: bytes, event: Event) -> CommandResult[Purchase]:
    """Store a changed session, with the event that says what changed; raises `StateConflict` once the shopper has paid."""
    require_started(purchase)
    changed = replace(purchase, version=purchase.version + 1, session=session)
    return CommandResult(value=changed, writes=(changed,), events=(event,))


def require_started(purchase: Purchase) -> None:
    """Raise `StateConflict` unless the session can still be changed or paid."""
    if purchase.state != "started":
        raise StateConflict(
            f"purchase {purchase.purchase_id} is {purchase.state}",
            where="state",
            hint="only a purchase that is started can be changed or paid",
        )


def require_shown(purchase: Purchase, order_amount: int, amount: int | None, version: int | None) -> None:
    """Raise `StateConflict` if the shopper pays another amount or another version of the session than the current one.

    `amount` and `version` are what the shopper has seen; None stands for a client that does not say it.
    """
    if amount is not None and amount != order_amount:
        raise StateConflict(
            f"the total is {order_amount}, not {amount}", where="amount", hint="show the current total, then pay again"
        )
    if version is not None and version != purchase.version:
        raise StateConflict(
            f"the session has version {purchase.version}, not {version}",
            where="version",
            hint="show the current session, then pay again",
        )


def authorize(
    purchase: Purchase, outcome: Outcome, token: str, order: Json, raw: bytes, now: float, rules: PlacingRules
) -> CommandResult[Purchase]:
    """Authorize a purchase: issue the token, so that `place_order` is called (guide, step 3).

    `outcome` is the result of the risk check, `order` the order of the session, and `raw` its JSON, which the merchant gets.
    """
    require_started(purchase)
    authorized = replace(
        purchase,
        outcome=outcome,
        version=purchase.version + 1,
        state="authorized",
        authorization_token=token,
        order=raw,
        order_amount=order["order_amount"],
        currency=order["purchase_currency"],
        country=order["purchase_country"],
        locale=order["locale"],
        expires_at=now + rules.token_lifetime,
    )
    event = PurchaseAuthorized(
        purchase_id=purchase.purchase_id, authorization_token=token, order_amount=order["order_amount"]
    )
    return CommandResult(value=authorized, writes=(authorized,), events=(event,), jobs=(ending(authorized, now),))


def decline(purchase: Purchase, reason: str, locale: str, rules: PlacingRules) -> CommandResult[Purchase]:
    """End a purchase that the risk check declines; the merchant is not called (klarna.md §5). `locale` is that of the session."""
    require_started(purchase)
    ended = _ended(purchase, "declined", rules.text(locale, "rejected_text"))
    event = PurchaseDeclined(purchase_id=purchase.purchase_id, reason=reason)
    return CommandResult(value=ended, writes=(ended,), events=(event,))


def fail(purchase: Purchase, reason: str, locale: str, rules: PlacingRules) -> CommandResult[Purchase]:
    """End a session for a technical reason, such as an `update` callback that failed. `locale` is that of the session."""
    if not can_become(PURCHASE_TRANSITIONS, purchase.state, "failed"):
        return CommandResult(value=purchase)
    ended = _ended(purchase, "failed", rules.text(locale, "failed_text"))
    event = PurchaseFailed(purchase_id=purchase.purchase_id, reason=reason)
    return CommandResult(value=ended, writes=(ended,), events=(event,))


def _ended(purchase: Purchase, state: str, message: str) -> Purchase:
    return replace(purchase, version=purchase.version + 1, state=state, session=b"", consumer_message=message)


def outcome(body: str | Json) -> Outcome:
    """Parse an `outcome` of the control API: a fraud status, or `{fraud_status, then, after}` with `after` as a duration."""
    if isinstance(body, str):
        return Outcome(fraud_status=body)
    after = body.get("after")
    return Outcome(body["fraud_status"], body.get("then"), None if after is None else seconds(after))
