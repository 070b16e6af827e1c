"""Problems as JSON, as text, and with their paths."""

from typing import Any

import pytest

from mock_klarna.errors import InvalidInput, Problem, bounded, did_you_mean

TAX = Problem("order_lines[0].total_tax_amount", "line_tax", 5000, "4545 (4545 to 4546)", "the formula")


def test_a_problem_is_json_with_both_paths() -> None:
    assert TAX.as_json() == {
        "path": "order_lines[0].total_tax_amount",
        "json_path": "$.order_lines[0].total_tax_amount",
        "rule": "line_tax",
        "value": 5000,
        "expected": "4545 (4545 to 4546)",
        "formula": "the formula",
    }


def test_a_problem_is_one_line_of_text() -> None:
    for problem, text in (
        (TAX, "order_lines[0].total_tax_amount [line_tax]: sent 5000, expected 4545 (4545 to 4546) (the formula)"),
        (Problem("", "type", [], "an object"), "body [type]: sent [], expected an object"),
        (Problem("", "type", [None, True], "an object"), "body [type]: sent [null, true], expected an object"),
        (Problem("a", "type", True, "a number"), "a [type]: sent true, expected a number"),
        (Problem("a", "maximum", 10**30, "at most 5"), f"a [maximum]: sent {10**30}, expected at most 5"),
        (Problem("a", "type", "true", "a number"), "a [type]: sent 'true', expected a number"),
        (Problem("locale", "required", None, "a locale"), "locale [required]: missing, expected a locale"),
        (Problem("deny", "type", None, "an object"), "deny [type]: sent nothing, expected an object"),
        (
            Problem("dely", "additionalProperties", 5, "did you mean delay?"),
            "dely [additionalProperties]: unknown member; did you mean delay?",
        ),
        (
            Problem("nme", "unknown_parameter", "a", "known: name"),
            "nme [unknown_parameter]: unknown parameter; known: name",
        ),
    ):
        assert problem.as_text() == text, text


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("wait", "type", "x", "a number"), "query: wait is not valid (type); expected a number"),
        (Problem("merchant", "required", None, "credentials"), "query: merchant is missing; expected credentials"),
        (
            Problem("dely", "additionalProperties", 5, "did you mean delay?"),
            "query: dely is an unknown member; did you mean delay?",
        ),
    ],
)
def test_an_error_names_what_is_missing_unknown_or_wrong(problem: Problem, text: str) -> None:
    assert str(InvalidInput([problem], where="query")) == text


@pytest.mark.parametrize(
    ("name", "known", "suggestion"),
    [
        ("dely", ["delay", "drop"], "did you mean delay?"),
        ("EURO", ["EUR", "EGP"], "did you mean EUR?"),
        ("USA", ["US", "UA"], "did you mean US?"),
        ("ABC", ["PAB", "ALL"], ""),
        ("KRR", ["PKR", "KRW"], ""),
        ("ZZ", ["ZA"], ""),
    ],
)
def test_short_names_have_to_be_very_similar_to_be_suggested(name: str, known: list[str], suggestion: str) -> None:
    assert did_you_mean(name, known) == suggestion


@pytest.mark.parametrize(
    ("path", "json_path"),
    [
        ("", "$"),
        ('merchants[""].records', "$.merchants[''].records"),
        ("[2]", "$[2]"),
        ("a.b[10].c", "$.a.b[10].c"),
        ("we-ird", "$['we-ird']"),
        ("it's", "$['it\\'s']"),
        ("a[0][1]", "$.a[0][1]"),
    ],
)
def test_a_path_becomes_a_json_path(path: str, json_path: str) -> None:
    assert Problem(path, "type", None, "").json_path == json_path


@pytest.mark.parametrize("value", [None, 5, 1.5, True, "short", [], {"a": [1, 2]}, "x" * 200])
def test_a_small_value_is_shown_unchanged(value: Any) -> None:
    assert bounded(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x" * 201, "x" * 200 + "… (201 characters)"),
        (list(range(500)), "a list with 500 entries, too large to show"),
        ({"a": "x" * 300, "b": 1}, "an object with 2 members, too large to show"),
        ([[[["x" * 300]]], 1], "a list with 2 entries, too large to show"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_large_value_is_cut(value: Any, expected: str) -> None:
    assert bounded(value) == expected
