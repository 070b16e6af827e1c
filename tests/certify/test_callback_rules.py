"""The rules of the callbacks place_order and update."""

from collections.abc import Callable

import pytest

from mock_klarna.certify import judge
from tests.certify.results import BY_ID, outcome_of
from tests.certify.samples import (
    EXPIRED,
    FORGED,
    OTHER_TOKEN,
    UNAVAILABLE,
    Journal,
)


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        (lambda: Journal().called_back(FORGED, forged=True), "inconclusive"),
        (lambda: Journal().called_back(FORGED, 500, forged=True), "inconclusive"),
        (lambda: Journal().called_back(FORGED, 403, forged=True), "passed"),
        (lambda: Journal().called_back(FORGED, forged=True).denied(404, FORGED), "passed"),
        (lambda: Journal().called_back(FORGED, forged=True).read(404, FORGED).posted(404, FORGED), "failed"),
    ],
    ids=["200 and nothing else", "500 and nothing else", "403", "denied", "read and placed all the same"],
)
def test_what_a_shop_does_with_a_forged_callback_decides(journal: Callable[[], Journal], outcome: str) -> None:
    assert outcome_of("C4", journal()) == outcome


def test_a_forged_callback_is_no_authorization_that_has_to_be_decided() -> None:
    journal = Journal().placed().called_back(FORGED, 404, forged=True)
    assert outcome_of("D4", journal) == "inconclusive"
    assert outcome_of("C1", journal) == "passed"


@pytest.mark.parametrize(("status", "outcome"), [(200, "inconclusive"), (404, "passed")])
def test_a_late_callback_that_is_only_answered_shows_nothing_unless_it_is_refused(status: int, outcome: str) -> None:
    journal = Journal().called_back(status=None, drop=True).happened(EXPIRED).called_back(status=status, resent=True)
    assert outcome_of("C6", journal) == outcome
    assert outcome_of("D4", journal) == "inconclusive"


@pytest.mark.parametrize("rule", ["C1", "C2", "D4"])
def test_time_limits_and_refusals_are_not_judged_where_a_fault_was_injected(rule: str) -> None:
    journal = Journal().authorized(status=500).posted(503, injected=UNAVAILABLE)
    journal.later(20).happened("purchase_timed_out", seconds=60.0)
    assert outcome_of(rule, journal) == "inconclusive"


def test_slow_decisions_are_an_error_after_ten_seconds() -> None:
    (result,) = judge(Journal().authorized().later(20).posted().traffic(), [BY_ID["C2"]])
    assert [finding.severity for finding in result.findings] == ["error"]


def test_a_second_authorization_may_be_denied_for_want_of_stock() -> None:
    denied = Journal().placed().called_back(OTHER_TOKEN).denied(token=OTHER_TOKEN, deny_code="item_out_of_stock")
    assert outcome_of("C7", denied) == "inconclusive"
