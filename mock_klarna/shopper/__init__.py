"""Shoppers: people in 26 countries, test shoppers with a name, and what their e-mail addresses make Klarna decide."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mock_klarna.shopper.countries import COUNTRIES, Country, UnknownCountry, canonical, country
from mock_klarna.shopper.shopper import Shopper
from mock_klarna.shopper.triggers import RiskDecision, decide_risk
from mock_klarna.shopper.typed import typed

if TYPE_CHECKING:
    from mock_klarna.shopper.people import person
    from mock_klarna.shopper.roster import UnknownShopper, described, named, names

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
    "described",
    "named",
    "names",
    "person",
    "typed",
]

_HOMES = {"person": "people", "UnknownShopper": "roster", "described": "roster", "named": "roster", "names": "roster"}


def __getattr__(name: str) -> Any:
    """Import what makes and names people on first use: a server has to start before it needs them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
