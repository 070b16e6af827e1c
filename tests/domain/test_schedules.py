from itertools import accumulate, count, takewhile

import pytest

from mock_klarna.domain.callbacks import SCHEDULES, first_pause, pause_after

MINUTE, HOUR = 60, 3600


def tries(schedule: str) -> list[int]:
    """Return when each try is made, as whoever repeats it finds out: by the first pause and those that follow."""
    pauses = takewhile(lambda pause: pause is not None, (pause_after(schedule, number) for number in count(1)))
    return list(accumulate((pause for pause in pauses if pause is not None), initial=first_pause(schedule)))


def test_a_push_is_tried_at_first_often_then_every_four_hours_for_two_days() -> None:
    first = [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE]
    assert tries("push") == [*first, *range(5 * HOUR, 48 * HOUR + 1, 4 * HOUR)]


def test_the_older_push_is_tried_every_two_hours_for_two_days() -> None:
    assert tries("push-old") == [2 * MINUTE + 2 * HOUR * number for number in range(24)]


def test_a_notification_is_tried_every_ten_minutes_for_a_day() -> None:
    assert tries("notification") == [10 * MINUTE * number for number in range(145)]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_after_the_last_try_there_is_none(schedule: str) -> None:
    most = len(SCHEDULES[schedule])
    assert pause_after(schedule, most - 1) is not None
    assert pause_after(schedule, most) is None
    assert pause_after(schedule, most + 5) is None
