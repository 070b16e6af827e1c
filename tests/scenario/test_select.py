"""An expression of `-k` selects scenarios by words of their name and title."""

from pathlib import Path

import pytest

from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario.model import Scenario
from mock_klarna.scenario.select import selection
from mock_klarna.scenario.source import Source

TITLES = {"accepted": "A shopper buys with Express shipping", "push-retried": "A push is retried", "denied": "No stock"}
SCENARIOS = [Scenario(name, Path(f"{name}.yaml"), Source({"name": title})) for name, title in TITLES.items()]


def test_scenarios_that_match_are_selected() -> None:
    for expression, names in (
        ("push", ["push-retried"]),
        ("push-ret", ["push-retried"]),
        ("EXPRESS", ["accepted"]),
        ("a", ["accepted", "push-retried"]),
        ("not a", ["denied"]),
        ("not not a", ["accepted", "push-retried"]),
        ("shopper or stock", ["accepted", "denied"]),
        ("a and not push", ["accepted"]),
        ("not (push or stock)", ["accepted"]),
        ("denied or a and push", ["push-retried", "denied"]),
        ("(denied or a) and push", ["push-retried"]),
        ("'express shipping' or \"is retried\"", ["accepted", "push-retried"]),
        ("'and'", []),
        ("zebra", []),
    ):
        assert [scenario.name for scenario in SCENARIOS if selection(expression)(scenario)] == names, expression


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("a b", "unexpected b"),
        ("a and", "expected a word, found the end"),
        ("or a", "expected a word, found or"),
        ("(a", "expected ), found the end"),
        ("a)", "unexpected )"),
        ("'a", "' is not closed"),
        ("(" * 100_000, "it is too long"),
    ],
)
def test_an_expression_that_cannot_be_read_is_an_error_with_an_example(expression: str, reason: str) -> None:
    with pytest.raises(MockKlarnaError) as refusal:
        selection(expression)
    assert refusal.value.message == f"cannot read the expression: {reason}"
    assert "such as 'push and not (retried or denied)'" in str(refusal.value)


def test_the_longest_expression_can_be_read() -> None:
    assert not selection("(" * 49 + "a" + ")" * 49)(SCENARIOS[2])
