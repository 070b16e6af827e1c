"""Cases that are tried in turn fail as tests of their own would."""

import asyncio

import pytest

from tests.cases import in_turn


@in_turn("number", [1, 2])
def _is_even(number: int) -> None:
    assert number % 2 == 0


@in_turn(("number", "most"), [(3, 2), (1, 2), (4, 2)])
async def _is_small(number: int, most: int) -> None:
    assert number <= most


def test_the_one_case_that_fails_is_named() -> None:
    with pytest.raises(AssertionError) as failure:
        _is_even()
    assert failure.value.__notes__ == ["in the case of {'number': 1}"]


def test_all_cases_that_fail_are_told_together() -> None:
    with pytest.raises(ExceptionGroup, match="2 cases failed") as failure:
        asyncio.run(_is_small())
    assert [fault.__notes__ for fault in failure.value.exceptions] == [
        ["in the case of {'number': 3, 'most': 2}"],
        ["in the case of {'number': 4, 'most': 2}"],
    ]
