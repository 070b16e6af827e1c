import re

import pytest

from mock_klarna.shoppers import COUNTRIES, UnknownCountry, canonical, country

SERVED = "AT AU BE CA CH CZ DE DK ES FI FR GB GR HU IE IT MX NL NO NZ PL PT RO SE SK US"


def test_the_countries_are_those_with_test_data() -> None:
    assert " ".join(COUNTRIES) == SERVED


@pytest.mark.parametrize("code", ["GB", "gb", "UK", "uk", " Uk "])
def test_uk_is_another_word_for_gb(code: str) -> None:
    assert canonical(code) == country(code).code == "GB"


@pytest.mark.parametrize("code", ["XX", "", "SWE"])
def test_a_country_without_shoppers_names_those_that_have_some(code: str) -> None:
    with pytest.raises(UnknownCountry, match=f"'{code}'; countries served: AT, AU, .*, US"):
        country(code)


def test_a_row_is_about_one_country() -> None:
    for row in COUNTRIES.values():
        assert re.fullmatch(rf"[a-z]{{2}}-{row.code}", row.locale)
        assert re.fullmatch(r"[A-Z]{3}", row.currency), row
        assert all(form.startswith(row.dialling) for form in row.mobiles), row


def test_a_generated_phone_form_has_as_many_digits_as_the_country_allows() -> None:
    for row in COUNTRIES.values():
        assert all(row.accepts_phone(re.sub("[#%]", "7", form)) for form in row.mobiles), row


def test_a_postal_code_has_digits_of_ascii_as_the_dialog_demands() -> None:
    assert not country("DE").accepts_postal_code("\u0661\u0662\u0663\u0664\u0665")


def test_regions_are_needed_in_three_countries() -> None:
    assert [code for code, row in COUNTRIES.items() if row.region_needed] == ["AU", "CA", "US"]


@pytest.mark.parametrize(
    ("code", "good", "bad"),
    [
        ("SE", ["11134", "111 34", " 11134 "], ["1113", "111345", "ABCDE"]),
        ("US", ["60102", "10024-3941"], ["6010", "10024-39", "SW1A 1AA"]),
        ("GB", ["W1S 3BE", "w1s3be", "EC1A 1BB"], ["W1S", "12345"]),
        ("IE", ["D02 C838", "D6W XY00"], ["D2 C838"]),
        ("CA", ["V7H 1L9", "V7H1L9"], ["7VH 1L9"]),
        ("NL", ["1068 SR", "1068SR"], ["1068", "1068 S"]),
        ("PL", ["01-460"], ["01460"]),
        ("PT", ["1990-094"], ["1990"]),
        ("DE", ["10178", "80339 "], ["1017"]),
        ("RO", ["061357"], ["61357"]),
    ],
)
def test_a_postal_code_is_accepted_in_its_own_shape_alone(code: str, good: list[str], bad: list[str]) -> None:
    row = country(code)
    assert [text for text in good + bad if row.accepts_postal_code(text)] == good


@pytest.mark.parametrize(
    ("code", "good", "bad"),
    [
        ("SE", ["+46701740615", "+460700020020"], ["0701740615", "+4670", "+47701740615"]),
        ("DE", ["+49017614284340"], ["+49", "+49 176 14284340"]),
        ("NO", ["+4740123456"], ["+474012345", "+474012345678"]),
        ("US", ["+13106683312"], ["630-342-7187", "+1310668331"]),
    ],
)
def test_a_phone_is_accepted_in_international_form_alone(code: str, good: list[str], bad: list[str]) -> None:
    row = country(code)
    assert [text for text in good + bad if row.accepts_phone(text)] == good


def test_a_phone_is_read_as_people_type_it() -> None:
    for code, text, phone in (
        ("SE", "070-174 06 15", "+46701740615"),
        ("SE", "0046 70 1740615", "+46701740615"),
        ("SE", "46701740615", "+46701740615"),
        ("SE", "+49 176 14284340", "+4917614284340"),
        ("SE", "+4612", None),
        ("SE", "call me", None),
        ("DE", "30306900", "+4930306900"),
        ("DE", "030 306900", "+4930306900"),
        ("DE", "+49 30 306900", "+4930306900"),
        ("DE", "+49 (0)30/30-69-00", "+4930306900"),
        ("DE", "+49017614284340", "+49017614284340"),
        ("DE", "030\u2013306900", "+4930306900"),
        ("DE", "+49\u201130\u2011306900", "+4930306900"),
        ("GB", "+\u0664\u0664 \u0667\u0667\u0660\u0660 \u0669\u0660\u0660\u0661\u0662\u0663", "+447700900123"),
        ("IT", "06 6982", "+39066982"),
        ("US", "(310) 668-3312", "+13106683312"),
        ("US", "1 310 668 3312", "+13106683312"),
    ):
        assert country(code).phone(text) == phone, (code, text)


@pytest.mark.parametrize(
    ("code", "title", "gender"),
    [
        ("DE", "Frau", "female"),
        ("DE", "herr", "male"),
        ("GB", "Miss", "female"),
        ("NL", "Dhr.", "male"),
        ("CH", "Sig.ra", "female"),
        ("SE", "Herr", None),
        ("GB", "", None),
    ],
)
def test_a_title_gives_the_gender_where_titles_are_used(code: str, title: str, gender: str | None) -> None:
    assert country(code).gender_of(title) == gender


def test_titles_are_those_that_klarna_names() -> None:
    assert [code for code, row in COUNTRIES.items() if row.titles] == ["AT", "BE", "CH", "DE", "GB", "NL"]
