"""What the rules find in a journal, for tests."""

from mock_klarna.certify import RULES, RuleResult, Traffic, judge
from tests.certify.samples import Journal

BY_ID = {rule.id: rule for rule in RULES}


def outcomes(journal: Journal, dropped: int = 0) -> dict[str, str]:
    """Return the outcome of every rule by its id; `dropped` is how many entries the journal has lost."""
    return outcomes_of(journal.traffic(dropped))


def outcomes_of(traffic: Traffic) -> dict[str, str]:
    """Return the outcome of every rule by its id."""
    return {result.rule.id: result.outcome for result in judge(traffic)}


def reasons_of(traffic: Traffic) -> dict[str, str]:
    """Return by the id of each rule why it was not decided, "" if it was."""
    return {result.rule.id: result.reason for result in judge(traffic)}


def result_of(rule: str, journal: Journal) -> RuleResult:
    """Return the result of one rule."""
    (result,) = judge(journal.traffic(), [BY_ID[rule]])
    return result


def outcome_of(rule: str, journal: Journal) -> str:
    """Return the outcome of one rule."""
    return result_of(rule, journal).outcome


def sent_by_a_test(journal: Journal, *names: str) -> Journal:
    """Let a scenario send the requests with these names, all without names, in place of the shop."""
    for entry in journal.entries:
        if entry["kind"] == "exchange" and (not names or entry["name"] in names):
            entry["request_headers"] = [["User-Agent", "mock-klarna/0.1.0"]]
    return journal
