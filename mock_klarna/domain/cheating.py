"""A shopper who cheats: what a changed cart has in place of what the shop offers, with sums that are right."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mock_klarna.domain import money
from mock_klarna.errors import Problem

Json = dict[str, Any]
_PART = 100
"""What a changed price is a part of: 1 % of the price is paid."""
_QUANTITY = 99_999
_LARGEST_AMOUNT = 100_000_000
"""The largest amount of an order line (`schemas/components/amount.json`)."""
UNKNOWN = "NOT-SOLD-HERE"
"""The reference of an article, and the id of a shipping option, that no shop offers."""


class Change(NamedTuple):
    """A session that a shopper has changed: the path of the member, with its value before and after."""

    session: Json
    path: str
    before: object
    after: object


class CannotCheat(Exception):
    """The cart has nothing that could be changed in this way."""

    def __init__(self, cheat: str, expected: str) -> None:
        super().__init__(expected)
        self.problem = Problem(path="cheat", rule="cart", value=cheat, expected=expected)


def _article(session: Json) -> int:
    """Return the position of the first line of an article that costs something; raises `LookupError`."""
    lines: Sequence[Mapping[str, Any]] = session["order_lines"]
    costly = (
        number
        for number, line in enumerate(lines)
        if line["unit_price"] > 1 and line.get("type", "physical") in ("physical", "digital")
    )
    return next(costly)


def _with_line(session: Json, member: str, value: Callable[[Mapping[str, Any]], object], **more: object) -> Change:
    number = _article(session)
    lines = list(session["order_lines"])
    before = lines[number]
    line = {**before, member: value(before), **more}
    line.pop("total_discount_amount", None)
    line["total_amount"] = money.line_total(line["quantity"], line["unit_price"])
    line["total_tax_amount"] = money.line_tax(line["total_amount"], line["tax_rate"])
    lines[number] = line
    changed = {**session, "order_lines": lines}
    return Change(changed, f"order_lines[{number}].{member}", before.get(member), line[member])


def _price(session: Json) -> Change:
    return _with_line(session, "unit_price", lambda line: max(1, line["unit_price"] // _PART))


def _quantity(session: Json) -> Change:
    return _with_line(
        session, "quantity", lambda line: max(1, min(_QUANTITY, _LARGEST_AMOUNT // int(line["unit_price"])))
    )


def _reference(session: Json) -> Change:
    return _with_line(session, "reference", lambda _line: UNKNOWN, name="An article that is not sold here")


def _discount(session: Json) -> Change:
    line = session["order_lines"][_article(session)]
    total = line["total_amount"] - line["total_amount"] // _PART
    discount = {
        "type": "discount",
        "reference": UNKNOWN,
        "name": "Discount",
        "quantity": 1,
        "unit_price": -total,
        "tax_rate": line["tax_rate"],
        "total_amount": -total,
        "total_tax_amount": -money.line_tax(total, line["tax_rate"]),
    }
    lines = [*session["order_lines"], discount]
    return Change({**session, "order_lines": lines}, f"order_lines[{len(lines) - 1}].unit_price", None, -total)


def _with_shipping(session: Json, name: str, value: Callable[[Mapping[str, Any]], object]) -> Change:
    before = session["selected_shipping_option"]
    option = {**before, name: value(before)}
    option["tax_amount"] = money.line_tax(option["price"], option["tax_rate"])
    changed = {**session, "selected_shipping_option": option}
    return Change(changed, f"selected_shipping_option.{name}", before.get(name), option[name])


def _shipping_price(session: Json) -> Change:
    if session["selected_shipping_option"]["price"] <= 1:
        raise LookupError
    return _with_shipping(session, "price", lambda option: option["price"] // _PART)


def _shipping_option(session: Json) -> Change:
    return _with_shipping(session, "id", lambda _option: UNKNOWN)


_ARTICLE = "a cart with an article that costs more than 1 minor unit"
_CHEATS: Mapping[str, tuple[Callable[[Json], Change], str]] = {
    "price": (_price, _ARTICLE),
    "discount": (_discount, _ARTICLE),
    "quantity": (_quantity, _ARTICLE),
    "article": (_reference, _ARTICLE),
    "shipping_price": (_shipping_price, "a cart with a shipping option that costs something"),
    "shipping_option": (_shipping_option, "a cart with a shipping option"),
}
COUNTRY = "country"
"""The cheat that takes an address in a country that the merchant does not deliver to: `abroad`."""
CHEATS = (*_CHEATS, COUNTRY)
"""What a shopper can change (`cheat` of `create_purchase`)."""


def changed(session: Json, cheat: str) -> Change:
    """Return a session as a cheating shopper changes it; raises `CannotCheat` for a cart that has nothing to change."""
    change, needed = _CHEATS[cheat]
    try:
        return change(session)
    except (LookupError, StopIteration):
        raise CannotCheat(cheat, needed) from None


def abroad(session: Json, address: Mapping[str, str]) -> Change:
    """Return a session whose shipping address is another one, in a country that the merchant does not deliver to.

    The session allows the country: what Klarna checks does not stop a shopper who cheats, the merchant has to.
    """
    before, country = session["shipping_address"]["country"], address["country"]
    allowed = [*_delivered(session), country]
    changed = {**session, "shipping_address": dict(address), "shipping_countries": allowed}
    return Change(changed, "shipping_address.country", before, country)


def _delivered(session: Json) -> Sequence[str]:
    return session.get("shipping_countries") or [session["purchase_country"]]


def foreign_country(session: Json, countries: Sequence[str]) -> str:
    """Return a country that the merchant does not deliver to; raises `CannotCheat` where it delivers to all of them."""
    delivered = _delivered(session)
    found = next((code for code in countries if code not in delivered), None)
    if found is None:
        raise CannotCheat(COUNTRY, "shipping_countries that do not have every country")
    return found
