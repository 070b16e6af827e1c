"""Results of rules: outcomes, reasons, and findings with their cases and evidence."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mock_klarna.certify import Gaps, Traffic, judge
from mock_klarna.certify.rule import Observation, Severity, broken
from tests.certify.results import BY_ID, outcomes, sent_by_a_test
from tests.certify.samples import (
    BUTTON_KEY,
    SAMPLES,
    URLS,
    Journal,
)


def test_a_rule_that_was_obeyed_is_inconclusive_where_the_journal_dropped_entries() -> None:
    assert outcomes(Journal().placed(), dropped=3)["C3"] == "inconclusive"
    assert outcomes(SAMPLES["C3"][1](), dropped=3)["C3"] == "failed"


@pytest.mark.parametrize(
    ("gaps", "rule", "outcome"),
    [
        (Gaps(), "O4", "passed"),
        (Gaps(one_purchase=True), "O4", "inconclusive"),
        (Gaps(one_purchase=True), "C3", "passed"),
        (Gaps(cut="the file is cut"), "C3", "inconclusive"),
        (Gaps(kinds={"exchange": "no exchanges"}), "C3", "inconclusive"),
        (Gaps(kinds={"exchange": "no exchanges"}), "C9", "passed"),
        (Gaps(kinds={"event": "no events"}), "M2", "inconclusive"),
    ],
    ids=str,
)
def test_a_rule_that_may_be_broken_where_nothing_can_be_seen_does_not_pass(gaps: Gaps, rule: str, outcome: str) -> None:
    journal = Journal().placed().pushed().acknowledged()
    (result,) = judge(Traffic("shop", journal.entries, gaps), [BY_ID[rule]])
    assert result.outcome == outcome
    assert bool(result.reason) is (outcome == "inconclusive")


def test_a_missing_request_is_no_finding_where_requests_are_missing() -> None:
    journal = Journal().authorized(status=422)
    gaps = Gaps(kinds={"exchange": "the file has no requests"})
    (result,) = judge(Traffic("shop", journal.entries, gaps), [BY_ID["D4"]])
    assert (result.outcome, result.reason, result.findings) == ("inconclusive", "the file has no requests", ())


def test_a_finding_stays_whose_entries_are_all_there() -> None:
    gaps = Gaps(kinds={"event": "the file has no events"})
    (result,) = judge(Traffic("shop", SAMPLES["K2"][1]().entries, gaps), [BY_ID["K2"]])
    assert result.outcome == "failed"


_WITHOUT_PUSH = {name: url for name, url in URLS.items() if name != "push"}


def test_what_a_shop_does_with_every_order_is_one_finding() -> None:
    journal = Journal().button(merchant_urls=_WITHOUT_PUSH)
    for number in range(5):
        journal.called_back(f"token-{number}").posted(token=f"token-{number}", order_id=f"order-{number}")
    (result,) = judge(journal.traffic(), [BY_ID["K3"]])
    (finding,) = result.findings
    assert (finding.cases, result.broken) == (5, 5)
    key, *posted = [entry["seq"] for entry in journal.entries if entry["kind"] == "exchange"]
    assert finding.evidence == tuple(f"/_mock/journal/{seq}" for seq in (key, *posted[:3]))


def test_cases_of_another_severity_are_a_finding_of_their_own() -> None:
    journal = Journal().button(merchant_urls=_WITHOUT_PUSH)
    for token, country in (("token-1", "SE"), ("token-2", "US"), ("token-3", "SE")):
        body = {"authorization_token": token, "button_key": BUTTON_KEY, "order": {"purchase_country": country}}
        journal.called("place_order", body).posted(token=token)
    (result,) = judge(journal.traffic(), [BY_ID["K3"]])
    assert [(finding.severity, finding.cases) for finding in result.findings] == [("error", 1), ("warning", 2)]


def test_a_rule_that_only_tests_have_obeyed_says_so() -> None:
    (result,) = judge(sent_by_a_test(Journal().placed()).traffic(), [BY_ID["C3"]])
    assert result.reason == "only requests that a scenario or a test sent in place of the shop show it"


def test_the_most_severe_cases_are_kept_of_many() -> None:
    entry = Journal().button().entries[0]

    def observe(_traffic: Traffic) -> Iterator[Observation]:
        yield from (broken(entry, seen=f"warning {number}", expected="none") for number in range(30))
        yield broken(entry, seen="an error", expected="none", severity=Severity.ERROR)

    (result,) = judge(Journal().traffic(), [replace(BY_ID["K3"], observe=observe)])
    assert (len(result.findings), result.broken) == (20, 31)
    assert [finding.severity for finding in result.findings[:2]] == ["error", "warning"]
