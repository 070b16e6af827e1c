"""Times and durations."""

import pytest

from mock_klarna.domain.time import EARLIEST, LATEST, moment, seconds


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


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
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
    ],
)
def test_a_duration_is_a_number_of_seconds_or_numbers_with_units(duration: float | str, expected: float) -> None:
    assert seconds(duration) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "5", "h", "5 m", "-5m", "5w", "1h-30m", "1h 30m", "5M", "1e3s", "5m\n"])
def test_an_invalid_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="90s"):
        seconds(text)
