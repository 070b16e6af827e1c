"""What the demo shop sells: articles, vouchers and shipping with their prices, and the check of an order against them.

The order comes from a browser, where a shopper can change everything (guide, step 3: check it before you place it).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Json = Mapping[str, Any]
WELCOME = "WELCOME"
"""The voucher that the behaviour `lines` of `update` gives: 10 % of the first line."""
Offers = Collection[tuple[str, int]]
"""Shipping options, id and price, that an answer to an `update` callback offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article, or a voucher with a negative price.

    prices: of one piece by currency, tax included, in minor units. discount: what one piece costs less.
    most: how many pieces an order can have. in_stock: None where the supplier has enough. from_age: in years.
    delivered_to: countries, none for all. is_shipped: whether an order with it needs shipping.
    """

    prices: Mapping[str, int]
    discount: int = 0
    most: int = 100
    in_stock: int | None = None
    from_age: int = 0
    delivered_to: tuple[str, ...] = ()
    is_shipped: bool = True


def _voucher(currency: str, amount: int) -> Article:
    return Article(prices={currency: -amount}, most=1, is_shipped=False)


ARTICLES: Mapping[str, Article] = {
    "19-402-B": Article(prices={"SEK": 119000, "USD": 11900}),
    **dict.fromkeys(("19-402-W", "19-402-G"), Article(prices={"SEK": 119000})),
    **dict.fromkeys(("19-404-B", "19-404-W", "19-404-G"), Article(prices={"SEK": 149000})),
    **{f"TS-{color}-{size}": Article(prices={"SEK": 19900}) for color in ("red", "blue") for size in "sml"},
    **{f"SKU-{number:03}": Article(prices={"SEK": 1000 + 7 * number}) for number in range(1, 51)},
    "CLOTH-1": Article(prices={"SEK": 33333}),
    "EBOOK-7": Article(prices={"SEK": 9900}, is_shipped=False),
    "KB-100": Article(prices={"EUR": 9290}),
    "MS-200": Article(prices={"EUR": 2999}, discount=300),
    "LAMP-3": Article(prices={"GBP": 4500}),
    "WRAP": Article(prices={"GBP": 350}, is_shipped=False),
    "CBL-1": Article(prices={"USD": 1299}),
    "GUTSCHEIN-10": _voucher("EUR", 1000),
    "GK-25": _voucher("EUR", 2500),
    WELCOME: _voucher("", 0),
    "SOLD-OUT": Article(prices={"SEK": 10000}, in_stock=0),
    "LAST-ONE": Article(prices={"SEK": 119000, "USD": 11900}, in_stock=1),
    "ADULTS-ONLY": Article(prices={"SEK": 50000}, from_age=18),
    "SE-ONLY": Article(prices={"SEK": 119000, "EUR": 119000}, delivered_to=("SE",)),
}
"""By reference."""

SHIPPING: Mapping[tuple[str, str], int] = {
    ("postal", "SEK"): 0,
    ("post_nord", "SEK"): 0,
    ("post_nord_home", "SEK"): 4900,
    ("express_priority", "SEK"): 5000,
    ("express_priority", "USD"): 500,
    ("dhl", "EUR"): 490,
    ("packstation", "EUR"): 390,
    ("royal_mail", "GBP"): 395,
    ("ups_ground", "USD"): 0,
    ("ups_next_day", "USD"): 2500,
}
"""Prices by id and currency."""

_SALES_TAX = 0.088
"""Part of the price of the articles, in a line of its own in the United States."""
_CHANGED = {
    "de": "Der Warenkorb hat sich geändert. Bitte laden Sie die Seite neu.",
    "en": "The cart has changed. Please reload the page.",
    "sv": "Varukorgen har ändrats. Ladda om sidan.",
}
"""What the shopper reads, by language (guide, step 3: in the language of the purchase)."""


@dataclass(slots=True)
class Stock:
    """How many pieces of the articles with a limit are sold, counted for each merchant separately."""

    _sold: Counter[tuple[str, str]] = field(default_factory=Counter)

    def reserve(self, merchant: str, order: Json, today: date, offers: Offers = ()) -> dict[str, str] | None:
        """Reserve the articles of an order and return None, or reserve none and return the body of a denial."""
        reason = check(order, today, offers) or self._check_stock(merchant, order)
        if reason is None:
            self._sold.update(_limited(merchant, order))
        return reason

    def release(self, merchant: str, order: Json) -> None:
        """Release the reserved articles of an order."""
        self._sold.subtract(_limited(merchant, order))

    def _check_stock(self, merchant: str, order: Json) -> dict[str, str] | None:
        for (_merchant, reference), quantity in _limited(merchant, order).items():
            if quantity > (ARTICLES[reference].in_stock or 0) - self._sold[merchant, reference]:
                return {"deny_code": "item_out_of_stock"}
        return None


def _limited(merchant: str, order: Json) -> Counter[tuple[str, str]]:
    """Return how many pieces of each article with a limit an order has."""
    wanted = _quantities(order).items()
    limited = {(merchant, name): number for name, number in wanted if ARTICLES[name].in_stock is not None}
    return Counter(limited)


def check(order: Json, today: date, offers: Offers = ()) -> dict[str, str] | None:
    """Return the body of a denial for an order that the shop does not sell like this, or None."""
    if not (_is_sold(order) and _is_shipped(order, offers)):
        language = str(order.get("locale", "")).partition("-")[0]
        return {"deny_code": "other", "deny_message": _CHANGED.get(language, _CHANGED["en"])}
    wanted = _quantities(order)
    if any(not 0 < number <= ARTICLES[name].most for name, number in wanted.items()):
        return {"deny_code": "item_out_of_stock"}
    articles = [ARTICLES[name] for name in wanted]
    if (minimum := max((article.from_age for article in articles), default=0)) and age(order, today) < minimum:
        return {"deny_code": "consumer_underaged"}
    address = order.get("shipping_address") or order.get("billing_address") or {}
    country = str(address.get("country", "")).upper()
    if country != order["purchase_country"] or any(country not in (one.delivered_to or (country,)) for one in articles):
        return {"deny_code": "unsupported_shipping_address"}
    return None


def _is_sold(order: Json) -> bool:
    """Return whether every line has a price of the catalogue, and is calculated from it."""
    for line in order["order_lines"]:
        if line.get("type") == "shipping_fee":
            continue
        price, article = _price(line, order), ARTICLES.get(line.get("reference", ""))
        if price is None or line["unit_price"] != price:
            return False
        if line["total_amount"] != line["quantity"] * (price - (article.discount if article else 0)):
            return False
    return True


def _price(line: Json, order: Json) -> int | None:
    """Return what a piece costs, None for what the shop does not sell."""
    first: int = order["order_lines"][0]["total_amount"]
    if line.get("type") == "sales_tax":
        taxed: int = sum(one["total_amount"] for one in _article_lines(order))
        return round(_SALES_TAX * taxed)
    if line.get("reference") == WELCOME:
        return -(first // 10)
    article = ARTICLES.get(line.get("reference", ""))
    return article.prices.get(order["purchase_currency"]) if article else None


def _is_shipped(order: Json, offers: Offers) -> bool:
    """Return whether the order has the shipping that its articles need, at a price of the catalogue or of an offer."""
    fees = [line for line in order["order_lines"] if line.get("type") == "shipping_fee"]
    if not fees:
        return not any(ARTICLES[name].is_shipped for name in _quantities(order))
    option = (fees[0].get("reference", ""), fees[0]["total_amount"])
    price = SHIPPING.get((option[0], order["purchase_currency"]))
    return len(fees) == 1 and (option[1] == price or option in offers)


def _article_lines(order: Json) -> Iterator[Json]:
    return (line for line in order["order_lines"] if line.get("reference") in ARTICLES)


def _quantities(order: Json) -> Counter[str]:
    """Return how many pieces of each article an order has, in all its lines together."""
    wanted: Counter[str] = Counter()
    for line in _article_lines(order):
        wanted[line["reference"]] += line["quantity"]
    return wanted


def age(order: Json, today: date) -> int:
    """Return the age of an order's shopper in years, 0 if the date of birth is unknown."""
    try:
        born = date.fromisoformat(order["customer"]["date_of_birth"])
    except (KeyError, TypeError, ValueError):
        return 0
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
