"""National identification numbers with valid check digits.

The countries are those whose test shoppers have a number (klarna.md §8.2), and Denmark.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

_FI_CHECK = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ES_CHECK = "TRWAGMYFPDXBNJZSQVHLCKE"
_IT_MONTHS = "ABCDEHLMPRST"
_IT_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ROME = "H501"


def national_id(country: str, born: date, gender: str, name: tuple[str, str], serial: str) -> str | None:
    """Return a number for a person, or None if the test shoppers of the country have none.

    `name` is given and family name, which are part of an Italian number; `serial` is nine random digits.
    """
    make = _MAKERS.get(country)
    return make(born, gender == "female", name, serial) if make else None


def finnish_check(digits: str) -> str:
    """Return the last character of a Finnish number whose date and serial are these nine digits."""
    return _FI_CHECK[int(digits) % 31]


def spanish_check(digits: str) -> str:
    """Return the letter of a Spanish DNI with these eight digits."""
    return _ES_CHECK[int(digits) % 23]


def swedish_check(digits: str) -> str:
    """Return the Luhn digit of a Swedish number whose short date and serial are these nine digits."""
    doubled = "".join(str(int(digit) * (2 - place % 2)) for place, digit in enumerate(digits))
    return str(-sum(map(int, doubled)) % 10)


def norwegian_checks(digits: str) -> str:
    """Return the two check digits of a Norwegian number with these nine digits; a longer text if there are none."""
    first = -_weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -(_weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3)) + 2 * first) % 11
    return f"{first}{second}"


def danish_remainder(digits: str) -> int:
    """Return the remainder of a Danish number (ten digits), which is zero if the number is valid."""
    return _weighted(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11


def romanian_check(digits: str) -> str:
    """Return the last digit of a Romanian CNP with these twelve digits."""
    remainder = _weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return str(1 if remainder == 10 else remainder)


def greek_check(digits: str) -> str:
    """Return the last digit of a Greek tax number with these eight digits."""
    return str(_weighted(digits, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10)


def italian_check(code: str) -> str:
    """Return the last letter of an Italian codice fiscale with these fifteen characters."""
    values = [int(char) if char.isdigit() else ord(char) - ord("A") for char in code]
    return chr(ord("A") + (sum(_IT_ODD[value] for value in values[::2]) + sum(values[1::2])) % 26)


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _swedish(born: date, female: bool, _: tuple[str, str], serial: str) -> str:
    short = f"{born:%y%m%d}{serial[:2]}{_sex_digit(female, serial[2])}"
    return f"{born.year // 100}{short}{swedish_check(short)}"


def _norwegian(born: date, female: bool, _: tuple[str, str], serial: str) -> str:
    start = int(serial[:3]) % 200 * 2 + (not female) + (500 if born.year >= 2000 else 0)
    numbers = (f"{born:%d%m%y}{number:03}" for number in range(start, start + 100, 2))
    return next(digits + norwegian_checks(digits) for digits in numbers if len(norwegian_checks(digits)) == 2)


def _finnish(born: date, female: bool, _: tuple[str, str], serial: str) -> str:
    # Finland keeps the serials from 900 for test people
    day, number = f"{born:%d%m%y}", f"9{serial[0]}{_sex_digit(female, serial[1])}"
    return f"{day}{'A' if born.year >= 2000 else '-'}{number}{finnish_check(day + number)}"


def _danish(born: date, female: bool, _: tuple[str, str], serial: str) -> str:
    # numbers that fail the modulus exist since 2007, but shops still check it
    start = int(serial[:3]) * 2 + (not female) + (4000 if born.year >= 2000 else 0)
    numbers = (f"{born:%d%m%y}{number:04}" for number in range(start, start + 1000, 2))
    return next(digits for digits in numbers if not danish_remainder(digits))


def _romanian(born: date, female: bool, _: tuple[str, str], serial: str) -> str:
    sex = 1 + female + (4 if born.year >= 2000 else 0)
    digits = f"{sex}{born:%y%m%d}{int(serial[:2]) % 46 + 1:02}{int(serial[2:5]) % 999 + 1:03}"
    return digits + romanian_check(digits)


def _slovak(born: date, female: bool, _: tuple[str, str], serial: str) -> str:
    day = f"{born.year % 100:02}{born.month + 50 * female:02}{born.day:02}"
    if born.year < 1954:
        return f"{day}/{serial[:3]}"
    number = int(serial[:3])
    while (check := -int(f"{day}{number:03}0") % 11) == 10:
        number = (number + 1) % 1000
    return f"{day}/{number:03}{check}"


def _spanish(_: date, __: bool, ___: tuple[str, str], serial: str) -> str:
    return serial[:8] + spanish_check(serial[:8])


def _greek(_: date, __: bool, ___: tuple[str, str], serial: str) -> str:
    return serial[:8] + greek_check(serial[:8])


def _italian(born: date, female: bool, name: tuple[str, str], _: str) -> str:
    day = f"{born:%y}{_IT_MONTHS[born.month - 1]}{born.day + 40 * female:02}"
    code = f"{_three(*_letters(name[1]))}{_italian_given(name[0])}{day}{_ROME}"
    return code + italian_check(code)


def _italian_given(name: str) -> str:
    consonants, vowels = _letters(name)
    return _three(consonants[0] + consonants[2:] if len(consonants) > 3 else consonants, vowels)


def _letters(name: str) -> tuple[str, str]:
    plain = [char for char in unicodedata.normalize("NFD", name.upper()) if "A" <= char <= "Z"]
    return "".join(char for char in plain if char not in "AEIOU"), "".join(char for char in plain if char in "AEIOU")


def _three(consonants: str, vowels: str) -> str:
    return f"{consonants}{vowels}XXX"[:3]


def _sex_digit(female: bool, digit: str) -> int:
    return int(digit) // 2 * 2 + (not female)


_MAKERS: Mapping[str, Callable[[date, bool, tuple[str, str], str], str]] = {
    "DK": _danish,
    "ES": _spanish,
    "FI": _finnish,
    "GR": _greek,
    "IT": _italian,
    "NO": _norwegian,
    "RO": _romanian,
    "SE": _swedish,
    "SK": _slovak,
}
