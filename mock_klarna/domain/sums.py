"""Checks that the numbers of lines, variations, shipping options and orders add up (klarna.md §10).

Numbers are checked as sent. A page may send fractions, a REST body may not. One wrong number makes one problem: a sum
is accepted if it fits the value as sent, or the value that would be expected.
"""

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from fractions import Fraction
from operator import attrgetter
from typing import Any, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain import money
from mock_klarna.errors import Problem

_LARGEST = 2**63
_NOT_NEGATIVE = frozenset({"quantity", "total_discount_amount", "tax_rate"})


class Numbers(Struct, frozen=True, gc=False):
    """The numbers of one line, all exact, None for one that is missing or unusable; `path` is where the line stands."""

    path: str
    type: str
    quantity: Fraction | None
    unit_price: Fraction | None
    discount: Fraction | None
    tax_rate: Fraction | None
    total: Fraction | None
    tax: Fraction | None
    names: tuple[str, str] = ("total_amount", "total_tax_amount")

    @property
    def is_complete(self) -> bool:
        """Whether no number is missing."""
        given = (self.quantity, self.unit_price, self.discount, self.tax_rate, self.total, self.tax)
        return all(number is not None for number in given)

    @property
    def formula(self) -> Fraction | None:
        """The total by rule 1, or None where one of its numbers is missing."""
        if self.quantity is None or self.unit_price is None or self.discount is None:
            return None
        return money.exact_line_total(self.quantity, self.unit_price, self.discount)

    @property
    def total_is_wrong(self) -> bool:
        """Whether the total breaks rule 1; a total that cannot be checked is not wrong."""
        formula = self.formula
        if formula is None or self.quantity is None or self.total is None:
            return False
        return abs(formula - self.total) > self.quantity

    @property
    def expected_total(self) -> Fraction | None:
        """The total as sent where it obeys rule 1, else that of the formula."""
        total = self.formula if self.total is None or self.total_is_wrong else self.total
        return -abs(total) if total is not None and self.type in money.NEGATIVE_TYPES else total

    @property
    def expected_tax(self) -> Fraction | None:
        """The tax as sent where it obeys rule 2, else the nearest integer to that of the formula."""
        formula = self.tax_of(self.expected_total)
        if formula is None or (self.tax is not None and abs(formula - self.tax) <= 1):
            return self.tax
        return Fraction(money.nearest(formula))

    def tax_of(self, total: Fraction | None) -> Fraction | None:
        """Return the tax inside a total by rule 2."""
        return None if total is None or self.tax_rate is None else money.exact_line_tax(total, self.tax_rate)


def is_usable(value: object, *, fractions: bool) -> TypeGuard[int | float]:
    """Return whether a value can be part of a sum: a number, not a bool, finite, of at most 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return False
    return fractions or isinstance(value, int) or value.is_integer()


def line_numbers(
    line: Mapping[str, Any], path: str, *, fractions: bool = False, refused: Container[str] = (), is_item: bool = False
) -> Numbers:
    """Return the numbers of an order line, or of a variation, which has one piece and may leave out its total (klarna.md §3.5).

    `refused` are the paths of members that are invalid themselves; no sum uses them.
    """

    def number(name: str, missing: Fraction | None = None) -> Fraction | None:
        return _number(line, name, path, fractions, refused) if name in line else missing

    numbers = Numbers(
        path,
        str(line.get("type", "")),
        number("quantity", Fraction(1) if is_item else None),
        number("unit_price"),
        number("total_discount_amount", Fraction(0)),
        number("tax_rate"),
        number("total_amount"),
        number("total_tax_amount"),
    )
    return replace(numbers, total=numbers.formula) if is_item and "total_amount" not in line else numbers


def option_numbers(
    option: Mapping[str, Any], path: str, *, fractions: bool = False, refused: Container[str] = ()
) -> Numbers:
    """Return a shipping option's numbers as those of the line it becomes."""
    given = (_number(option, name, path, fractions, refused) for name in ("price", "tax_rate", "tax_amount"))
    price, rate, tax = given
    names = ("price", "tax_amount")
    return Numbers(path, "shipping_fee", Fraction(1), price, Fraction(0), rate, price, tax, names)


def _number(
    members: Mapping[str, Any], name: str, path: str, fractions: bool, refused: Container[str]
) -> Fraction | None:
    sent = members.get(name)
    if not is_usable(sent, fractions=fractions) or f"{path}.{name}" in refused:
        return None
    return None if name in _NOT_NEGATIVE and sent < 0 else Fraction(sent)


MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
LINE_RULES = frozenset({"line_total", "line_tax", "line_sign"})
ORDER_RULES = frozenset({"order_amount", "order_tax_amount"})
_MAX_TERMS = 12
_HIGHEST_PERCENT = 100


def line_problems(line: Numbers) -> Iterator[Problem]:
    """Yield what breaks rules 1, 2 and 4 of klarna.md §10 in one line, as far as its numbers are known."""
    yield from _sign_problems(line)
    if line.total_is_wrong:
        yield from _total_problem(line)
    taxes = [line.tax_of(total) for total in (line.expected_total, line.total)]
    known = [tax for tax in taxes if tax is not None]
    if known and line.tax is not None and all(abs(tax - line.tax) > 1 for tax in known):
        yield _tax_problem(line, line.tax, known[0])


