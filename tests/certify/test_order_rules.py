"""The rules of placing an order."""

from collections.abc import Callable

import pytest

from mock_klarna.certify import judge
from tests.certify.results import BY_ID, outcome_of
from tests.certify.samples import (
    DROPPED,
    UNAVAILABLE,
    Journal,
    unavailable,
)


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        (lambda: Journal().authorized().posted(injected=DROPPED), "failed"),
        (lambda: Journal().authorized().posted(injected=DROPPED).pushed().acknowledged(), "passed"),
    ],
    ids=["never", "acknowledged after the push"],
)
def test_a_lost_answer_has_to_be_found_out(journal: Callable[[], Journal], outcome: str) -> None:
    (result,) = judge(journal().traffic(), [BY_ID["O8"]])
    assert result.outcome == outcome
    assert {finding.severity for finding in result.findings} <= {"warning"}


@pytest.mark.parametrize(
    ("pauses", "outcome"),
    [((0.5, 1), "passed"), ((5, 1), "passed"), ((0.1,), "failed"), ((1, 0.3), "failed"), ((2, 0.7), "failed")],
    ids=str,
)
def test_pauses_between_tries_have_to_be_long_enough(pauses: tuple[float, ...], outcome: str) -> None:
    assert outcome_of("O9", unavailable(*pauses)) == outcome


def test_a_pause_in_which_the_clock_was_moved_says_nothing() -> None:
    journal = Journal().authorized().posted(503, injected=UNAVAILABLE).happened("clock_moved", seconds=60.0).posted()
    assert outcome_of("O9", journal) == "inconclusive"
