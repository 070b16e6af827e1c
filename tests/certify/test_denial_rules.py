"""The rules of denials."""

from typing import Any

import pytest

from tests.certify.results import outcome_of, outcomes, result_of
from tests.certify.samples import AUTHORIZATION, OTHER_TOKEN, UNAVAILABLE, Journal


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({}, "inconclusive"),
        ({"deny_code": None, "deny_redirect_url": "https://shop.example.com"}, "inconclusive"),
        ({"deny_redirect_url": "", "deny_code": "other", "deny_message": "Slut"}, "passed"),
        ({"deny_message": "Slut"}, "failed"),
        ({"deny_code": ""}, "failed"),
    ],
    ids=["no body", "redirect", "empty redirect", "no code", "empty code"],
)
def test_a_code_is_needed_with_a_message_only(body: dict[str, Any], outcome: str) -> None:
    assert outcome_of("D1", Journal().authorized().denied(**body)) == outcome


def test_a_denial_that_a_fault_refused_shows_nothing() -> None:
    journal = Journal().authorized()
    journal.sent("deny_authorization", AUTHORIZATION, None, 503, method="DELETE", injected=UNAVAILABLE)
    assert {outcomes(journal)[rule] for rule in ("D1", "D2", "D3")} == {"inconclusive"}


@pytest.mark.parametrize(
    ("locale", "message", "outcome"),
    [
        ("de-DE", "Slutsåld", "failed"),
        ("de-DE", "Ausverkauft", "passed"),
        ("sv-FI", "Slutsåld", "passed"),
    ],
    ids=["same message", "other message", "same language"],
)
def test_a_message_is_in_one_language(locale: str, message: str, outcome: str) -> None:
    journal = Journal().authorized().denied(deny_code="other", deny_message="Slutsåld")
    again = {"authorization_token": OTHER_TOKEN, "order": {"locale": locale}}
    journal.called("place_order", again).denied(token=OTHER_TOKEN, deny_code="other", deny_message=message)
    assert outcome_of("D2", journal) == outcome


def test_danish_and_norwegian_may_have_the_same_message() -> None:
    journal = Journal()
    for token, locale in (("token-1", "da-DK"), ("token-2", "nb-NO")):
        journal.called("place_order", {"authorization_token": token, "order": {"locale": locale}})
        journal.denied(token=token, deny_code="other", deny_message="Varen er ikke på lager")
    assert outcome_of("D2", journal) == "passed"


def test_a_shop_whose_order_was_refused_has_to_deny() -> None:
    (finding,) = result_of("D4", Journal().authorized(status=500).posted(400)).findings
    assert (
        finding.observation.seen == "place_order was answered 500, and the authorization was neither placed nor denied"
    )
