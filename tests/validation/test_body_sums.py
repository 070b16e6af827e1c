"""Generated mutations of the guide's two orders: each refusal names the right path and the right value."""

import pytest

from mock_klarna.validation import Validator
from tests.validation.mutations import ORDERS, Mutation, mutations
from tests.validation.samples import at, changed

MUTATIONS = list(mutations())


def test_there_are_some_two_hundred_mutations_of_each_order() -> None:
    assert len(MUTATIONS) > 300


@pytest.mark.parametrize("rule", sorted({mutation.rule for mutation in MUTATIONS}))
@pytest.mark.parametrize("order", ORDERS)
def test_a_mutation_is_refused_with_its_path_and_the_right_value(validator: Validator, order: str, rule: str) -> None:
    for mutation in MUTATIONS:
        if (mutation.order, mutation.rule) == (order, rule):
            is_refused(validator, mutation)


def is_refused(validator: Validator, mutation: Mutation) -> None:
    _, problems = validator.check("create_order", mutation.body)
    assert [problem.path for problem in problems if problem.rule == mutation.rule] == [mutation.path]
    assert problems[0].path == mutation.path
    assert any(problem.expected.startswith(mutation.expected) for problem in problems), (mutation.expected, problems)
    assert {problem.path for problem in problems} == {mutation.path}


@pytest.mark.parametrize("path", ["order_lines[0].total_tax_amount", "order_lines[1].total_tax_amount"])
@pytest.mark.parametrize("difference", [-1, 1])
def test_one_unit_of_tax_more_or_less_is_tolerated_in_a_line(validator: Validator, path: str, difference: int) -> None:
    body = ORDERS["se"]
    body = changed(body, path, at(body, path) + difference)
    body = changed(body, "order_tax_amount", body["order_tax_amount"] + difference)
    assert validator.check("create_order", body) == (body, [])


@pytest.mark.parametrize("order", ORDERS)
def test_the_refusal_of_a_sum_shows_the_formula_with_its_numbers(validator: Validator, order: str) -> None:
    body = changed(ORDERS[order], "order_lines[0].total_tax_amount", 5)
    (problem,) = validator.check("create_order", body)[1]
    total = at(body, "order_lines[0].total_amount")
    times, minus = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"
    assert problem.formula == f"{total} {minus} {total}{times}10000/(10000+2500) = {total // 5}"
    assert problem.value == 5


@pytest.mark.parametrize(("path", "difference"), [("order_amount", -2), ("order_tax_amount", 2)])
def test_the_sums_of_an_order_may_differ_by_one_for_each_line_where_a_setting_says_so(
    validator: Validator, path: str, difference: int
) -> None:
    """klarna.md §10: Klarna's own tolerance is the number of items."""
    body = changed(ORDERS["se"], path, at(ORDERS["se"], path) + difference)
    assert Validator(tolerant_sums=True).check("create_order", body) == (body, [])
    assert [problem.path for problem in validator.check("create_order", body)[1]] == [path]


def test_a_sum_beyond_the_tolerance_is_refused_with_its_range() -> None:
    body = changed(ORDERS["se"], "order_amount", 124003)
    (problem,) = Validator(tolerant_sums=True).check("create_order", body)[1]
    assert (problem.path, problem.value, problem.expected) == ("order_amount", 124003, "124000 (123998 to 124002)")
