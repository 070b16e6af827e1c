"""Why an authorized purchase is not decided: what came of the callback that asks the merchant to place the order."""

from collections.abc import Iterable
from math import inf

from mock_klarna.domain.callbacks import KINDS_OF_JOB, Attempt, Delivery, is_delivered
from mock_klarna.domain.records import Purchase

ASKING = tuple(kind.name for kind in KINDS_OF_JOB["place_order"])
"""The callbacks that ask a merchant to decide; each is sent once."""
NOT_RECEIVED = frozenset({"refused", "unreachable", "untrusted", "not_allowed", "dropped"})
"""Outcomes of an attempt that no merchant can have received."""
GRACE_SECONDS = 1.0
"""Real seconds in which a merchant that answered with an error may still place or deny."""
_NOT_DECIDED = ("authorized", "timed_out", "expired")


def patience(outcome: str, status: int | None) -> float:
    """Return for how many real seconds after an attempt to ask the merchant a decision can still come; `inf` for no limit.

    A merchant that answered 2xx may decide later. One that was not reached cannot know of the purchase.
    """
    if outcome in NOT_RECEIVED:
        return 0.0
    is_error = outcome in ("redirected", "broken") or (outcome != "timed_out" and (status or 0) >= 400)
    return GRACE_SECONDS if is_error else inf


def last_request(deliveries: Iterable[Delivery]) -> Delivery | None:
    """Return the last of a purchase's callbacks that ask the merchant to decide, or None."""
    asking = [delivery for delivery in deliveries if delivery.callback in ASKING]
    return asking[-1] if asking else None


def patience_of(deliveries: Iterable[Delivery], *, is_refused: bool) -> float:
    """Return for how many real seconds a decision can still come, by what came of a purchase's callbacks.

    `is_refused` says that the merchant was refused because it used the credentials of another one.
    """
    request = last_request(deliveries)
    if request is None or request.state not in ("delivered", "failed"):
        return inf
    expected = patience(request.attempts[-1].outcome, request.attempts[-1].status)
    return min(expected, GRACE_SECONDS) if is_refused else expected


def hint(purchase: Purchase, deliveries: Iterable[Delivery]) -> str | None:
    """Return why a purchase is not decided and what to do; None for one that is decided or whose merchant was not asked yet."""
    request = last_request(deliveries)
    if purchase.state not in _NOT_DECIDED or request is None:
        return None
    if not request.attempts:
        return f"the shop has not answered {request.callback} at {request.url[:200]} yet"
    attempt = request.attempts[-1]
    remedy = f": {attempt.remedy}" if attempt.remedy else ""
    return f"{_what_happened(request, attempt)}{remedy}"


def _what_happened(request: Delivery, attempt: Attempt) -> str:
    name, url = request.callback, request.url[:200]
    if attempt.outcome in ("answered", "too_long", "redirected"):
        open_end = " yet" if is_delivered(attempt) else ""
        details = f" ({attempt.error})" if attempt.error else ""
        answer = f"the shop answered {name} at {url} with {attempt.status}{details}"
        return f"{answer}, and neither placed nor denied the order{open_end}"
    if attempt.outcome == "refused":
        return f"the connection to {url} for {name} was refused"
    return f"{name} to {url} failed ({attempt.outcome}: {attempt.error})"
