from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_klarna.domain import money, sums
from mock_klarna.domain import money as rounding
from mock_klarna.domain.sums import line_numbers

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
def test_what_obeyed_the_rules_with_fractions_obeys_them_rounded(line: dict[str, Any]) -> None:
    numbers = line_numbers(line, "line", fractions=True)
    obeyed = not list(sums.line_problems(numbers))
    assert not obeyed or money.is_plain_line(rounding.whole_line(line))


@pytest.mark.parametrize(("sent", "stored"), [(4545.9, 4545), (4544.6, 4545), (4545.2, 4545), (4546, 4546)])
def test_a_fraction_goes_to_the_neighbour_that_is_nearer_to_the_formula(sent: float, stored: int) -> None:
    whole = rounding.whole_line({**LINE, "total_tax_amount": sent})
    assert whole == {**LINE, "total_tax_amount": stored}


def test_a_shipping_option_is_rounded_too() -> None:
    option = rounding.whole_option({"id": "x", "price": 4900.4, "tax_rate": 2500.0, "tax_amount": 980.08})
    assert repr(option) == repr({"id": "x", "price": 4900, "tax_rate": 2500, "tax_amount": 980})
