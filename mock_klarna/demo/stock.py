"""The articles of the demo shop: how many are in stock, and who may buy them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Article:
    """An article: how many are in stock (None: unlimited), the minimum age, and the countries it is delivered to (none: all)."""

    name: str
    in_stock: int | None = None
    from_age: int = 0
    delivered_to: tuple[str, ...] = ()


ARTICLES: Mapping[str, Article] = {
    "19-402-B": Article("Battery Power Pack Black"),
    "SOLD-OUT": Article("Solar Lamp", in_stock=0),
    "LAST-ONE": Article("Signed Print", in_stock=1),
    "ADULTS-ONLY": Article("Single Malt Whisky", from_age=18),
    "SE-ONLY": Article("Garden Table", delivered_to=("SE",)),
}
"""The articles by reference. Articles with other references have no limits."""

_NO_LIMITS = Article("")


class Stock:
    """How many of each article are left, counted for each merchant separately."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], int] = {}

    def reserve(self, merchant: str, order: Json) -> dict[str, str] | None:
        """Reserve all articles of an order and return None, or reserve none and return the body of a denial."""
        reason = _check_age(order) or _check_country(order) or self._check_stock(merchant, order)
        if reason is None:
            self._add(merchant, order, -1)
        return reason

    def release(self, merchant: str, order: Json) -> None:
        """Release the reserved articles of an order."""
        self._add(merchant, order, 1)

    def left(self, merchant: str, reference: str) -> int | None:
        """Return how many of an article are left, None for unlimited."""
        return self._left.get((merchant, reference), ARTICLES.get(reference, _NO_LIMITS).in_stock)

    def _add(self, merchant: str, order: Json, sign: int) -> None:
        for reference, quantity in _limited_quantities(order).items():
            left = self.left(merchant, reference)
            assert left is not None
            self._left[merchant, reference] = left + sign * quantity

    def _check_stock(self, merchant: str, order: Json) -> dict[str, str] | None:
        for reference, quantity in _limited_quantities(order).items():
            if quantity > (self.left(merchant, reference) or 0):
                return {"deny_code": "item_out_of_stock"}
        return None


def _articles(order: Json) -> Iterator[Article]:
    for line in order.get("order_lines", ()):
        yield ARTICLES.get(line.get("reference", ""), _NO_LIMITS)


def _limited_quantities(order: Json) -> dict[str, int]:
    """Return how many of each limited article an order contains."""
    quantities: dict[str, int] = {}
    for line in order.get("order_lines", ()):
        reference = line.get("reference", "")
        if ARTICLES.get(reference, _NO_LIMITS).in_stock is not None:
            quantities[reference] = quantities.get(reference, 0) + line["quantity"]
    return quantities


def _check_age(order: Json) -> dict[str, str] | None:
    minimum = max((article.from_age for article in _articles(order)), default=0)
    if not minimum or age(order, date.today()) >= minimum:
        return None
    return {"deny_code": "consumer_underaged"}


def age(order: Json, today: date) -> int:
    """Return the age of an order's shopper in years, 0 if the date of birth is unknown."""
    try:
        born = date.fromisoformat(order["customer"]["date_of_birth"])
    except (KeyError, TypeError, ValueError):
        return 0
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _check_country(order: Json) -> dict[str, str] | None:
    address = order.get("shipping_address") or order.get("billing_address") or {}
    country = str(address.get("country", "")).upper()
    if all(country in article.delivered_to for article in _articles(order) if article.delivered_to):
        return None
    return {"deny_code": "unsupported_shipping_address"}