def _sign_problems(line: Numbers) -> Iterator[Problem]:
    if line.type not in money.NEGATIVE_TYPES:
        return
    amounts = {"unit_price": line.unit_price, "total_amount": line.total, "total_tax_amount": line.tax}
    for name, amount in amounts.items():
        if amount is not None and amount > 0:
            expected = f"{_nearest(-amount)}: zero or negative on a line of type {line.type}"
            yield Problem(f"{line.path}.{name}", "line_sign", _plain(amount), expected)
    if line.discount:
        expected = f"0: a line of type {line.type} is itself the discount"
        yield Problem(f"{line.path}.total_discount_amount", "line_sign", _plain(line.discount), expected)


def _total_problem(line: Numbers) -> Iterator[Problem]:
    quantity, price, discount, formula = line.quantity, line.unit_price, line.discount, line.formula
    if quantity is None or price is None or discount is None or formula is None or line.total is None:
        return
    words = f"{_text(quantity)}{TIMES}{_text(price)} {MINUS} {_text(discount)} = {_text(formula)}"
    path, expected = f"{line.path}.{line.names[0]}", _range(formula, quantity)
    yield Problem(path, "line_total", _plain(line.total), expected, words)


def _tax_problem(line: Numbers, sent: Fraction, formula: Fraction) -> Problem:
    total, rate = _text(line.expected_total or Fraction(0)), _text(line.tax_rate or Fraction(0))
    words = f"{total} {MINUS} {total}{TIMES}{money.FULL}/({money.FULL}+{rate}) = {_text(formula)}"
    expected = _range(formula, Fraction(1)) + _rate_advice(line.tax_rate)
    return Problem(f"{line.path}.{line.names[1]}", "line_tax", _plain(sent), expected, words)


def _rate_advice(rate: Fraction | None) -> str:
    """Return what a tax rate means that is probably given in percent instead of percent * 100."""
    if rate is None or not 1 <= rate <= _HIGHEST_PERCENT:
        return ""
    percent = float(rate)
    return f"; tax_rate {percent:g} means {percent / 100:g} %, {percent:g} % is {percent * 100:g}"


def order_problems(
    order: Mapping[str, Any],
    lines: Iterable[Numbers],
    prefix: str = "",
    refused: Container[str] = (),
    *,
    is_tolerant: bool = False,
    has_tax: bool = True,
) -> Iterator[Problem]:
    """Yield where `order_amount` and `order_tax_amount` differ from the sums of the lines, as far as the lines are known.

    `is_tolerant`: they may differ by one for each line. `has_tax`: whether the lines have tax; without, that sum is not checked.
    """
    every = list(lines)
    tolerance = len(every) if is_tolerant else 0
    for name, as_sent, expected in _ADDENDS:
        sent = order.get(name)
        if name == "order_tax_amount" and not has_tax:
            continue
        if not is_usable(sent, fractions=False) or f"{prefix}{name}" in refused:
            continue
        terms = [term for term in map(expected, every) if term is not None]
        if len(terms) == len(every):
            yield from _sum_problem(f"{prefix}{name}", name, sent, terms, [as_sent(line) for line in every], tolerance)


def _sum_problem(
    path: str, rule: str, sent: float, terms: list[Fraction], as_sent: list[Fraction | None], tolerance: int
) -> Iterator[Problem]:
    """Yield the problem of a sum that fits neither the lines as sent nor as expected.

    A computed number may differ from the intended one as far as the rules of a line allow.
    """
    given = [term for term in as_sent if term is not None]
    expected, is_guessed = sum(terms, Fraction(0)), len(given) < len(terms)
    adds_up = any(abs(sent - total) <= tolerance for total in (expected, sum(given, Fraction(0))))
    if not (abs(sent - expected) <= len(terms) if is_guessed else adds_up):
        right = _range(expected, Fraction(tolerance)) if tolerance else _text(expected)
        yield Problem(path, rule, sent, right, f"{_added(terms)} = {_text(expected)}")


def _tax(line: Numbers) -> Fraction | None:
    return _with_sales_tax(line, line.tax, line.total)


def _expected_tax(line: Numbers) -> Fraction | None:
    return _with_sales_tax(line, line.expected_tax, line.expected_total)


def _with_sales_tax(line: Numbers, tax: Fraction | None, total: Fraction | None) -> Fraction | None:
    """Return what a line adds to the order's tax: a `sales_tax` line is tax as a whole (klarna.md §10, US style)."""
    if line.type != money.SALES_TAX or tax is None:
        return tax
    return None if total is None else tax + total


_Addend = Callable[[Numbers], Fraction | None]
_ADDENDS: tuple[tuple[str, _Addend, _Addend], ...] = (
    ("order_amount", attrgetter("total"), attrgetter("expected_total")),
    ("order_tax_amount", _tax, _expected_tax),
)


def _added(terms: list[Fraction]) -> str:
    shown = [_text(term) for term in terms[:_MAX_TERMS]]
    rest = [f"… ({len(terms)} lines)"] if len(terms) > _MAX_TERMS else []
    return " + ".join(shown + rest).replace("+ -", f"{MINUS} ") or "0"


def _range(expected: Fraction, tolerance: Fraction) -> str:
    low, high = math.ceil(expected - tolerance), math.floor(expected + tolerance)
    return f"{_nearest(expected)} ({low} to {high})" if low < high else _nearest(expected)


def _nearest(amount: Fraction) -> str:
    return str(money.nearest(amount))


def _text(amount: Fraction) -> str:
    return str(amount) if amount == int(amount) else f"{float(amount):.2f}"


def _plain(amount: Fraction) -> int | float:
    return int(amount) if amount.denominator == 1 else float(amount)
