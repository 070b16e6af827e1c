"""The rules of what a shop checks before it places an order."""

from tests.certify.results import outcome_of
from tests.certify.samples import (
    OTHER_TOKEN,
    Journal,
)


def test_a_shop_that_has_placed_nothing_proves_nothing_by_denying_a_cheat() -> None:
    assert outcome_of("V1", Journal().cheated("price").denied(token=OTHER_TOKEN)) == "inconclusive"
    assert outcome_of("V1", Journal().placed().cheated("discount").denied(token=OTHER_TOKEN)) == "passed"
