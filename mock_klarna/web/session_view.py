"""A session as the dialog sees it: what is bought, what is asked, what is chosen, and how it ended."""

from collections.abc import Mapping
from typing import Any

import orjson

from mock_klarna.domain import session
from mock_klarna.domain.records import Purchase
from mock_klarna.shopper import COUNTRIES, described

Json = dict[str, Any]
_AS_THEY_ARE = (
    "locale",
    "purchase_country",
    "purchase_currency",
    "order_lines",
    "items",
    "shipping_options",
    "selected_shipping_option",
    "billing_address",
    "shipping_address",
    "customer",
    "merchant_requested",
    "merchant_reference1",
)
_LISTS = frozenset({"order_lines", "items", "shipping_options"})


def view(purchase: Purchase) -> Json:
    """Return the answer to every request about a session; members of an ended one come from its order, where there is one."""
    begun: Json = orjson.loads(purchase.session or purchase.order or b"{}")
    whole = session.order(begun) if purchase.session else begun
    urls = begun.get("merchant_urls") or {}
    options = dict(begun.get("options") or {})
    checkboxes = options.pop("additional_checkboxes", None) or []
    return {
        "session_id": purchase.purchase_id,
        "button_key": purchase.button_key,
        "state": purchase.state,
        "identified": purchase.state != "started" or bool(begun.get("identified")),
        **{name: begun.get(name, [] if name in _LISTS else None) for name in _AS_THEY_ARE},
        "merchant_name": begun.get("name"),
        "terms_url": urls.get("terms"),
        "options": options,
        "additional_checkboxes": checkboxes,
        "totals": {name: whole.get(name, 0) for name in ("order_amount", "order_tax_amount")},
        "countries": _countries(begun),
        "shoppers": _shoppers(begun),
        "outcome": _outcome(purchase),
    }


def _countries(begun: Json) -> Json:
    home = begun.get("purchase_country")
    billing = begun.get("billing_countries") or list(COUNTRIES)
    shipping = begun.get("shipping_countries") or ([home] if home else [])
    return {
        "billing": billing,
        "shipping": shipping,
        "rules": {code: _rules(code) for code in sorted({*billing, *shipping}) if code in COUNTRIES},
    }


def _rules(code: str) -> Json:
    country = COUNTRIES[code]
    titles = [title for words in country.titles.values() for title in words]
    return {"region_needed": country.region_needed, "dialling": country.dialling, "titles": titles}


def _shoppers(begun: Mapping[str, Any]) -> list[Json]:
    home = begun.get("purchase_country")
    if home not in COUNTRIES:
        return []
    return [{"name": name, "description": text} for name, text in described(home).items()]


def _outcome(purchase: Purchase) -> Json:
    return {
        "redirect_url": purchase.redirect_url,
        "consumer_message": purchase.consumer_message,
        "deny_code": (purchase.deny or {}).get("deny_code"),
        "deny_message": (purchase.deny or {}).get("deny_message"),
        "fraud_status": purchase.fraud_status,
        "order_id": purchase.order_id,
    }
