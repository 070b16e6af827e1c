"""The rules of denials: DELETE /instantshopping/v1/authorizations/{token}, its codes and its messages."""

from collections.abc import Iterator

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import ANSWER_FAULTS, Traffic, body_of, injected, is_ok

_DENY_CODES = (
    "address_error",
    "item_out_of_stock",
    "consumer_underaged",
    "unsupported_shipping_address",
    "other",
)


def _deny_codes_are_known(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges("deny_authorization"):
        body = body_of(entry)
        if "deny_code" in body or "deny_redirect_url" not in body:
            code = body.get("deny_code")
            if code in _DENY_CODES:
                yield obeyed(entry)
            else:
                yield broken(entry, seen=f"deny_code {code or 'missing'}", expected=f"one of {', '.join(_DENY_CODES)}")


def _other_has_a_message(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges("deny_authorization"):
        body = body_of(entry)
        if body.get("deny_code") == "other":
            if body.get("deny_message"):
                yield obeyed(entry)
            else:
                yield broken(
                    entry, seen="deny_code other without deny_message", expected="a sentence in the shopper's language"
                )


def _redirect_or_code(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges("deny_authorization"):
        body = body_of(entry)
        if body.get("deny_redirect_url") and (body.get("deny_code") or body.get("deny_message")):
            yield broken(
                entry, seen="deny_redirect_url with deny_code or deny_message", expected="only one of the two ways"
            )
        else:
            yield obeyed(entry)


def _refusals_are_denials(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        answered = (entry for entry in authorization.attempts if not injected(entry, *ANSWER_FAULTS))
        refused = [entry for entry in answered if entry["status"] is not None and not is_ok(entry)]
        if not refused or (authorization.decision is None and authorization.is_disturbed):
            continue
        if authorization.decision is not None:
            yield obeyed(refused[0], authorization.decision)
        else:
            yield broken(
                refused[0],
                seen=f"place_order was answered {refused[0]['status']}, and nothing else happened",
                expected="DELETE …/authorizations/{token}: the status of the answer means nothing to Klarna",
            )


RULES = (
    Rule(
        id="D1",
        title="Denials have one of the five codes",
        severity=Severity.WARNING,
        source="klarna.md §3.14",
        remedy=f"Send one of {', '.join(_DENY_CODES)}.",
        look=_deny_codes_are_known,
        needs="a denial without redirect",
    ),
    Rule(
        id="D2",
        title="A denial with the code other has a message",
        severity=Severity.WARNING,
        source="klarna.md §3.14",
        remedy="Send deny_message in the language of locale; the shopper reads it. Its language is not checked.",
        look=_other_has_a_message,
        needs="a denial with the code other",
    ),
    Rule(
        id="D3",
        title="A denial has a redirect, or a code with a message",
        severity=Severity.WARNING,
        source="klarna.md §3.14",
        remedy="Send deny_redirect_url alone, or deny_code with deny_message.",
        look=_redirect_or_code,
        needs="a denial",
    ),
    Rule(
        id="D4",
        title="A refusal in the shop leads to a denial",
        severity=Severity.ERROR,
        source="guide, step 3",
        remedy="Send DELETE …/authorizations/{token}; the status of the answer to the callback is not read.",
        look=_refusals_are_denials,
        needs="a place_order callback that was answered with an error",
    ),
)
"""The rules of denials, in the order of the reports."""
