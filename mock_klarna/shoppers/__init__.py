"""Shoppers: people in 26 countries, test shoppers with a name, and what their e-mail addresses make Klarna decide."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mock_klarna.shoppers.countries import COUNTRIES, Country, UnknownCountry, canonical, country
from mock_klarna.shoppers.form import shopper_from_form
from mock_klarna.shoppers.named import Shopper
from mock_klarna.shoppers.risk import RiskDecision, decide_risk

if TYPE_CHECKING:
    from mock_klarna.shoppers.generate import person
    from mock_klarna.shoppers.named import UnknownShopper, named_shopper, shopper_descriptions, shopper_names

__all__ = [
    "COUNTRIES",
    "Country",
    "RiskDecision",
    "Shopper",
    "UnknownCountry",
    "UnknownShopper",
    "canonical",
    "country",
    "decide_risk",
    "named_shopper",
    "person",
    "shopper_descriptions",
    "shopper_from_form",
    "shopper_names",
]

_HOMES = {
    "person": "generate",
    "UnknownShopper": "named",
    "shopper_descriptions": "named",
    "named_shopper": "named",
    "shopper_names": "named",
}


def __getattr__(name: str) -> Any:
    """Import what makes and names people on first use: a server has to start before it needs them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
