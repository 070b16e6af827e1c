"""Checks that a schema cannot make: that the amounts of lines and orders add up."""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from mock_klarna.domain import money, sums
from mock_klarna.domain.sums import Numbers, line_numbers, option_numbers
from mock_klarna.errors import Problem


@dataclass(frozen=True, slots=True)
class Sums:
    """Where a body has amounts.

    within: the member that has the lines; "" is the body itself. fractions: whether amounts may be fractions.
    is_order: whether the lines are those of a complete order. tax_optional: lines may come without tax, and the tax of an order
    with such a line is not summed (klarna.md §9.5).
    """

    within: str = ""
    fractions: bool = False
    is_order: bool = False
    tax_optional: bool = False

    def inside(self, body: Any) -> Mapping[str, Any]:
        """Return the object that has the lines; an empty one if there is none."""
        found = body.get(self.within) if self.within and isinstance(body, dict) else body
        return found if isinstance(found, dict) else {}

    def are_plain(self, body: Any) -> bool:
        """Quickly return whether a valid body has only integers that add up; False means that `problems` must decide."""
        order = self.inside(body)
        if self.tax_optional:
            return False
        if self.is_order:
            return money.adds_up(order)
        return all(is_plain(entry) for name, is_plain in _PLAIN.items() for entry in order.get(name, ()))

    def problems(self, body: Any, refused: Container[str], *, is_tolerant: bool = False) -> Iterator[Problem]:
        """Yield every wrong sum; `refused` are paths of values that are invalid by themselves, which are left out of sums.

        `is_tolerant`: both sums of an order may differ by one for each line.
        """
        order, prefix = self.inside(body), f"{self.within}." if self.within else ""
        for name, read in _READERS.items():
            entries = _entries(order, name)
            is_summed = name == "order_lines" and self._has_sums(entries) and f"{prefix}{name}" not in refused
            lines = []
            for at, entry in enumerate(entries):
                if isinstance(entry, dict):
                    numbers = read(entry, f"{prefix}{name}[{at}]", fractions=self.fractions, refused=refused)
                    if not (numbers.is_complete and _is_plain(name, entry)):
                        yield from sums.line_problems(numbers)
                    if is_summed:
                        lines.append(numbers)
            if is_summed:
                has_tax = not (self.tax_optional and any("total_tax_amount" not in line for line in entries))
                yield from sums.order_problems(order, lines, prefix, refused, is_tolerant=is_tolerant, has_tax=has_tax)

    def _has_sums(self, lines: list[Any]) -> bool:
        """Return whether the lines are those of an order and can be added up."""
        return self.is_order and bool(lines) and all(isinstance(line, dict) for line in lines)

    def with_usual_signs(self, body: Any) -> Any:
        """Return the body without gift cards and store credit above zero (klarna.md §10, rule 4).

        If the order's sum takes their amounts off, they become negative. Else they are sold, as `physical` goods.
        """
        order = self.inside(body)
        changed = {name: entries for name in ("order_lines", "items") if (entries := _with_usual_signs(order, name))}
        if not changed:
            return body
        return {**body, self.within: {**order, **changed}} if self.within else {**order, **changed}

    def with_rounded_fractions(self, body: Any) -> Any:
        """Return the body with the fractions of its lines and options rounded, where fractions are allowed."""
        order = self.inside(body)
        if not self.fractions or not order:
            return body
        rounded = {name: _rounded(order, name) for name in _READERS if isinstance(order.get(name), list)}
        rounded_order = {**order, **rounded}
        return {**body, self.within: rounded_order} if self.within else rounded_order


def _is_plain(name: str, entry: Mapping[str, Any]) -> bool:
    """Quickly return whether an entry adds up; saves exact arithmetic for most lines."""
    return isinstance(entry.get("type", ""), str) and _PLAIN[name](entry)


def _is_plain_item(item: Mapping[str, Any]) -> bool:
    price = item["unit_price"] - item.get("total_discount_amount", 0)
    return money.is_plain_line({"quantity": 1, "total_amount": price, **item})


def _is_plain_option(option: Mapping[str, Any]) -> bool:
    price, rate, tax = option["price"], option["tax_rate"], option["tax_amount"]
    return type(price + rate + tax) is int and money.is_plain_tax(price, rate, tax)


def _entries(order: Mapping[str, Any], name: str) -> list[Any]:
    entries = order.get(name)
    return entries if isinstance(entries, list) else []


_READERS: Mapping[str, Callable[..., Numbers]] = MappingProxyType(
    {"order_lines": line_numbers, "items": partial(line_numbers, is_item=True), "shipping_options": option_numbers}
)


_PLAIN: Mapping[str, Callable[[Mapping[str, Any]], bool]] = MappingProxyType(
    {"order_lines": money.is_plain_line, "items": _is_plain_item, "shipping_options": _is_plain_option}
)


_SOLD_OR_REDEEMED = frozenset({"gift_card", "store_credit"})
_SIGNED = ("unit_price", "total_amount", "total_tax_amount")


def _with_usual_signs(order: Mapping[str, Any], name: str) -> list[Any] | None:
    """Return the entries of a list with their usual signs, or None if they have them."""
    entries = _entries(order, name)
    if not any(map(_is_above_zero, entries)):
        return None
    redeemed = [_redeemed(entry) if _is_above_zero(entry) else entry for entry in entries]
    amounts = [entry.get("total_amount") if isinstance(entry, dict) else None for entry in redeemed]
    if sum(amount for amount in amounts if sums.is_usable(amount, fractions=True)) == order.get("order_amount"):
        return redeemed
    return [entry | {"type": "physical"} if _is_above_zero(entry) else entry for entry in entries]


def _is_above_zero(entry: Any) -> bool:
    if not isinstance(entry, dict) or str(entry.get("type")) not in _SOLD_OR_REDEEMED:
        return False
    amounts = [entry[name] for name in _SIGNED if name in entry]
    usable = all(sums.is_usable(amount, fractions=True) and amount >= 0 for amount in amounts)
    return usable and any(amounts)


def _redeemed(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {name: -entry[name] for name in _SIGNED if name in entry}


def _rounded(order: Mapping[str, Any], name: str) -> list[Any]:
    return [_rounded_entry(name, entry) if isinstance(entry, dict) else entry for entry in order[name]]


def _rounded_entry(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry in integers; rounding must not correct a wrong sum."""
    numbers = _READERS[name](entry, "", fractions=True)
    if not numbers.is_complete or _is_plain(name, entry):
        return entry
    if any(sums.line_problems(numbers)):
        return money.rounded_entry(entry)
    return money.rounded_option(entry) if name == "shipping_options" else money.rounded_line(entry)


SUMS: Mapping[str, Sums] = MappingProxyType(
    {
        "create_button": Sums(),
        "update_button": Sums(),
        "update": Sums(),
        "page": Sums(fractions=True),
        "update_answer": Sums(fractions=True),
        "create_purchase": Sums(within="page", fractions=True),
        "create_order": Sums(is_order=True),
        "order_from_token": Sums(is_order=True, tax_optional=True),
        "place_order": Sums(within="order", is_order=True),
        "create_customer_token": Sums(within="order", is_order=True),
    }
)
"""The operations whose bodies have amounts."""
