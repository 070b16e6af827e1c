from datetime import date

import pytest

from mock_klarna.shoppers import COUNTRIES, person
from mock_klarna.shoppers import national_ids as ids
from tests.extent import extent

LISTED = ["DK", "ES", "FI", "GR", "IT", "NO", "RO", "SE", "SK"]
YOUNG = date(2005, 3, 9)


def is_right(code: str, number: str) -> bool:
    digits = "".join(char for char in number if char.isdigit())
    tests = {
        "DK": lambda: ids.danish_remainder(number) == 0,
        "ES": lambda: ids.spanish_check(digits) == number[-1],
        "FI": lambda: ids.finnish_check(number[:6] + number[7:10]) == number[10:],
        "GR": lambda: ids.greek_check(number[:8]) == number[8:],
        "IT": lambda: ids.italian_check(number[:15]) == number[15:],
        "NO": lambda: ids.norwegian_checks(number[:9]) == number[9:],
        "RO": lambda: ids.romanian_check(number[:12]) == number[12:],
        "SE": lambda: ids.swedish_check(number[2:11]) == number[11:],
        "SK": lambda: len(digits) == 9 or int(digits) % 11 == 0,
    }
    return tests[code]()


def test_the_numbers_of_the_test_data_have_right_check_digits() -> None:
    for code, number in (
        ("ES", "99999999R"),
        ("FI", "190122-829F"),
        ("GR", "090000045"),
        ("IT", "RSSBNC80A41H501B"),
        ("NO", "01087000571"),
        ("NO", "01087000148"),
        ("RO", "1701225193558"),
        ("SE", "194103219202"),
        ("SE", "194110288083"),
        ("SK", "000101/0009"),
        ("SK", "000101/0020"),
    ):
        assert is_right(code, number), (code, number)


@pytest.mark.parametrize("code", LISTED)
def test_a_made_up_number_has_right_check_digits(code: str) -> None:
    people = [person(code, str(seed)) for seed in range(50)]
    assert all(is_right(code, one.customer["national_identification_number"]) for one in people)


@pytest.mark.parametrize("code", LISTED)
def test_a_number_is_right_in_every_century(code: str) -> None:
    dates = ("1947-12-31", "1953-01-01", "1954-01-01", "1999-12-31", "2000-02-29", "2005-03-09")
    seeds = range(extent(usual=5, thorough=20))
    people = [person(code, str(seed), {"date_of_birth": born}) for seed in seeds for born in dates]
    assert all(is_right(code, one.customer["national_identification_number"]) for one in people)


def test_other_countries_give_no_number() -> None:
    numbered = [code for code in COUNTRIES if "national_identification_number" in person(code, "1").customer]
    assert numbered == LISTED


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("DK", "090305"),
        ("FI", "090305A"),
        ("NO", "090305"),
        ("SE", "20050309"),
    ],
)
@pytest.mark.parametrize("gender", ["female", "male"])
def test_northern_numbers_contain_birth_and_gender(code: str, start: str, gender: str) -> None:
    number = ids.national_id(code, YOUNG, gender, ("Kim", "Berg"), "123456789") or ""
    last = {"DK": number[9:], "FI": number[9:10], "NO": number[8:9], "SE": number[10:11]}[code]
    assert number.startswith(start)
    assert int(last) % 2 == (gender == "male")


@pytest.mark.parametrize(
    ("code", "gender", "start"),
    [("RO", "female", "6050309"), ("RO", "male", "5050309"), ("SK", "female", "055309/"), ("SK", "male", "050309/")],
)
def test_eastern_numbers_contain_birth_and_gender(code: str, gender: str, start: str) -> None:
    number = ids.national_id(code, YOUNG, gender, ("Kim", "Berg"), "123456789")
    assert number is not None
    assert number.startswith(start)


@pytest.mark.parametrize(
    ("given", "family", "letters"),
    [
        ("Bianca", "Rossi", "RSSBNC"),
        ("Gianfranco", "Rossi", "RSSGFR"),
        ("Ada", "Fo", "FOXDAA"),
        ("Nicolò", "D'Angelo", "DNGNCL"),
    ],
)
def test_an_italian_number_spells_the_name(given: str, family: str, letters: str) -> None:
    number = ids.national_id("IT", date(1980, 1, 1), "female", (given, family), "123456789")
    assert number is not None
    assert number.startswith(f"{letters}80A41H501")
    assert is_right("IT", number)


def test_finnish_numbers_are_those_kept_for_test_people() -> None:
    numbers = [person("FI", str(seed)).customer["national_identification_number"] for seed in range(20)]
    assert {number[7] for number in numbers} == {"9"}
