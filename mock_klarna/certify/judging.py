"""Results of the rules over the traffic of one merchant."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mock_klarna.certify.rule import Observation, Rule, Severity
from mock_klarna.certify.rules import RULES
from mock_klarna.certify.traffic import Traffic

PASSED, FAILED, INCONCLUSIVE, SKIPPED = "passed", "failed", "inconclusive", "skipped"
_MAX_FINDINGS = 20
"""How many findings of one rule are kept, the most severe first; `broken` counts all."""
_OF_TESTS = "only requests that a scenario or a test sent in place of the shop show it"
_MAX_EVIDENCED = 3
"""Of how many cases a finding has the evidence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a merchant did that broke a rule: once, or in several cases in the same way.

    observation: the first case. evidence: where the entries are that show the first cases. cases: how many there are.
    """

    rule: Rule
    merchant: str
    observation: Observation
    evidence: tuple[str, ...]
    cases: int = 1

    @property
    def severity(self) -> Severity:
        """That of the case, else that of the rule."""
        return self.observation.severity or self.rule.severity

    def as_json(self) -> dict[str, Any]:
        """Return the finding as the API and the reports have it."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "severity": self.severity.value,
            "merchant": self.merchant,
            "seen": self.observation.seen,
            "expected": self.observation.expected,
            "remedy": self.rule.remedy,
            "source": self.rule.source,
            "cases": self.cases,
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result of one rule for one merchant: `cases` is how often it could be observed, `reason` why it was not decided."""

    rule: Rule
    merchant: str
    outcome: str
    cases: int
    broken: int
    findings: tuple[Finding, ...]
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the result as the API and the reports have it, without its findings."""
        return {
            "rule": self.rule.id,
            "family": self.rule.family,
            "title": self.rule.title,
            "severity": self.rule.severity.value,
            "merchant": self.merchant,
            "outcome": self.outcome,
            "cases": self.cases,
            "broken": self.broken,
            "reason": self.reason or None,
            "remedy": self.rule.remedy,
            "source": self.rule.source,
        }


def judge(traffic: Traffic, rules: Iterable[Rule] = RULES) -> list[RuleResult]:
    """Return the result of every rule, in the order of the rules.

    Cases that a request of a scenario or a test shows do not count. A rule without a case is inconclusive. So is one that was
    obeyed as far as can be seen, if the traffic has gaps.
    """
    return [_result(rule, traffic) for rule in rules]


def _result(rule: Rule, traffic: Traffic) -> RuleResult:
    observed = list(_observations(rule, traffic))
    of_shop = [one for one in observed if traffic.of_tests.isdisjoint(one.entries)]
    found = [one for one in of_shop if one.is_finding]
    found.sort(key=lambda one: _rank(one.severity or rule.severity))
    same: dict[tuple[object, ...], list[Observation]] = {}
    for one in found:
        same.setdefault((one.seen, one.expected, one.severity), []).append(one)
    findings = tuple(_finding(rule, traffic, cases) for cases in list(same.values())[:_MAX_FINDINGS])
    reason = "" if found else _OF_TESTS if observed and not of_shop else _why_undecided(rule, traffic, bool(of_shop))
    outcome = FAILED if found else INCONCLUSIVE if reason else PASSED
    return RuleResult(rule, traffic.merchant, outcome, len(of_shop), len(found), findings, reason)


def _rank(severity: Severity) -> int:
    """Return the place of a severity among all, 0 for the most severe."""
    return list(Severity).index(severity)


def _finding(rule: Rule, traffic: Traffic, cases: Sequence[Observation]) -> Finding:
    positions = dict.fromkeys(seq for one in cases[:_MAX_EVIDENCED] for seq in one.entries)
    return Finding(rule, traffic.merchant, cases[0], tuple(map(traffic.place_of, positions)), len(cases))


def _observations(rule: Rule, traffic: Traffic) -> Iterator[Observation]:
    """Yield what a rule observes, until it asks for entries of a kind that is missing: what comes after that may be wrong."""
    traffic.asked_kinds.clear()
    for one in rule.observe(traffic):
        if _missing(traffic):
            return
        yield one


def _missing(traffic: Traffic) -> list[str]:
    """Return why entries are missing that a rule asked for."""
    return [reason for kind, reason in traffic.gaps.kinds.items() if kind in traffic.asked_kinds]


def _why_undecided(rule: Rule, traffic: Traffic, is_observed: bool) -> str:
    """Return why a rule without a finding is not passed, "" if it is."""
    gaps, missing = traffic.gaps, _missing(traffic)
    if missing:
        return missing[0]
    if not is_observed:
        return f"this needs {rule.needs}"
    if gaps.dropped:
        return f"the journal dropped {gaps.dropped} entries; raise --journal-bytes"
    if gaps.cut:
        return gaps.cut
    is_one_of_many = rule.compares_purchases and gaps.one_purchase
    return "one purchase does not show it; judge the merchant's journal" if is_one_of_many else ""


def report(results: Sequence[RuleResult]) -> dict[str, Any]:
    """Return the results as JSON: `summary`, the `findings` with the most severe first, and the outcome of all `rules`."""
    findings = [finding for result in results for finding in result.findings]
    findings.sort(key=lambda finding: _rank(finding.severity))
    return summarized([result.as_json() for result in results], [finding.as_json() for finding in findings])


def only(found: Mapping[str, Any], rules: Collection[str]) -> dict[str, Any]:
    """Return a report of some rules only, by their ids."""
    return summarized(*([one for one in found[name] if one["rule"] in rules] for name in ("rules", "findings")))


def skip(found: Mapping[str, Any], reasons: Mapping[str, str]) -> dict[str, Any]:
    """Return a report in which some rules do not count: their results are `skipped`, with the reasons, and have no findings."""
    results = [
        {**one, "outcome": SKIPPED, "reason": reasons[one["rule"]]} if one["rule"] in reasons else one
        for one in found["rules"]
    ]
    return summarized(results, [one for one in found["findings"] if one["rule"] not in reasons])


def summarized(results: list[dict[str, Any]], findings: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a report with its summary. A rule is counted once for each merchant, by its most severe finding."""
    worst: dict[tuple[str, str], str] = {}
    for finding in findings:
        worst.setdefault((finding["merchant"], finding["rule"]), finding["severity"])
    counted = Counter(one["outcome"] for one in results)
    severities = Counter(worst.values())
    return {
        "summary": {
            "rules": len(results),
            PASSED: counted[PASSED],
            INCONCLUSIVE: counted[INCONCLUSIVE],
            SKIPPED: counted[SKIPPED],
            **{f"{severity.value}s": severities[severity.value] for severity in Severity},
        },
        "findings": findings,
        "rules": results,
    }
