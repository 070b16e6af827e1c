"""Mutations of each member of the guide's two orders, with the expected problem."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.validation.samples import at, changed, sample, without

ORDERS = {"se": sample("guide/se-order"), "us": sample("guide/us-order")}
REQUIRED = [
    "purchase_country",
    "purchase_currency",
    "locale",
    "billing_address",
    "order_amount",
    "order_tax_amount",
    "order_lines",
    *(
        f"order_lines[{at}].{name}"
        for at in (0, 1)
        for name in ("name", "quantity", "unit_price", "tax_rate", "total_amount", "total_tax_amount")
    ),
]
MISSING = {
    "purchase_country": "an ISO 3166 alpha-2 country code such as SE (Country of the purchase)",
    "locale": "a language and a country such as sv-SE (",
    "billing_address": "an object (",
    "order_lines": "a list (What is bought: 1 to 1000 lines)",
    "order_lines[0].name": "a string of at most 255 characters (What the shopper reads)",
    "order_lines[1].name": "a string of at most 255 characters (What the shopper reads)",
}
INTEGERS = [path for path in REQUIRED if path.endswith(("amount", "quantity", "price", "rate"))]
OBJECTS = ["billing_address", "shipping_address", "customer", "merchant_urls"]
LINE_TEXTS = {"reference": 64, "name": 255, "merchant_data": 255, "product_url": 1024, "image_url": 1024}
ADDRESS_TEXTS = {
    "given_name": 100,
    "family_name": 100,
    "email": 100,
    "street_address": 100,
    "postal_code": 10,
    "city": 200,
    "phone": 100,
}
TEXTS = {
    **{f"order_lines[0].{name}": most for name, most in LINE_TEXTS.items()},
    **{f"{which}_address.{name}": most for which in ("billing", "shipping") for name, most in ADDRESS_TEXTS.items()},
    "name": 255,
    "merchant_reference1": 255,
    "merchant_reference2": 255,
    "merchant_data": 1024,
    "merchant_urls.confirmation": 2000,
    "merchant_urls.push": 2000,
    "merchant_urls.notification": 2000,
}
AMOUNTS = [f"order_lines[0].{name}" for name in ("unit_price", "total_amount", "total_tax_amount")]
NOT_NEGATIVE = [
    "order_amount",
    "order_tax_amount",
    *(f"order_lines[0].{n}" for n in ("quantity", "tax_rate", "total_discount_amount")),
]


@dataclass(frozen=True)
class Mutation:
    order: str
    path: str
    body: Any
    rule: str
    expected: str

    def __str__(self) -> str:
        return f"{self.order}-{self.rule}-{self.path}"


def mutations() -> Iterator[Mutation]:
    for order, body in ORDERS.items():
        for path in REQUIRED:
            currency = f"{body['purchase_currency']}, the currency of "
            expected = "an integer" if path in INTEGERS else MISSING.get(path, currency)
            yield Mutation(order, path, without(body, path), "required", expected)
        for path in INTEGERS:
            yield Mutation(order, path, changed(body, path, "much"), "type", "an integer")
            yield Mutation(order, path, changed(body, path, at(body, path) + 0.5), "type", "an integer")
        for path in OBJECTS:
            yield Mutation(order, path, changed(body, path, "text"), "type", "an object")
        yield Mutation(order, "order_lines", changed(body, "order_lines", {}), "type", "a list")
        for path, most in TEXTS.items():
            yield Mutation(
                order,
                path,
                changed(body, path, True),
                "type",
                f"a string of at most {most} characters" if "postal" not in path else "a postal code",
            )
            yield Mutation(
                order,
                path,
                changed(body, path, "https://x.example/" + "x" * most),
                "maxLength",
                f"at most {most} characters",
            )
        yield from out_of_range(order, body)
        yield from wrong_sums(order, body)


def out_of_range(order: str, body: Any) -> Iterator[Mutation]:
    for path in AMOUNTS:
        yield Mutation(order, path, changed(body, path, 100000001), "maximum", "at most 100000000")
        yield Mutation(order, path, changed(body, path, 2**80), "maximum", "at most 100000000")
    for path in NOT_NEGATIVE:
        yield Mutation(order, path, changed(body, path, -1), "minimum", "at least 0")
    yield Mutation(order, "order_amount", changed(body, "order_amount", 2**63), "maximum", f"at most {2**63 - 1}")
    yield Mutation(order, "order_lines", changed(body, "order_lines", []), "minItems", "at least 1 entry")
    yield Mutation(
        order,
        "order_lines",
        changed(body, "order_lines", body["order_lines"] * 501),
        "maxItems",
        "at most 1000 entries",
    )
    yield Mutation(
        order,
        "order_lines[0].type",
        changed(body, "order_lines[0].type", "gift"),
        "enum",
        "one of physical, discount, ",
    )
    yield Mutation(
        order,
        "order_lines[0].quantity_unit",
        changed(body, "order_lines[0].quantity_unit", "x" * 9),
        "maxLength",
        "at most 8 ",
    )
    for path, value, rule, expected in (
        ("purchase_country", "SWE", "enum", "an ISO 3166"),
        ("purchase_country", "XX", "enum", "an ISO 3166"),
        ("billing_address.country", "S1", "enum", "an ISO 3166"),
        ("shipping_address.country", "ZZ", "enum", "an ISO 3166"),
        ("purchase_currency", "KRONOR", "enum", f"{body['purchase_currency']}, the currency of "),
        ("purchase_currency", "ABC", "enum", f"{body['purchase_currency']}, the currency of "),
        ("purchase_currency", "KRR", "enum", f"{body['purchase_currency']}, the currency of "),
        ("purchase_currency", "GBP", "currency", f"{body['purchase_currency']}, the currency of "),
        ("locale", "sv_SE", "pattern", "a language"),
        ("locale", "svenska", "pattern", "a language"),
        ("locale", "qq-SE", "pattern", "a language"),
        ("locale", "sv-QQ", "pattern", "a language"),
        ("customer.date_of_birth", "20/10/85", "pattern", "a date"),
        ("customer.date_of_birth", "1980-02-30", "date", "a day that exists"),
        ("customer.date_of_birth", "1900-02-29", "date", "a day that exists"),
        ("customer.date_of_birth", "1899-12-31", "date", "a day that exists, from 1900-01-01"),
        ("customer.date_of_birth", "2999-01-01", "date", "a day that exists, from 1900-01-01"),
    ):
        yield Mutation(order, path, changed(body, path, value), rule, expected)
    for name in ("push", "notification", "confirmation"):
        yield Mutation(
            order,
            f"merchant_urls.{name}",
            changed(body, f"merchant_urls.{name}", "javascript:alert(1)"),
            "url",
            "an absolute http",
        )


def wrong_sums(order: str, body: Any) -> Iterator[Mutation]:
    for path in ("order_amount", "order_tax_amount"):
        amount = at(body, path)
        for wrong in (amount + 1, amount - 1, amount * 10, 0):
            yield Mutation(order, path, changed(body, path, wrong), path, f"{amount}")
    for line in (0, 1):
        total, tax = (at(body, f"order_lines[{line}].{name}") for name in ("total_amount", "total_tax_amount"))
        for wrong in (total + 2, total - 2, total * 10, 0, -total):
            path = f"order_lines[{line}].total_amount"
            yield Mutation(
                order, path, changed(body, path, wrong), "line_total", f"{total} ({total - 1} to {total + 1})"
            )
        for wrong in (tax + 2, tax - 2, tax // 2, 0, -tax):
            path = f"order_lines[{line}].total_tax_amount"
            yield Mutation(order, path, changed(body, path, wrong), "line_tax", f"{tax} ({tax - 1} to {tax + 1})")
