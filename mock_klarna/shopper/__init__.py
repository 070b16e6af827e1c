"""Shoppers: people in 26 countries, test shoppers with a name, and what their e-mail addresses make Klarna decide."""

from mock_klarna.shopper.countries import COUNTRIES, Country, UnknownCountry, canonical, country
from mock_klarna.shopper.named import UnknownShopper, described, named, names
from mock_klarna.shopper.people import person
from mock_klarna.shopper.shopper import Shopper
from mock_klarna.shopper.triggers import Verdict, verdict

__all__ = [
    "COUNTRIES",
    "Country",
    "Shopper",
    "UnknownCountry",
    "UnknownShopper",
    "Verdict",
    "canonical",
    "country",
    "described",
    "named",
    "names",
    "person",
    "verdict",
]
