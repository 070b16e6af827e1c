"""The traffic of a merchant: which journal entries count, and what belongs together."""

from mock_klarna.certify.traffic import OWN_AGENT
from tests.certify.results import outcomes
from tests.certify.samples import (
    SAMPLES,
    Journal,
)


def test_requests_of_certify_itself_are_not_those_of_the_merchant() -> None:
    journal = Journal().sent("get_button", "/instantshopping/v1/buttons/x", headers={"User-Agent": OWN_AGENT})
    assert set(outcomes(journal).values()) == {"inconclusive"}


def test_a_callback_that_was_sent_again_with_a_changed_body_is_not_judged() -> None:
    journal = Journal().button().authorized().read().placed()
    before = outcomes(journal)
    journal.called("place_order", {"authorization_token": "another"}, 500, injected={"resent": True, "changed": True})
    assert outcomes(journal) == before


def test_a_callback_whose_first_attempts_were_dropped_breaks_no_rule() -> None:
    journal = SAMPLES["C3"][1]()
    journal.entries = [{**entry, "number": 2} if entry["kind"] == "callback" else entry for entry in journal.entries]
    assert outcomes(journal)["C3"] == "failed"
    assert outcomes(journal, dropped=3)["C3"] == "inconclusive"
