"""The 26 countries that Klarna serves and that have test shoppers (klarna.md §8.2), one row each."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS_MEMBERS = (
    "given_name",
    "family_name",
    "email",
    "title",
    "street_address",
    "street_address2",
    "postal_code",
    "city",
    "region",
    "phone",
    "country",
    "care_of",
    "attention",
    "organization_name",
)
"""The members of an address (klarna.md §3.10), in the order of the guide's examples."""
CUSTOMER_MEMBERS = (
    "date_of_birth",
    "title",
    "gender",
    "last_four_ssn",
    "national_identification_number",
    "type",
    "vat_id",
    "organization_registration_id",
    "organization_entity_type",
)
"""The members of a customer (klarna.md §3.10)."""

_ENGLISH = {"male": ("Mr",), "female": ("Ms", "Mrs", "Miss")}
_GERMAN = {"male": ("Herr",), "female": ("Frau",)}
_SWISS = {"male": ("Herr", "M", "Sig."), "female": ("Frau", "Mme", "Sig.ra")}
_DUTCH = {"male": ("Dhr.",), "female": ("Mevr.", "Mevr")}

_FOUR = r"\d{4}"
_FIVE = r"\d{5}"
_THREE_TWO = r"\d{3} ?\d{2}"
_CANADIAN = r"[A-Z]\d[A-Z] ?\d[A-Z]\d"
_BRITISH = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_EIRCODE = r"[A-Z]\d[\dW] ?[A-Z\d]{4}"


_BETWEEN_DIGITS = re.compile(r"\(0\)|[\s().\-/]")
_FOREIGN = re.compile(r"\+\d{6,15}")


def ascii_number(text: str) -> str:
    """Return a phone number or a date with digits and hyphens of ASCII: keyboards and web pages have others."""
    return "".join(
        str(unicodedata.decimal(one)) if one.isdecimal() else "-" if unicodedata.category(one) == "Pd" else one
        for one in text
    )


