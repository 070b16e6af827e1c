"""Klarna's arithmetic of order lines (klarna.md §10), exact: integers in minor units, tax rates in percent * 100.

A page may send fractions, so every function takes floats too and works on their exact value.
"""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

Number = int | float | Fraction
"""An amount in minor units, a rate in percent * 100, or a quantity."""

SALES_TAX = "sales_tax"
NEGATIVE_TYPES = frozenset({"discount", "gift_card", "store_credit"})
"""Types of line whose amounts take money off the order (klarna.md §10, rule 4)."""

FULL = 10000
"""100 % as a tax rate."""


def exact(number: Number) -> Fraction:
    """Return the exact value of a number; a float stands for the binary value that it has."""
    return Fraction(number)


def nearest(value: Number) -> int:
    """Return the nearest integer, the one farther from zero at a half."""
    rounded = math.floor(abs(exact(value)) + Fraction(1, 2))
    return rounded if value >= 0 else -rounded


def exact_line_total(quantity: Number, unit_price: Number, total_discount_amount: Number = 0) -> Fraction:
    """Return quantity * unit_price - total_discount_amount, without rounding."""
    return exact(quantity) * exact(unit_price) - exact(total_discount_amount)


def line_total(quantity: Number, unit_price: Number, total_discount_amount: Number = 0) -> int:
    """Return the `total_amount` of a line: quantity * unit_price - total_discount_amount (klarna.md §10, rule 1)."""
    return nearest(exact_line_total(quantity, unit_price, total_discount_amount))


def exact_line_tax(total_amount: Number, tax_rate: Number) -> Fraction:
    """Return the tax inside an amount, without rounding; `tax_rate` must not be negative."""
    total, rate = exact(total_amount), exact(tax_rate)
    return total * rate / (FULL + rate)


def line_tax(total_amount: Number, tax_rate: Number) -> int:
    """Return the `total_tax_amount` of a line: total - total * 10000 / (10000 + tax_rate) (klarna.md §10, rule 2)."""
    return nearest(exact_line_tax(total_amount, tax_rate))


def order_amount(lines: Iterable[Mapping[str, Any]]) -> int:
    """Return the sum of the lines' `total_amount`; tax is inside it (klarna.md §10)."""
    return sum(line["total_amount"] for line in lines)


def order_tax_amount(lines: Iterable[Mapping[str, Any]]) -> int:
    """Return the sum of the lines' tax; a `sales_tax` line is tax as a whole (klarna.md §10, US style)."""
    return sum(tax_of(line) for line in lines)


def tax_of(line: Mapping[str, Any]) -> Any:
    """Return what one line adds to `order_tax_amount`."""
    tax = line["total_tax_amount"]
    return tax + line["total_amount"] if line.get("type") == SALES_TAX else tax


def shipping_line(option: Mapping[str, Any]) -> dict[str, Any]:
    """Return the order line that a chosen shipping option becomes (klarna.md §4.1, klarna.md C-3)."""
    return {
        "type": "shipping_fee",
        "reference": option["id"],
        "name": option["name"],
        "quantity": 1,
        "unit_price": option["price"],
        "tax_rate": option["tax_rate"],
        "total_amount": option["price"],
        "total_tax_amount": option["tax_amount"],
        "product_attributes": [],
    }


def adds_up(order: Mapping[str, Any]) -> bool:
    """Return quickly whether an order that fits its schema has integers only and obeys every rule of klarna.md §10.

    False means that `sums.order_problems` has to say what is wrong, if anything is.
    """
    amount = tax = 0
    for line in order["order_lines"]:
        if not is_plain_line(line):
            return False
        amount += line["total_amount"]
        tax += tax_of(line)
    return _all_int(order["order_amount"] + order["order_tax_amount"]) and (
        amount == order["order_amount"] and tax == order["order_tax_amount"]
    )


def is_plain_line(line: Mapping[str, Any]) -> bool:
    """Return quickly whether a line that fits its schema has integers only and obeys klarna.md §10, rules 1, 2 and 4."""
    quantity, price, total = line["quantity"], line["unit_price"], line["total_amount"]
    rate, tax, discount = line["tax_rate"], line["total_tax_amount"], line.get("total_discount_amount", 0)
    if not _all_int(quantity + price + total + rate + tax + discount):
        return False
    if line.get("type") in NEGATIVE_TYPES and (price > 0 or total > 0 or tax > 0 or discount):
        return False
    return abs(quantity * price - discount - total) <= quantity and is_plain_tax(total, rate, tax)


def is_plain_tax(total: int, rate: int, tax: int) -> bool:
    """Return whether tax lies within ± 1 of the tax inside `total`, in integers alone (klarna.md §10, rule 2)."""
    return abs(tax * (FULL + rate) - total * rate) <= FULL + rate


def _all_int(total: Any) -> bool:
    """Return whether a sum has no float among its terms: one float makes the sum a float."""
    return type(total) is int


def rounded_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order line or a variation of usable numbers with integers only."""
    rounded = {**line, **_rounded(line, ("unit_price", "tax_rate", "total_discount_amount"))}
    quantity = line.get("quantity", 1)
    total = exact_line_total(quantity, rounded["unit_price"], rounded.get("total_discount_amount", 0))
    if "total_amount" in line:
        rounded["total_amount"] = _neighbour(line["total_amount"], total, exact(quantity))
        total = Fraction(rounded["total_amount"])
    return rounded | {"total_tax_amount": _rounded_tax(line["total_tax_amount"], total, rounded["tax_rate"])}


def rounded_option(option: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shipping option of usable numbers with integers only."""
    rounded = {**option, **_rounded(option, ("price", "tax_rate"))}
    return rounded | {"tax_amount": _rounded_tax(option["tax_amount"], Fraction(rounded["price"]), rounded["tax_rate"])}


_AMOUNTS = (
    *("unit_price", "tax_rate", "total_discount_amount", "total_amount", "total_tax_amount"),
    *("price", "tax_amount"),
)


def rounded_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line, a variation or an option whose sums are wrong, with each number rounded by itself."""
    return {**entry, **_rounded(entry, _AMOUNTS)}


def _rounded(numbers: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    return {name: nearest(numbers[name]) for name in names if name in numbers}


def _rounded_tax(sent: float, total: Fraction, rate: int) -> int:
    return _neighbour(sent, exact_line_tax(total, rate), Fraction(1))


def _neighbour(sent: float, formula: Fraction, tolerance: Fraction) -> int:
    low, high = math.ceil(formula - tolerance), math.floor(formula + tolerance)
    nearer = min((math.floor(sent), math.ceil(sent)), key=lambda number: abs(number - formula))
    return min(max(nearer, low), high)
