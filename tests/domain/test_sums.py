from typing import Any

import pytest

from mock_klarna.domain import sums
from mock_klarna.domain.sums import line_numbers, option_numbers
from mock_klarna.errors import Problem

LINE = {
    "type": "physical",
    "quantity": 2,
    "unit_price": 25000,
    "tax_rate": 1000,
    "total_amount": 50000,
    "total_tax_amount": 4545,
}
T, M = sums.TIMES, sums.MINUS


def line_problems(**members: Any) -> list[Problem]:
    numbers = line_numbers({**LINE, **members}, "order_lines[3]", fractions=True)
    return list(sums.line_problems(numbers))


@pytest.mark.parametrize(
    "members",
    [{}, {"total_tax_amount": 4546}, {"total_tax_amount": 4544.5}, {"total_amount": 50002}, {"total_amount": 49998}],
)
def test_a_line_within_the_tolerances_has_no_problem(members: dict[str, Any]) -> None:
    assert line_problems(**members) == []


@pytest.mark.parametrize(
    ("members", "path", "rule", "expected", "formula"),
    [
        (
            {"total_tax_amount": 5000},
            "total_tax_amount",
            "line_tax",
            "4545 (4545 to 4546)",
            f"50000 {M} 50000{T}10000/(10000+1000) = 4545.45",
        ),
        (
            {"total_tax_amount": 4544},
            "total_tax_amount",
            "line_tax",
            "4545 (4545 to 4546)",
            f"50000 {M} 50000{T}10000/(10000+1000) = 4545.45",
        ),
        (
            {"tax_rate": 25, "total_tax_amount": 10000},
            "total_tax_amount",
            "line_tax",
            "125 (124 to 125); tax_rate 25 means 0.25 %, 25 % is 2500",
            f"50000 {M} 50000{T}10000/(10000+25) = 124.69",
        ),
        (
            {"tax_rate": 5.5, "total_tax_amount": 2607},
            "total_tax_amount",
            "line_tax",
            "27 (27 to 28); tax_rate 5.5 means 0.055 %, 5.5 % is 550",
            f"50000 {M} 50000{T}10000/(10000+5.50) = 27.48",
        ),
        ({"total_amount": 50003}, "total_amount", "line_total", "50000 (49998 to 50002)", f"2{T}25000 {M} 0 = 50000"),
        (
            {"total_discount_amount": 500},
            "total_amount",
            "line_total",
            "49500 (49498 to 49502)",
            f"2{T}25000 {M} 500 = 49500",
        ),
        ({"quantity": 0}, "total_amount", "line_total", "0", f"0{T}25000 {M} 0 = 0"),
    ],
)
def test_the_problem_of_a_line_has_the_expected_value_and_the_formula(
    members: dict[str, Any], path: str, rule: str, expected: str, formula: str
) -> None:
    (problem,) = line_problems(**members)
    assert problem.path == f"order_lines[3].{path}"
    assert (problem.rule, problem.expected, problem.formula) == (rule, expected, formula)
    assert problem.value == {**LINE, **members}[path]


@pytest.mark.parametrize("kind", ["discount", "gift_card", "store_credit"])
def test_a_line_that_takes_money_off_is_negative(kind: str) -> None:
    assert [(fault.path, fault.expected.split(":")[0]) for fault in line_problems(type=kind)] == [
        ("order_lines[3].unit_price", "-25000"),
        ("order_lines[3].total_amount", "-50000"),
        ("order_lines[3].total_tax_amount", "-4545"),
    ]
    assert line_problems(type=kind, unit_price=-25000, total_amount=-50000, total_tax_amount=-4545) == []


def test_a_discount_line_has_no_discount_of_its_own() -> None:
    (problem,) = line_problems(
        type="discount", unit_price=-25000, total_amount=-50500, total_tax_amount=-4591, total_discount_amount=500
    )
    assert (problem.path, problem.rule) == ("order_lines[3].total_discount_amount", "line_sign")


@pytest.mark.parametrize(
    "members",
    [
        {"quantity": "2"},
        {"unit_price": None},
        {"tax_rate": -10000},
        {"total_amount": True},
        {"total_tax_amount": 1e300},
        {"quantity": -1},
        {"total_amount": float("nan")},
        {"total_discount_amount": []},
        {"total_discount_amount": -5},
    ],
    ids=str,
)
def test_an_unusable_number_causes_no_problem_of_a_sum(members: dict[str, Any]) -> None:
    assert not line_numbers({**LINE, **members}, "line", fractions=True).is_complete
    assert line_problems(**members) == []


