"""Whether the numbers of lines, variations, shipping options and whole orders add up (protocol 10).

Numbers are judged as sent. A page may send fractions, a REST body may not. One wrong number makes one problem: a sum
that holds for the value as sent, or for the value that would be right, is not held against the sender a second time.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from operator import attrgetter
from typing import Any, TypeGuard

from mock_klarna.domain import money
from mock_klarna.domain.facts import value
from mock_klarna.domain.problems import Problem

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
LINE_RULES = frozenset({"line_total", "line_tax", "line_sign"})
ORDER_RULES = frozenset({"order_amount", "order_tax_amount"})
_LARGEST = 2**63
_MOST_TERMS = 12


@value
class Numbers:
    """The numbers of one line, all exact; `path` is where the line stands."""

    path: str
    type: str
    quantity: Fraction
    unit_price: Fraction
    discount: Fraction
    tax_rate: Fraction
    total: Fraction
    tax: Fraction
    names: tuple[str, str] = ("total_amount", "total_tax_amount")

    @property
    def right_total(self) -> Fraction:
        """The total as sent where it obeys rule 1, else what the formula gives."""
        formula = money.exact_line_total(self.quantity, self.unit_price, self.discount)
        total = self.total if abs(formula - self.total) <= self.quantity else formula
        return -abs(total) if self.type in money.NEGATIVE_TYPES else total

    @property
    def right_tax(self) -> Fraction:
        """The tax as sent where it obeys rule 2, else the nearest integer to what the formula gives."""
        formula = money.exact_line_tax(self.right_total, self.tax_rate)
        return self.tax if abs(formula - self.tax) <= 1 else Fraction(money.nearest(formula))


def is_usable(value: object, *, fractions: bool) -> TypeGuard[int | float]:
    """Tell whether a value is a number that sums can be made with: not a bool, finite, of at most 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return False
    return fractions or isinstance(value, int) or value.is_integer()


def line_numbers(line: object, path: str, *, fractions: bool = False) -> Numbers | None:
    """Return the numbers of an order line or a variation, or None when one of them is missing or no number.

    A variation has no quantity, which counts as 1, and may leave out its total (protocol 3.5).
    """
    if not isinstance(line, Mapping):
        return None
    discount, total = line.get("total_discount_amount", 0), line.get("total_amount", 0)
    given = (line.get("quantity", 1), line.get("unit_price"), discount, line.get("tax_rate"), total)
    numbers = _exact((*given, line.get("total_tax_amount")), fractions=fractions)
    if numbers is None or numbers[0] < 0 or numbers[3] < 0:
        return None
    quantity, price, reduction, rate, amount, tax = numbers
    if "total_amount" not in line:
        amount = money.exact_line_total(quantity, price, reduction)
    return Numbers(path, str(line.get("type", "")), quantity, price, reduction, rate, amount, tax)


def option_numbers(option: object, path: str, *, fractions: bool = False) -> Numbers | None:
    """Return a shipping option's numbers as those of the line it becomes, or None when they are not usable."""
    if not isinstance(option, Mapping):
        return None
    given = (option.get("price"), option.get("tax_rate"), option.get("tax_amount"))
    numbers = _exact(given, fractions=fractions)
    if numbers is None or numbers[1] < 0:
        return None
    price, rate, tax = numbers
    names = ("price", "tax_amount")
    return Numbers(path, "shipping_fee", Fraction(1), price, Fraction(0), rate, price, tax, names)


def _exact(given: tuple[object, ...], *, fractions: bool) -> list[Fraction] | None:
    numbers = [Fraction(number) for number in given if is_usable(number, fractions=fractions)]
    return numbers if len(numbers) == len(given) else None


def line_problems(line: Numbers) -> Iterator[Problem]:
    """Yield what breaks rules 1, 2 and 4 of protocol 10 in one line."""
    yield from _sign_problems(line)
    formula = money.exact_line_total(line.quantity, line.unit_price, line.discount)
    if abs(formula - line.total) > line.quantity:
        yield _total_problem(line, formula)
    taxes = [money.exact_line_tax(total, line.tax_rate) for total in (line.right_total, line.total)]
    if all(abs(tax - line.tax) > 1 for tax in taxes):
        yield _tax_problem(line, taxes[0])


