"""What is judged about an integration: rules over the traffic of one merchant, and the reports of their results."""

from mock_klarna.certify.judging import Finding, RuleResult, judge, only, report
from mock_klarna.certify.reports import finding_text
from mock_klarna.certify.rule import Observation, Rule, Severity
from mock_klarna.certify.rules import RULES
from mock_klarna.certify.traffic import Traffic

__all__ = [
    "RULES",
    "Finding",
    "Observation",
    "Rule",
    "RuleResult",
    "Severity",
    "Traffic",
    "finding_text",
    "judge",
    "only",
    "report",
]
