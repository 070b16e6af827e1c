"""Each rule passes for a journal that obeys it, and finds what breaks it."""

from typing import Any

import pytest

from mock_klarna.certify import RULES, judge
from mock_klarna.certify.rule import nothing
from tests.certify.samples import SAMPLES, Journal

BY_ID = {rule.id: rule for rule in RULES}
UNDECIDED = [rule.id for rule in RULES if rule.look is nothing]


def outcomes(journal: Journal, dropped: int = 0) -> dict[str, str]:
    return {result.rule.id: result.outcome for result in judge(journal.traffic(dropped))}


def test_every_rule_that_can_be_decided_has_a_sample_but_the_one_of_regions() -> None:
    assert set(SAMPLES) | {"T4"} == set(BY_ID) - set(UNDECIDED)


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_journal_that_obeys_a_rule_passes(rule: str) -> None:
    assert outcomes(SAMPLES[rule][0]())[rule] == "passed"


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_journal_that_breaks_a_rule_has_a_finding_with_evidence(rule: str) -> None:
    journal = SAMPLES[rule][1]()
    (result,) = judge(journal.traffic(), [BY_ID[rule]])
    assert result.outcome == "failed"
    positions = {entry["seq"] for entry in journal.entries}
    for finding in result.findings:
        assert finding.observation.seen
        assert finding.observation.expected
        assert set(finding.observation.entries) <= positions
        assert finding.observation.entries


@pytest.mark.parametrize("rule", UNDECIDED)
def test_a_rule_that_the_journal_cannot_decide_is_inconclusive(rule: str) -> None:
    assert outcomes(Journal().placed())[rule] == "inconclusive"


def test_a_purchase_that_goes_well_breaks_no_rule() -> None:
    journal = Journal().placed().pushed().acknowledged().captured()
    assert "failed" not in outcomes(journal).values()


def test_an_empty_journal_decides_nothing() -> None:
    assert set(outcomes(Journal()).values()) == {"inconclusive"}


def test_a_rule_that_was_obeyed_is_inconclusive_where_the_journal_dropped_entries() -> None:
    assert outcomes(Journal().placed(), dropped=3)["C3"] == "inconclusive"
    assert outcomes(SAMPLES["C3"][1](), dropped=3)["C3"] == "failed"


@pytest.mark.parametrize("country", ["US", "GB"])
def test_missing_push_urls_are_an_error_where_they_are_required(country: str) -> None:
    journal = Journal().button(merchant_urls={"terms": "https://shop.example.com"})
    (result,) = judge(journal.authorized(purchase_country=country).posted().traffic(), [BY_ID["K3"]])
    assert [finding.severity for finding in result.findings] == ["error"]


def test_slow_decisions_are_an_error_after_ten_seconds() -> None:
    (result,) = judge(Journal().authorized().later(20).posted().traffic(), [BY_ID["C2"]])
    assert [finding.severity for finding in result.findings] == ["error"]


@pytest.mark.parametrize(
    "url", ["http://localhost:3000/p", "http://shop:3000/p", "http://10.0.0.7/p", "http://[::1]/p"]
)
def test_urls_of_test_machines_are_not_judged(url: str) -> None:
    journal = Journal().button(merchant_urls={"place_order": url})
    assert outcomes(journal)["K1"] == "inconclusive"


def test_whatever_a_body_is_no_rule_fails() -> None:
    values: tuple[Any, ...] = (None, 5, "text", [1], {"order_lines": 5}, {"order_lines": [None, {"reference": {}}]})
    for value in values:
        journal = Journal().sent("create_button", "/buttons", value, answer=value).called("place_order", value)
        journal.sent("create_order", AUTHORIZATION_OF_NONE, value, answer=value).captured()
        journal.sent("deny_authorization", AUTHORIZATION_OF_NONE, value).sent("capture_order", "/x", value)
        assert len(outcomes(journal)) == len(RULES)


AUTHORIZATION_OF_NONE = "/instantshopping/v1/authorizations"
