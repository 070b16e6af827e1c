"""Whether a purchase can start from the options of key and page, and the look of the button (klarna.md §6.3)."""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from mock_klarna.domain.urls import names_order
from mock_klarna.errors import Problem

_REQUIRED = {
    "purchase_country": "an ISO 3166 alpha-2 country code, from the page or the key",
    "purchase_currency": "an ISO 4217 currency code, from the page or the key",
    "locale": "a language and country such as sv-SE, from the page or the key",
}


def problems(session: Mapping[str, Any]) -> list[Problem]:
    """Return the members that a session lacks; an empty list means that a purchase can start.

    Order of the checks: country, currency, locale, terms, place_order, lines (klarna.md §6.3).
    """
    found = [_missing(name, hint) for name, hint in _REQUIRED.items() if not session.get(name)]
    urls = session.get("merchant_urls") or {}
    if not urls.get("terms"):
        found.append(_missing("merchant_urls.terms", "the URL of the terms and conditions, from the page or the key"))
    if not (urls.get("place_order") or urls.get("create_customer_token")):
        found.append(_missing("merchant_urls.place_order", "the URL that Klarna calls to have the order placed"))
    if not session.get("order_lines"):
        found.append(_missing("order_lines", "at least one order line, or items to choose from"))
    return found


def _missing(path: str, expected: str) -> Problem:
    return Problem(path=path, rule="required", value=None, expected=expected)


_PLACEHOLDER = "a URL with {checkout.order.id}, which the order id replaces"
_WITHOUT_ORDER_ID = {
    "push": "a push has no body, so without it the shop cannot tell which order it is about",
    "notification": "without it only the body says which order it is about",
}


def warnings(options: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return the URLs of a key that are called about an order and have no placeholder for the order id (klarna.md §3.2)."""
    urls = options.get("merchant_urls") or {}
    return tuple(
        Problem(f"merchant_urls.{name}", "order_id", urls[name], f"{_PLACEHOLDER}; {reason}")
        for name, reason in _WITHOUT_ORDER_ID.items()
        if urls.get(name) and not names_order(urls[name])
    )


def not_served(session: Mapping[str, Any], served: Collection[str]) -> str | None:
    """Return why the button is not offered for a valid page, a country that is not served, or None."""
    country = session.get("purchase_country")
    return f"{country} is not a country that Instant Shopping serves" if country not in served else None


def address_problems(
    session: Mapping[str, Any], billing: Mapping[str, Any], shipping: Mapping[str, Any]
) -> list[Problem]:
    """Return the addresses outside the countries that the merchant allows (klarna.md §3.1).

    Without `shipping_countries` only the purchase country is allowed; without `billing_countries` every country is.
    """
    home = session.get("purchase_country")
    shipping_countries = session.get("shipping_countries") or [home]
    billing_countries = session.get("billing_countries") or []
    found = []
    if billing_countries and billing.get("country") not in billing_countries:
        found.append(_outside("billing_address.country", billing, billing_countries))
    if shipping.get("country") not in shipping_countries:
        found.append(_outside("shipping_address.country", shipping, shipping_countries))
    return found


def _outside(path: str, address: Mapping[str, Any], allowed: Collection[Any]) -> Problem:
    return Problem(
        path=path, rule="enum", value=address.get("country"), expected="one of " + ", ".join(map(str, allowed))
    )


class Look(Struct, frozen=True, gc=False):
    """The look of a button: `type` chooses its text, `theme` and `tagline` its colours, `locale` its language."""

    type: str = "express"
    theme: str = "klarna"
    tagline: str = "dark"
    locale: str = "en-US"


def look(key: Mapping[str, Any], page: Mapping[str, Any]) -> Look:
    """Return the look that key and page choose, the page first, or the default."""
    theme = {**_theme(key), **_theme(page)}
    return Look(
        type=theme.get("type", Look().type),
        theme=theme.get("variation", Look().theme),
        tagline=theme.get("tagline", Look().tagline),
        locale=page.get("locale") or key.get("locale") or Look().locale,
    )


def _theme(options: Mapping[str, Any]) -> Mapping[str, Any]:
    theme: Mapping[str, Any] = (options.get("styling") or {}).get("theme") or {}
    return theme
