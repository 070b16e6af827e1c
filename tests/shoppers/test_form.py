"""How the fields of the form are read."""

import pytest

from mock_klarna.shoppers.form import read_date


@pytest.mark.parametrize(
    ("text", "locale", "iso"),
    [
        ("1985-10-20", "sv-SE", "1985-10-20"),
        ("19851020", "sv-SE", "1985-10-20"),
        ("01011980", "de-DE", "1980-01-01"),
        ("1.1.1980", "de-DE", "1980-01-01"),
        (" 20. 10. 1985 ", "de-DE", "1985-10-20"),
        ("19121985", "de-DE", "1985-12-19"),
        ("10/20/1985", "en-US", "1985-10-20"),
        ("10201985", "en-US", "1985-10-20"),
        ("01/02/1980", "en-GB", "1980-02-01"),
    ],
)
def test_a_date_is_read_in_the_order_of_the_locale(text: str, locale: str, iso: str) -> None:
    assert read_date(text, locale) == iso


@pytest.mark.parametrize("text", ["20/10/1985", "1985-02-29", "yesterday", "1985", "1.1.80"])
def test_a_text_that_is_no_date_stays_as_it_is(text: str) -> None:
    assert read_date(text, "en-US") == text
