"""The numbers of a line, a variation or a shipping option: read as exactly as they came, and what they should have been."""

from collections.abc import Container, Mapping
from fractions import Fraction
from typing import Any, TypeGuard

from mock_klarna.domain import money
from mock_klarna.domain.facts import replace, value

_LARGEST = 2**63
_NOT_NEGATIVE = frozenset({"quantity", "total_discount_amount", "tax_rate"})


@value
class Numbers:
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
    def is_whole(self) -> bool:
        """Whether every number is there."""
        given = (self.quantity, self.unit_price, self.discount, self.tax_rate, self.total, self.tax)
        return all(number is not None for number in given)

    @property
    def formula(self) -> Fraction | None:
        """What rule 1 gives for the total, or None where one of its numbers is not there."""
        if self.quantity is None or self.unit_price is None or self.discount is None:
            return None
        return money.exact_line_total(self.quantity, self.unit_price, self.discount)

    @property
    def total_is_wrong(self) -> bool:
        """Whether the total breaks rule 1; what cannot be judged is not wrong."""
        formula = self.formula
        if formula is None or self.quantity is None or self.total is None:
            return False
        return abs(formula - self.total) > self.quantity

    @property
    def right_total(self) -> Fraction | None:
        """The total as sent where it obeys rule 1, else what the formula gives."""
        total = self.formula if self.total is None or self.total_is_wrong else self.total
        return -abs(total) if total is not None and self.type in money.NEGATIVE_TYPES else total

    @property
    def right_tax(self) -> Fraction | None:
        """The tax as sent where it obeys rule 2, else the nearest integer to what the formula gives."""
        formula = self.tax_of(self.right_total)
        if formula is None or (self.tax is not None and abs(formula - self.tax) <= 1):
            return self.tax
        return Fraction(money.nearest(formula))

    def tax_of(self, total: Fraction | None) -> Fraction | None:
        """Return what rule 2 gives for the tax inside a total."""
        return None if total is None or self.tax_rate is None else money.exact_line_tax(total, self.tax_rate)


def is_usable(value: object, *, fractions: bool) -> TypeGuard[int | float]:
    """Tell whether a value is a number that sums can be made with: not a bool, finite, of at most 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return False
    return fractions or isinstance(value, int) or value.is_integer()


def line_numbers(
    line: Mapping[str, Any], path: str, *, fractions: bool = False, refused: Container[str] = (), is_item: bool = False
) -> Numbers:
    """Return the numbers of an order line, or of a variation, which has one piece and may leave out its total (protocol 3.5).

    `refused` are the paths of members that are wrong by themselves, so that nothing is to be worked out from them.
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
    carrier: Mapping[str, Any], name: str, path: str, fractions: bool, refused: Container[str]
) -> Fraction | None:
    sent = carrier.get(name)
    if not is_usable(sent, fractions=fractions) or f"{path}.{name}" in refused:
        return None
    return None if name in _NOT_NEGATIVE and sent < 0 else Fraction(sent)
