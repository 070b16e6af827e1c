"""Times as they are written, whatever the number."""

import pytest

from mock_klarna.domain.time import EARLIEST, LATEST, moment


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
