import pytest

from mock_klarna.validation import Validator
from tests.validation.samples import sample

SHIPPING = sample("guide/se-order")["order_lines"][1]


def test_a_hopeless_body_is_told_a_bounded_number_of_problems(validator: Validator) -> None:
    body = {**sample("guide/se-order"), "order_lines": [{}] * 1000}
    assert len(validator.check("create_order", body)[1]) == 200


@pytest.mark.parametrize("length", [5, 1000])
@pytest.mark.parametrize("place", [0, 3, -1])
def test_the_one_wrong_line_of_many_is_named(validator: Validator, length: int, place: int) -> None:
    lines = [SHIPPING] * length
    lines[place] = {**SHIPPING, "name": 5}
    amounts = {"order_amount": 5000 * length, "order_tax_amount": 1000 * length}
    (problem,) = validator.check("create_order", {**sample("guide/se-order"), **amounts, "order_lines": lines})[1]
    assert (problem.path, problem.rule) == (f"order_lines[{place % length}].name", "type")


@pytest.mark.parametrize(("length", "refused"), [(1000, []), (1001, ["order_lines"])])
def test_an_order_has_at_most_a_thousand_lines(validator: Validator, length: int, refused: list[str]) -> None:
    amounts = {"order_amount": 5000 * length, "order_tax_amount": 1000 * length}
    body = {**sample("guide/se-order"), **amounts, "order_lines": [SHIPPING] * length}
    assert [problem.path for problem in validator.check("create_order", body)[1]] == refused


@pytest.mark.parametrize(("length", "refused"), [(10000, []), (10001, ["order_lines"])])
def test_a_key_has_at_most_ten_thousand_lines(validator: Validator, length: int, refused: list[str]) -> None:
    """klarna.md C-11."""
    body = {"merchant_urls": {"place_order": "https://a.example.com"}, "order_lines": [SHIPPING] * length}
    assert [problem.path for problem in validator.check("create_button", body)[1]] == refused


def test_unknown_members_without_end_are_told_up_to_the_bound(validator: Validator) -> None:
    assert len(validator.check("reset", {f"member{number}": 1 for number in range(5000)})[1]) == 200
