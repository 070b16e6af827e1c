"""Klarna's risk decision, which the e-mail address of a shopper determines (klarna.md §8.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from mock_klarna.domain.countries import canonical
from mock_klarna.domain.purchase import outcome
from mock_klarna.domain.records import Outcome

FraudOutcome = Literal["ACCEPTED", "PENDING", "DECLINED"]
Decision = Literal["ACCEPTED", "REJECTED"]

REJECT_REASONS = frozenset(
    [
        "other",
        "could_not_establish_identity",
        "credit_limit_exceeded",
        "customer_not_fulfilling_previous_engagements",
        "external_hard_reject",
        "high_risk",
        "legal_restraints",
        "technical_error",
        "internal_block",
        "low_credit_rating",
        "under_age",
        "denied",
    ]
)
"""The values of `+reject_reason_…`."""

DISPUTES = frozenset(
    [
        "return",
        "goods_not_received",
        "already_paid",
        "faulty_goods",
        "incorrect_invoice",
        "high_risk_order",
        "unauthorized_purchase",
        "non_compliance",
        "non_guaranteed_payment_program",
        "return_not_possible",
    ]
)
"""The values of `+disputed-…`."""

_STEP_UPS = frozenset(["auth_id_scan", "auth_bank_login", "auth_otp_email", "auth_otp_phone", "auth_cvv_entry"])
_STEP_UPS_OF = {"DK": frozenset({"auth_monthio"}), "FI": frozenset({"auth_bank_id_fi"})}
_PENDING_COUNTRIES = frozenset({"US", "GB"})
_WITHOUT_EFFECT = frozenset({"red", "new_user", "require_signup"}) | {f"disputed-{dispute}" for dispute in DISPUTES}
_PEND = re.compile(r"pend-(accept|reject)-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class RiskDecision:
    """Klarna's decision about a shopper.

    `outcome` is decided immediately. PENDING becomes `then` after `after` seconds. `reason` is the trigger of
    klarna.md §8.1 in the address, or None.
    """

    outcome: FraudOutcome
    then: Decision | None = None
    after: int | None = None
    reason: str | None = None


def decide_risk(email: str, country: str, *, pending_everywhere: bool = False) -> RiskDecision:
    """Return Klarna's decision about a shopper with this e-mail address in `country` (ISO alpha-2, any letter case).

    Triggers are the parts between plus signs before the @, in any letter case and order. Denied has priority over
    pending, and pending over reject reasons; everything else is approved. Choices of our own, as no source describes them:

    - `+denied+auth_...` asks for another proof, which the shopper gives: accepted, with the proof as reason. A proof
      that does not exist in `country` has no effect.
    - `+pend-...` is documented for US and GB only; elsewhere it approves, with a `reason`, unless `pending_everywhere`.
    - `+red`, `+disputed-...`, `+new_user` and `+require_signup` only set the reason.
    """
    local, _, _ = email.strip().casefold().rpartition("@")
    tags = local.split("+")[1:]
    code = canonical(country)
    return _denied(tags, code) or _pending(tags, code, pending_everywhere) or _rejected(tags) or _approved(tags)


def _denied(tags: list[str], country: str) -> RiskDecision | None:
    if "denied" not in tags:
        return None
    proofs = _STEP_UPS | _STEP_UPS_OF.get(country, frozenset())
    proof = next((tag for tag in tags if tag in proofs), None)
    return RiskDecision("ACCEPTED", reason=proof) if proof else RiskDecision("DECLINED", reason="denied")


def _pending(tags: list[str], country: str, everywhere: bool) -> RiskDecision | None:
    match = next(filter(None, map(_PEND.fullmatch, tags)), None)
    if match is None or not (everywhere or country in _PENDING_COUNTRIES):
        return None
    then: Decision = "ACCEPTED" if match[1] == "accept" else "REJECTED"
    return RiskDecision("PENDING", then, int(match[2]) * 60, match[0])


def _rejected(tags: list[str]) -> RiskDecision | None:
    values = (tag.removeprefix("reject_reason_") for tag in tags if tag.startswith("reject_reason_"))
    reason = next((value for value in values if value in REJECT_REASONS), None)
    return RiskDecision("DECLINED", reason=reason) if reason else None


def _approved(tags: list[str]) -> RiskDecision:
    if any(map(_PEND.fullmatch, tags)):
        return RiskDecision("ACCEPTED", reason="pending is for US and GB only")
    return RiskDecision("ACCEPTED", reason=next((tag for tag in tags if tag in _WITHOUT_EFFECT), None))


Json = dict[str, Any]


def check(session: Json, wanted: str | Json | None, *, pending_everywhere: bool) -> Outcome | str:
    """Return the outcome of an order, or the reason why Klarna declines the shopper."""
    if wanted is not None:
        return outcome(wanted)
    billing = session["billing_address"]
    decision = decide_risk(billing.get("email", ""), session["purchase_country"], pending_everywhere=pending_everywhere)
    if decision.outcome == "DECLINED":
        return decision.reason or "denied"
    return Outcome(fraud_status=decision.outcome, then=decision.then, after=decision.after)
