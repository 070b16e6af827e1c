"""Times, durations and days of birth."""

from datetime import date

import pytest

from mock_klarna.domain.time import EARLIEST, LATEST, SHOPPERS_DAY, is_birth, last_birth, moment, seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (EARLIEST, "1970-01-01T00:00:00.000Z"),
        (LATEST, "2999-12-31T23:59:59.000Z"),
        (1.25, "1970-01-01T00:00:01.250Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (-1e308, "0001-01-01T00:00:00.000Z"),
        (1e12, "9999-12-31T23:59:59.999Z"),
        (1e308, "9999-12-31T23:59:59.999Z"),
        (float("inf"), "9999-12-31T23:59:59.999Z"),
    ],
)
def test_every_number_of_seconds_can_be_written_as_a_time(seconds: float, text: str) -> None:
    assert moment(seconds) == text


def test_a_duration_is_a_number_of_seconds_or_numbers_with_units() -> None:
    for duration, expected in (
        (5, 5.0),
        (0.5, 0.5),
        ("0s", 0.0),
        ("90s", 90.0),
        ("1.5h", 5400.0),
        ("1h30m", 5400.0),
        ("48h", 172800.0),
        ("2d", 172800.0),
        ("250ms", 0.25),
        ("1m1ms", 60.001),
    ):
        assert seconds(duration) == pytest.approx(expected), duration


@pytest.mark.parametrize("text", ["", "5", "h", "5 m", "-5m", "5w", "1h-30m", "1h 30m", "5M", "1e3s", "5m\n"])
def test_an_invalid_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="90s"):
        seconds(text)


@pytest.mark.parametrize(
    "text", ["1980-02-30", "1900-02-29", "1899-12-31", "2026-01-02", "2999-01-01", "1980-00-10", "1980-1-1", ""]
)
def test_a_day_that_does_not_exist_or_cannot_be_a_birth_is_refused(text: str) -> None:
    assert not is_birth(text, date(2026, 1, 1))


@pytest.mark.parametrize("text", ["1900-01-01", "1980-02-29", "2026-01-01"])
def test_a_day_from_1900_to_today_can_be_a_birth(text: str) -> None:
    assert is_birth(text, date(2026, 1, 1))


def test_a_clock_that_is_behind_does_not_refuse_test_shoppers() -> None:
    assert last_birth(date(1970, 1, 1)) == SHOPPERS_DAY
    assert last_birth(date(2030, 5, 1)) == date(2030, 5, 1)
