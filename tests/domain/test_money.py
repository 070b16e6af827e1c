"""The arithmetic of order lines."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_klarna.domain import money, sums
from mock_klarna.domain.sums import line_numbers

AMOUNT = st.integers(-100000000, 100000000)
OPTION = {"id": "express_priority", "name": "Express 1-2 days", "price": 5000, "tax_amount": 1000, "tax_rate": 2500}


def test_the_worked_examples_of_the_arithmetic_hold() -> None:
    for total, rate, tax in (
        (119000, 2500, 23800),
        (5000, 2500, 1000),
        (50000, 1000, 4545),
        (6000, 2500, 1200),
        (4000, 2500, 800),
        (9290, 1900, 1483),
        (59500, 2500, 11900),
        (-4000, 2500, -800),
        (1000, 0, 0),
        (0, 2500, 0),
        (1, 10000, 1),
        (-1, 10000, -1),
        (100.5, 0, 0),
    ):
        assert money.line_tax(total, rate) == tax, (total, rate)


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "total"),
    [
        (1, 119000, 0, 119000),
        (1, 5000, 1000, 4000),
        (3, 3333, 0, 9999),
        (0, 100, 0, 0),
        (2, -500, 0, -1000),
        (3, 33.3, 0, 100),
        (2, 0.25, 0, 1),
    ],
)
def test_the_total_of_a_line_is_quantity_times_price_minus_discount(
    quantity: float, price: float, discount: float, total: int
) -> None:
    assert money.line_total(quantity, price, discount) == total


def test_the_tax_inside_an_amount_is_exact() -> None:
    assert money.exact_line_tax(50000, 1000) == Fraction(50000, 11)


@given(total=AMOUNT, rate=st.integers(0, 100000))
def test_the_integer_tax_is_always_tolerated(total: int, rate: int) -> None:
    assert money.is_plain_tax(total, rate, money.line_tax(total, rate))


def test_a_shipping_option_becomes_the_line_that_klarna_emits() -> None:
    """klarna.md C-3: reference is the option's id, name its name."""
    line = money.shipping_line(OPTION)
    assert line == {
        "type": "shipping_fee",
        "reference": "express_priority",
        "name": "Express 1-2 days",
        "quantity": 1,
        "unit_price": 5000,
        "tax_rate": 2500,
        "total_amount": 5000,
        "total_tax_amount": 1000,
        "product_attributes": [],
    }
    assert money.is_plain_line(line)


@pytest.mark.parametrize(
    ("lines", "amount", "tax"),
    [
        ([], 0, 0),
        (
            [{"total_amount": 119000, "total_tax_amount": 23800}, {"total_amount": 5000, "total_tax_amount": 1000}],
            124000,
            24800,
        ),
        (
            [
                {"total_amount": 1000, "total_tax_amount": 0},
                {"type": "sales_tax", "total_amount": 88, "total_tax_amount": 0},
            ],
            1088,
            88,
        ),
        (
            [
                {"total_amount": 5000, "total_tax_amount": 1000},
                {"type": "discount", "total_amount": -500, "total_tax_amount": -100},
            ],
            4500,
            900,
        ),
    ],
)
def test_an_order_is_the_sum_of_its_lines(lines: list[dict[str, Any]], amount: int, tax: int) -> None:
    assert (money.order_amount(lines), money.order_tax_amount(lines)) == (amount, tax)


near_lines = st.builds(
    lambda quantity, price, discount, rate, kind, off, tax_off: {
        "type": kind,
        "quantity": quantity,
        "unit_price": price,
        "total_discount_amount": discount,
        "tax_rate": rate,
        "total_amount": quantity * price - discount + off,
        "total_tax_amount": money.line_tax(quantity * price - discount + off, rate) + tax_off,
    },
    st.integers(0, 5),
    st.integers(-1000, 100000),
    st.integers(0, 50),
    st.sampled_from([0, 600, 1000, 1900, 2500]),
    st.sampled_from(["physical", "discount", "sales_tax", "gift_card"]),
    st.integers(-6, 6),
    st.integers(-3, 3),
)


@given(line=near_lines)
def test_the_quick_verdict_on_a_line_is_that_of_the_explanation(line: dict[str, Any]) -> None:
    numbers = line_numbers(line, "line")
    assert money.is_plain_line(line) == (list(sums.line_problems(numbers)) == [])


@given(lines=st.lists(near_lines, max_size=4), off=st.sampled_from([0, 0, 1, -1]), tax_off=st.sampled_from([0, 0, 1]))
def test_the_quick_verdict_on_an_order_is_that_of_the_explanation(
    lines: list[dict[str, Any]], off: int, tax_off: int
) -> None:
    amounts = {
        "order_amount": money.order_amount(lines) + off,
        "order_tax_amount": money.order_tax_amount(lines) + tax_off,
    }
    known = [line_numbers(line, "line") for line in lines]
    faults = [*(fault for line in known for fault in sums.line_problems(line)), *sums.order_problems(amounts, known)]
    assert money.adds_up({**amounts, "order_lines": lines}) == (faults == [])


@pytest.mark.parametrize("member", ["quantity", "unit_price", "tax_rate", "total_amount", "total_tax_amount"])
def test_a_float_is_looked_at_more_closely(member: str) -> None:
    line = money.shipping_line(OPTION)
    assert not money.is_plain_line({**line, member: float(line[member])})


LINE = {"quantity": 2, "unit_price": 25000, "tax_rate": 1000, "total_amount": 50000, "total_tax_amount": 4545}


@st.composite
def lines_with_fractions(draw: st.DrawFn) -> dict[str, Any]:
    cents = st.floats(0, 1, exclude_max=True)
    quantity, rate = draw(st.integers(0, 9)), draw(st.sampled_from([0, 600, 1000, 1900, 2500]))
    price, discount = draw(st.integers(0, 1000000)) + draw(cents), draw(st.integers(0, 100)) + draw(cents)
    total = float(money.exact_line_total(quantity, price, discount)) + draw(st.floats(-9, 9))
    tax = float(money.exact_line_tax(total, rate)) + draw(st.floats(-1, 1))
    numbers = {"quantity": quantity, "unit_price": price, "total_discount_amount": discount, "tax_rate": float(rate)}
    return {**numbers, "total_amount": total, "total_tax_amount": tax}


@given(line=lines_with_fractions())
def test_a_line_that_obeys_the_rules_with_fractions_obeys_them_rounded(line: dict[str, Any]) -> None:
    numbers = line_numbers(line, "line", fractions=True)
    obeyed = not list(sums.line_problems(numbers))
    assert not obeyed or money.is_plain_line(money.rounded_line(line))


@pytest.mark.parametrize(("sent", "stored"), [(4545.9, 4545), (4544.6, 4545), (4545.2, 4545), (4546, 4546)])
def test_a_fraction_is_rounded_towards_the_formula(sent: float, stored: int) -> None:
    rounded = money.rounded_line({**LINE, "total_tax_amount": sent})
    assert rounded == {**LINE, "total_tax_amount": stored}


def test_a_shipping_option_is_rounded_too() -> None:
    option = money.rounded_option({"id": "x", "price": 4900.4, "tax_rate": 2500.0, "tax_amount": 980.08})
    assert repr(option) == repr({"id": "x", "price": 4900, "tax_rate": 2500, "tax_amount": 980})