class UnknownCountry(LookupError):
    """A country without test shoppers; the message lists those that have some."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no shoppers in {code!r}; countries served: {', '.join(COUNTRIES)}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Country:
    """The formats of addresses, phone numbers and titles in a country.

    `code` is ISO 3166 alpha-2 in upper case, `locale` Klarna's form of the default language ("sv-SE"), `currency`
    ISO 4217, `dialling` the international prefix with its plus. `digits` is the minimum and maximum number of digits of a
    phone number after the prefix, without a trunk zero, landlines included; `keeps_zero` says that the zero at the beginning
    is part of the number. In `mobiles`, the patterns of generated numbers, "#" stands for
    any digit and "%" for one from 1 to 9. `postal_code` is a regular expression. `titles` maps a gender to the titles of
    klarna.md §3.10, the usual one first; it is empty if Klarna defines none.
    """

    code: str
    locale: str
    currency: str
    dialling: str
    digits: tuple[int, int]
    mobiles: tuple[str, ...]
    postal_code: str
    region_needed: bool = False
    titles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keeps_zero: bool = False

    def accepts_postal_code(self, text: str) -> bool:
        """Return whether `text` has the form of a postal code, with or without surrounding spaces, in any letter case."""
        return re.fullmatch(self.postal_code, text.strip().upper(), re.ASCII) is not None

    def accepts_phone(self, text: str) -> bool:
        """Return whether `text` is a phone number in international form; a trunk zero is allowed (klarna.md §8.2)."""
        low, high = self.digits
        return re.fullmatch(rf"{re.escape(self.dialling)}0?\d{{{low},{high}}}", text) is not None

    def phone(self, text: str) -> str | None:
        """Return a phone number as people write it in international form, or None if it is none.

        It may be in national form, with or without the trunk zero, or in the international form of any country, of which the
        length is not checked.
        """
        digits = _BETWEEN_DIGITS.sub("", ascii_number(text.strip()))
        digits = "+" + digits[2:] if digits.startswith("00") else digits
        if not digits.startswith("+"):
            prefixed = digits.startswith(self.dialling[1:]) and len(digits) > self.digits[1]
            trunk = "" if self.keeps_zero else "0"
            digits = "+" + digits if prefixed else self.dialling + digits.removeprefix(trunk)
        if digits.startswith(self.dialling):
            return digits if self.accepts_phone(digits) else None
        return digits if _FOREIGN.fullmatch(digits) else None

    def gender_of(self, title: str) -> str | None:
        """Return the gender of a title, or None for an unknown title."""
        wanted = title.casefold()
        return next((gender for gender, titles in self.titles.items() if wanted in map(str.casefold, titles)), None)


_NANP_CA = ("+141655501##", "+151455501##", "+160455501##")
_NANP_US = ("+121255501##", "+131055501##", "+131255501##", "+161755501##")

_ROWS = (
    Country("AT", "de-AT", "EUR", "+43", (5, 12), ("+43664%######", "+43676%######"), _FOUR, titles=_GERMAN),
    Country("AU", "en-AU", "AUD", "+61", (9, 9), ("+614%#######",), _FOUR, region_needed=True),
    Country("BE", "nl-BE", "EUR", "+32", (8, 9), ("+3247%######", "+3248%######"), _FOUR, titles=_DUTCH),
    Country("CA", "en-CA", "CAD", "+1", (10, 10), _NANP_CA, _CANADIAN, region_needed=True),
    Country("CH", "de-CH", "CHF", "+41", (9, 9), ("+4176%######", "+4179%######"), _FOUR, titles=_SWISS),
    Country("CZ", "cs-CZ", "CZK", "+420", (9, 9), ("+42060%######", "+42077%######"), _THREE_TWO),
    Country("DE", "de-DE", "EUR", "+49", (6, 12), ("+49176%#######", "+4917139200##"), _FIVE, titles=_GERMAN),
    Country("DK", "da-DK", "DKK", "+45", (8, 8), ("+4542%#####", "+4551%#####"), _FOUR),
    Country("ES", "es-ES", "EUR", "+34", (9, 9), ("+346%#######",), _FIVE),
    Country("FI", "fi-FI", "EUR", "+358", (5, 10), ("+35840%######", "+35850%######"), _FIVE),
    Country("FR", "fr-FR", "EUR", "+33", (9, 9), ("+33639980###", "+33639981###"), _FIVE),
    Country("GB", "en-GB", "GBP", "+44", (9, 10), ("+447700900###",), _BRITISH, titles=_ENGLISH),
    Country("GR", "el-GR", "EUR", "+30", (10, 10), ("+30694%######", "+30697%######"), _THREE_TWO),
    Country("HU", "hu-HU", "HUF", "+36", (8, 9), ("+3620%######", "+3630%######"), _FOUR),
    Country("IE", "en-IE", "EUR", "+353", (7, 9), ("+35385%######", "+35387%######"), _EIRCODE),
    Country("IT", "it-IT", "EUR", "+39", (6, 11), ("+39333%######", "+39347%######"), _FIVE, keeps_zero=True),
    Country("MX", "es-MX", "MXN", "+52", (10, 10), ("+5255%#######", "+5233%#######"), _FIVE),
    Country("NL", "nl-NL", "EUR", "+31", (9, 9), ("+316%#######",), r"\d{4} ?[A-Z]{2}", titles=_DUTCH),
    Country("NO", "nb-NO", "NOK", "+47", (8, 8), ("+474%######", "+479%######"), _FOUR),
    Country("NZ", "en-NZ", "NZD", "+64", (8, 10), ("+6421%######", "+6427%######"), _FOUR),
    Country("PL", "pl-PL", "PLN", "+48", (9, 9), ("+4850%######", "+4879%######"), r"\d{2}-\d{3}"),
    Country("PT", "pt-PT", "EUR", "+351", (9, 9), ("+35191%######", "+35193%######"), r"\d{4}-\d{3}"),
    Country("RO", "ro-RO", "RON", "+40", (9, 9), ("+4072%######", "+4074%######"), r"\d{6}"),
    Country("SE", "sv-SE", "SEK", "+46", (7, 9), ("+467017406%#",), _THREE_TWO),
    Country("SK", "sk-SK", "EUR", "+421", (9, 9), ("+421905%#####", "+421911%#####"), _THREE_TWO),
    Country("US", "en-US", "USD", "+1", (10, 10), _NANP_US, r"\d{5}(-\d{4})?", region_needed=True),
)

COUNTRIES: Mapping[str, Country] = {row.code: row for row in _ROWS}
"""All countries with test shoppers, by code, in alphabetical order."""


def canonical(code: str) -> str:
    """Return the code as in orders: in upper case, and GB for UK (klarna.md C-26)."""
    upper = code.strip().upper()
    return "GB" if upper == "UK" else upper


def country(code: str) -> Country:
    """Return a country by its code, in any letter case; raises `UnknownCountry`."""
    try:
        return COUNTRIES[canonical(code)]
    except KeyError:
        raise UnknownCountry(code) from None
