"""What is judged about an integration: rules over the traffic of one merchant, and the reports of their results."""

from mock_klarna.certify.judging import Finding, RuleResult, judge, only, report, skip
from mock_klarna.certify.rule import Observation, Rule, Severity
from mock_klarna.certify.rules import RULES
from mock_klarna.certify.terminal import finding_text
from mock_klarna.certify.traffic import Gaps, Traffic

__all__ = [
    "RULES",
    "Finding",
    "Gaps",
    "Observation",
    "Rule",
    "RuleResult",
    "Severity",
    "Traffic",
    "finding_text",
    "judge",
    "only",
    "report",
    "skip",
]