def _sign_problems(line: Numbers) -> Iterator[Problem]:
    if line.type not in money.NEGATIVE_TYPES:
        return
    amounts = {"unit_price": line.unit_price, "total_amount": line.total, "total_tax_amount": line.tax}
    for name, amount in amounts.items():
        if amount > 0:
            expected = f"{_nearest(-amount)}: zero or negative on a line of type {line.type}"
            yield Problem(f"{line.path}.{name}", "line_sign", _plain(amount), expected)
    if line.discount:
        expected = f"0: a line of type {line.type} is itself the discount"
        yield Problem(f"{line.path}.total_discount_amount", "line_sign", _plain(line.discount), expected)


def _total_problem(line: Numbers, formula: Fraction) -> Problem:
    words = f"{_text(line.quantity)}{TIMES}{_text(line.unit_price)} {MINUS} {_text(line.discount)} = {_text(formula)}"
    path, expected = f"{line.path}.{line.names[0]}", _range(formula, line.quantity)
    return Problem(path, "line_total", _plain(line.total), expected, words)


def _tax_problem(line: Numbers, formula: Fraction) -> Problem:
    total, rate = _text(line.right_total), _text(line.tax_rate)
    words = f"{total} {MINUS} {total}{TIMES}{money.FULL}/({money.FULL}+{rate}) = {_text(formula)}"
    return Problem(f"{line.path}.{line.names[1]}", "line_tax", _plain(line.tax), _range(formula, Fraction(1)), words)


def order_problems(order: Mapping[str, Any], lines: Iterable[Numbers], prefix: str = "") -> Iterator[Problem]:
    """Yield where `order_amount` and `order_tax_amount` differ from the sums of the lines."""
    every = list(lines)
    for name, as_sent, right in _ADDENDS:
        sent = order.get(name)
        if is_usable(sent, fractions=False) and sent != sum(map(as_sent, every), Fraction(0)):
            yield from _sum_problem(f"{prefix}{name}", name, sent, [right(line) for line in every])


def _sum_problem(path: str, rule: str, sent: float, terms: list[Fraction]) -> Iterator[Problem]:
    right = sum(terms, Fraction(0))
    if sent != right:
        yield Problem(path, rule, sent, _text(right), f"{_added(terms)} = {_text(right)}")


def _tax(line: Numbers) -> Fraction:
    return line.tax + line.total if line.type == money.SALES_TAX else line.tax


def _right_tax(line: Numbers) -> Fraction:
    return line.right_tax + line.right_total if line.type == money.SALES_TAX else line.right_tax


_ADDENDS: tuple[tuple[str, Callable[[Numbers], Fraction], Callable[[Numbers], Fraction]], ...] = (
    ("order_amount", attrgetter("total"), attrgetter("right_total")),
    ("order_tax_amount", _tax, _right_tax),
)


def _added(terms: list[Fraction]) -> str:
    shown = [_text(term) for term in terms[:_MOST_TERMS]]
    rest = [f"… ({len(terms)} lines)"] if len(terms) > _MOST_TERMS else []
    return " + ".join(shown + rest).replace("+ -", f"{MINUS} ") or "0"


def _range(right: Fraction, tolerance: Fraction) -> str:
    low, high = math.ceil(right - tolerance), math.floor(right + tolerance)
    return f"{_nearest(right)} ({low} to {high})" if low < high else _nearest(right)


def _nearest(amount: Fraction) -> str:
    return str(money.nearest(amount))


def _text(amount: Fraction) -> str:
    return str(amount) if amount == int(amount) else f"{float(amount):.2f}"


def _plain(amount: Fraction) -> int | float:
    return int(amount) if amount.denominator == 1 else float(amount)
