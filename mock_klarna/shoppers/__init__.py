"""Shoppers: generated ones of 26 countries, named test shoppers, and Klarna's risk decision by e-mail address."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mock_klarna.domain.countries import COUNTRIES, Country, UnknownCountry, canonical, country
from mock_klarna.shoppers.form import mandatory_problems, shopper_from_form
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
    "mandatory_problems",
    "named_shopper",
    "person",
    "shopper_descriptions",
    "shopper_from_form",
    "shopper_names",
]

_LAZY = {
    "person": "generate",
    "UnknownShopper": "named",
    "shopper_descriptions": "named",
    "named_shopper": "named",
    "shopper_names": "named",
}


def __getattr__(name: str) -> Any:
    """Import the generated and named shoppers on first use, so that a server starts faster."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
