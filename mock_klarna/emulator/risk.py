"""Klarna's risk check: what was asked for, or what the shopper's e-mail address stands for (protocol 8.1)."""

from typing import Any

from mock_klarna.domain.purchasing import outcome
from mock_klarna.domain.records import Outcome
from mock_klarna.shopper.triggers import decide_risk

Json = dict[str, Any]


def check(session: Json, wanted: str | Json | None, *, pending_everywhere: bool) -> Outcome | str:
    """Return the outcome that an order will have, or the reason why Klarna refuses the shopper."""
    if wanted is not None:
        return outcome(wanted)
    billing = session["billing_address"]
    said = decide_risk(billing.get("email", ""), session["purchase_country"], pending_everywhere=pending_everywhere)
    if said.outcome == "DECLINED":
        return said.reason or "denied"
    return Outcome(fraud_status=said.outcome, then=said.then, after=said.after)
