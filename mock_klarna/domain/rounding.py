"""How the fractions that a page may send become the integers that every order holds (protocol 6.3, 10).

Each number goes to the neighbouring integer that is nearer to what the formula gives, so a line that obeyed the rules
with its fractions obeys them with its integers.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mock_klarna.domain import money


def whole_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order line or a variation of usable numbers with integers only."""
    whole = {**line, **_rounded(line, ("unit_price", "tax_rate", "total_discount_amount"))}
    quantity = line.get("quantity", 1)
    total = money.exact_line_total(quantity, whole["unit_price"], whole.get("total_discount_amount", 0))
    if "total_amount" in line:
        whole["total_amount"] = _neighbour(line["total_amount"], total, money.exact(quantity))
        total = Fraction(whole["total_amount"])
    return whole | {"total_tax_amount": _whole_tax(line["total_tax_amount"], total, whole["tax_rate"])}


def whole_option(option: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shipping option of usable numbers with integers only."""
    whole = {**option, **_rounded(option, ("price", "tax_rate"))}
    return whole | {"tax_amount": _whole_tax(option["tax_amount"], Fraction(whole["price"]), whole["tax_rate"])}


_AMOUNTS = (
    *("unit_price", "tax_rate", "total_discount_amount", "total_amount", "total_tax_amount"),
    *("price", "tax_amount"),
)


def each_whole(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line, a variation or an option whose sums do not hold, each number as near to what was sent as can be."""
    return {**entry, **_rounded(entry, _AMOUNTS)}


def _rounded(numbers: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    return {name: money.nearest(numbers[name]) for name in names if name in numbers}


def _whole_tax(sent: float, total: Fraction, rate: int) -> int:
    return _neighbour(sent, money.exact_line_tax(total, rate), Fraction(1))


def _neighbour(sent: float, formula: Fraction, tolerance: Fraction) -> int:
    low, high = math.ceil(formula - tolerance), math.floor(formula + tolerance)
    nearer = min((math.floor(sent), math.ceil(sent)), key=lambda number: abs(number - formula))
    return min(max(nearer, low), high)
