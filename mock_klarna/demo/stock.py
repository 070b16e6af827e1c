"""What the shop has on its shelves, and whom it may sell it to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Article:
    """Something to sell: how many there are (None for enough), from which age, and the only countries it goes to (none for all)."""

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
"""The articles by reference. Of a reference that is not listed there is always enough, for everybody."""

_NO_LIMITS = Article("")


class Stock:
    """The shelves, counted for each merchant alone."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], int] = {}

    def reserve(self, merchant: str, order: Json) -> dict[str, str] | None:
        """Take an order's articles off the shelves; return None, or why not, as the body of a denial, and take nothing."""
        reason = _age_objection(order) or _address_objection(order) or self._stock_objection(merchant, order)
        if reason is None:
            self._move(merchant, order, -1)
        return reason

    def release(self, merchant: str, order: Json) -> None:
        """Put an order's articles back."""
        self._move(merchant, order, 1)

    def left(self, merchant: str, reference: str) -> int | None:
        """Return how many there are of an article, None for enough."""
        return self._left.get((merchant, reference), ARTICLES.get(reference, _NO_LIMITS).in_stock)

    def _move(self, merchant: str, order: Json, sign: int) -> None:
        for reference, quantity in _counted(order).items():
            left = self.left(merchant, reference)
            assert left is not None
            self._left[merchant, reference] = left + sign * quantity

    def _stock_objection(self, merchant: str, order: Json) -> dict[str, str] | None:
        for reference, quantity in _counted(order).items():
            if quantity > (self.left(merchant, reference) or 0):
                return {"deny_code": "item_out_of_stock"}
        return None


def _articles(order: Json) -> Iterator[Article]:
    for line in order.get("order_lines", ()):
        yield ARTICLES.get(line.get("reference", ""), _NO_LIMITS)


def _counted(order: Json) -> dict[str, int]:
    """Return how many an order takes of each article that is counted."""
    wanted: dict[str, int] = {}
    for line in order.get("order_lines", ()):
        reference = line.get("reference", "")
        if ARTICLES.get(reference, _NO_LIMITS).in_stock is not None:
            wanted[reference] = wanted.get(reference, 0) + line["quantity"]
    return wanted


def _age_objection(order: Json) -> dict[str, str] | None:
    needed = max((article.from_age for article in _articles(order)), default=0)
    if not needed or age(order, date.today()) >= needed:
        return None
    return {"deny_code": "consumer_underaged"}


def age(order: Json, today: date) -> int:
    """Return the age in years of an order's shopper; one of whom no date of birth is known is taken for a child."""
    try:
        born = date.fromisoformat(order["customer"]["date_of_birth"])
    except (KeyError, TypeError, ValueError):
        return 0
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _address_objection(order: Json) -> dict[str, str] | None:
    address = order.get("shipping_address") or order.get("billing_address") or {}
    country = str(address.get("country", "")).upper()
    if all(country in article.delivered_to for article in _articles(order) if article.delivered_to):
        return None
    return {"deny_code": "unsupported_shipping_address"}