@pytest.mark.parametrize(
    ("unusable", "paths"),
    [
        ({"quantity": -1}, ["total_tax_amount"]),
        ({"unit_price": "x"}, ["total_tax_amount"]),
        ({"total_discount_amount": -5}, ["total_tax_amount"]),
        ({"total_amount": None}, ["total_tax_amount"]),
        ({"tax_rate": None}, []),
    ],
    ids=str,
)
def test_the_other_numbers_of_a_line_are_still_checked(unusable: dict[str, Any], paths: list[str]) -> None:
    problems = line_problems(**unusable, total_tax_amount=5000)
    assert [problem.path.rpartition(".")[2] for problem in problems] == paths
    assert [problem.expected for problem in problems] == ["4545 (4545 to 4546)"] * len(paths)


def test_a_refused_number_is_not_summed() -> None:
    refused = {"line.unit_price"}
    numbers = line_numbers({**LINE, "unit_price": 100000001}, "line", refused=refused)
    assert list(sums.line_problems(numbers)) == []


def test_an_order_is_summed_with_the_expected_value_of_a_missing_number() -> None:
    numbers = line_numbers({**LINE, "total_amount": None, "total_tax_amount": None}, "line")
    amounts = {"order_amount": 50000, "order_tax_amount": 4546}
    assert list(sums.order_problems(amounts, [numbers])) == []
    problems = sums.order_problems({"order_amount": 1, "order_tax_amount": 4547}, [numbers])
    assert [(problem.path, problem.expected) for problem in problems] == [
        ("order_amount", "50000"),
        ("order_tax_amount", "4545"),
    ]


@pytest.mark.parametrize("fractions", [True, False])
def test_fractions_are_usable_where_they_are_allowed(fractions: bool) -> None:
    assert line_numbers({**LINE, "unit_price": 0.5}, "line", fractions=fractions).is_complete == fractions
    assert line_numbers({**LINE, "unit_price": 25000.0}, "line", fractions=fractions).is_complete


def test_a_variation_needs_no_quantity_and_no_total() -> None:
    item = {"unit_price": 19900, "tax_rate": 2500, "total_tax_amount": 3970}
    numbers = line_numbers(item, "items[0]", is_item=True)
    assert [problem.expected for problem in sums.line_problems(numbers)] == ["3980 (3979 to 3981)"]


def test_the_tax_of_a_shipping_option_is_named_as_the_option_names_it() -> None:
    numbers = option_numbers({"price": 5000, "tax_rate": 1000, "tax_amount": 2500}, "shipping_options[0]")
    (problem,) = sums.line_problems(numbers)
    assert (problem.path, problem.expected) == ("shipping_options[0].tax_amount", "455 (454 to 455)")


@pytest.mark.parametrize(
    ("order", "faults"),
    [
        ({"order_amount": 100000, "order_tax_amount": 9090}, []),
        ({"order_amount": 100001, "order_tax_amount": 9090}, [("order_amount", "100000", "50000 + 50000 = 100000")]),
        ({"order_amount": 100000, "order_tax_amount": 9091}, [("order_tax_amount", "9090", "4545 + 4545 = 9090")]),
        ({"order_amount": "100000", "order_tax_amount": None}, []),
    ],
)
def test_the_amounts_of_an_order_are_the_sums_of_its_lines(
    order: dict[str, Any], faults: list[tuple[str, str, str]]
) -> None:
    numbers = line_numbers(LINE, "line")
    problems = sums.order_problems(order, [numbers, numbers])
    assert [(problem.path, problem.expected, problem.formula) for problem in problems] == faults


def test_us_sales_tax_is_a_line_of_its_own() -> None:
    lines: list[dict[str, Any]] = [
        {"quantity": 1, "unit_price": 11900, "tax_rate": 0, "total_amount": 11900, "total_tax_amount": 0}
    ]
    lines.append(
        {
            "type": "sales_tax",
            "quantity": 1,
            "unit_price": 1047,
            "tax_rate": 0,
            "total_amount": 1047,
            "total_tax_amount": 0,
        }
    )
    known = [line_numbers(line, "line") for line in lines]
    assert list(sums.order_problems({"order_amount": 12947, "order_tax_amount": 1047}, known)) == []
    assert [problem.expected for problem in sums.order_problems({"order_tax_amount": 0}, known)] == ["1047"]


def test_a_wrong_line_total_causes_one_problem() -> None:
    numbers = line_numbers({**LINE, "total_amount": 5000}, "line")
    assert [problem.rule for problem in sums.line_problems(numbers)] == ["line_total"]
    assert list(sums.order_problems({"order_amount": 50000, "order_tax_amount": 4545}, [numbers])) == []


def test_the_formula_of_a_long_order_is_cut() -> None:
    numbers = line_numbers(LINE, "line")
    (problem,) = sums.order_problems({"order_amount": 1}, [numbers] * 1000)
    assert problem.formula.endswith("50000 + … (1000 lines) = 50000000")
    assert len(problem.formula) < 200
