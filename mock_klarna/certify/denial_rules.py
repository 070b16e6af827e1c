"""The rules of denials: DELETE /instantshopping/v1/authorizations/{token}, its codes and its messages."""

from collections.abc import Iterator

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import (
    ANSWER_FAULTS,
    AUTHORIZATIONS,
    Entry,
    Json,
    Traffic,
    body_of,
    has_body,
    injected,
    is_ok,
    path_part,
)

_DENY_CODES = (
    "address_error",
    "item_out_of_stock",
    "consumer_underaged",
    "unsupported_shipping_address",
    "other",
)


def _denials(traffic: Traffic) -> Iterator[tuple[Entry, Json]]:
    """Yield the denials whose bodies the journal has, with their bodies."""
    for entry in traffic.exchanges("deny_authorization"):
        if has_body(entry):
            yield entry, body_of(entry)


def _deny_codes_are_known(traffic: Traffic) -> Iterator[Observation]:
    for entry, body in _denials(traffic):
        code, is_redirect = body.get("deny_code"), bool(body.get("deny_redirect_url"))
        if code is None and (is_redirect or not body.get("deny_message")):
            continue  # the browser is redirected, or the shopper reads Klarna's text
        if code in _DENY_CODES:
            yield obeyed(entry)
        else:
            yield broken(entry, seen=f"deny_code {code or 'missing'}", expected=f"one of {', '.join(_DENY_CODES)}")


def _other_has_a_message(traffic: Traffic) -> Iterator[Observation]:
    locales = {one.token: str(one.order.get("locale", "")) for one in traffic.authorizations}
    used: dict[object, tuple[str, Entry]] = {}
    for entry, body in _denials(traffic):
        if body.get("deny_code") != "other" or body.get("deny_redirect_url"):
            continue  # the shopper reads no message
        message, locale = str(body.get("deny_message") or ""), locales.get(path_part(entry, AUTHORIZATIONS), "")
        first_locale, first = used.setdefault(message, (locale, entry)) if locale else (locale, entry)
        if not message:
            yield broken(
                entry, seen="deny_code other without deny_message", expected="a sentence in the shopper's language"
            )
        elif _language(first_locale) != _language(locale):
            yield broken(
                first,
                entry,
                seen=f"the same deny_message for {first_locale} and {locale}: {message}",
                expected="a sentence in the language of each locale",
            )
        else:
            yield obeyed(entry)


def _language(locale: str) -> str:
    """Return the language of a locale; sentences of Danish and Norwegian may be the same."""
    code = locale.partition("-")[0].lower()
    return "no" if code in ("da", "nb", "nn") else code


def _redirect_or_code(traffic: Traffic) -> Iterator[Observation]:
    for entry, body in _denials(traffic):
        if body.get("deny_redirect_url") and (body.get("deny_code") or body.get("deny_message")):
            yield broken(
                entry,
                seen="deny_redirect_url with deny_code or deny_message",
                expected="deny_redirect_url alone, or deny_code with deny_message",
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
                seen=f"place_order was answered {refused[0]['status']}, and the authorization was neither placed nor denied",
                expected="DELETE …/authorizations/{token}: Klarna does not read the status of the answer",
            )


RULES = (
    Rule(
        id="D1",
        title="Denials have one of the five codes",
        severity=Severity.WARNING,
        source="klarna.md §3.14",
        remedy=f"Send one of {', '.join(_DENY_CODES)}.",
        observe=_deny_codes_are_known,
        needs="a denial with a code or a message",
    ),
    Rule(
        id="D2",
        title="The code other has a message in the shopper's language",
        severity=Severity.WARNING,
        source="klarna.md §3.14",
        remedy="Send deny_message in the language of locale, because the shopper reads it.",
        observe=_other_has_a_message,
        needs="a denial with the code other",
    ),
    Rule(
        id="D3",
        title="A denial has a redirect, or a code with a message",
        severity=Severity.WARNING,
        source="klarna.md §3.14",
        remedy="Send deny_redirect_url alone, or deny_code with deny_message.",
        observe=_redirect_or_code,
        needs="a denial",
    ),
    Rule(
        id="D4",
        title="A refusal in the shop leads to a denial",
        severity=Severity.ERROR,
        source="guide, step 3",
        remedy="Send DELETE …/authorizations/{token}; the status of the answer to the callback is not read.",
        observe=_refusals_are_denials,
        needs="a place_order callback that was answered with an error",
    ),
)
"""The rules of denials, in the order of the reports."""
