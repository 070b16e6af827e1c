"""Results of the rules over the traffic of one merchant."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mock_klarna.certify.rule import Observation, Rule, Severity
from mock_klarna.certify.rules import RULES
from mock_klarna.certify.traffic import Traffic

PASSED, FAILED, INCONCLUSIVE = "passed", "failed", "inconclusive"
_MOST_FINDINGS = 20
"""How many findings of one rule are kept; `cases` counts all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One case in which a merchant broke a rule."""

    rule: Rule
    merchant: str
    observation: Observation

    @property
    def severity(self) -> Severity:
        """That of the case, else that of the rule."""
        return self.observation.severity or self.rule.severity

    def as_json(self) -> dict[str, Any]:
        """Return the finding as the API and the reports have it; `evidence` are paths of journal entries."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "severity": self.severity.value,
            "merchant": self.merchant,
            "seen": self.observation.seen,
            "expected": self.observation.expected,
            "remedy": self.rule.remedy,
            "source": self.rule.source,
            "evidence": [f"/_mock/journal/{seq}" for seq in self.observation.entries],
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
            "title": self.rule.title,
            "severity": self.rule.severity.value,
            "merchant": self.merchant,
            "outcome": self.outcome,
            "cases": self.cases,
            "broken": self.broken,
            "reason": self.reason or None,
        }


def judge(traffic: Traffic, rules: Iterable[Rule] = RULES) -> list[RuleResult]:
    """Return the result of every rule, in the order of the rules.

    A rule without a case is inconclusive, and so is one that was only obeyed while the journal dropped entries.
    """
    return [_result(rule, traffic) for rule in rules]


def _result(rule: Rule, traffic: Traffic) -> RuleResult:
    observed = list(rule.look(traffic))
    found = [one for one in observed if one.is_finding]
    findings = tuple(Finding(rule, traffic.merchant, one) for one in found[:_MOST_FINDINGS])
    outcome, reason = FAILED, ""
    if not observed:
        outcome, reason = INCONCLUSIVE, rule.needs
    elif not found:
        outcome = PASSED
        if traffic.dropped:
            outcome, reason = INCONCLUSIVE, f"the journal dropped {traffic.dropped} entries; raise --journal-bytes"
    return RuleResult(rule, traffic.merchant, outcome, len(observed), len(found), findings, reason)


def report(results: Sequence[RuleResult]) -> dict[str, Any]:
    """Return the results as JSON: `summary`, the `findings` with the most severe first, and the outcome of all `rules`."""
    findings = [finding for result in results for finding in result.findings]
    findings.sort(key=lambda finding: list(Severity).index(finding.severity))
    return summarized([result.as_json() for result in results], [finding.as_json() for finding in findings])


def only(found: Mapping[str, Any], rules: Collection[str]) -> dict[str, Any]:
    """Return a report of some rules only, by their ids."""
    return summarized(*([one for one in found[name] if one["rule"] in rules] for name in ("rules", "findings")))


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
            **{f"{severity.value}s": severities[severity.value] for severity in Severity},
        },
        "findings": findings,
        "rules": results,
    }
