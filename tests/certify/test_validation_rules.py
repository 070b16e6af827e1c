"""The rules of what a shop checks before it places an order."""

from collections.abc import Callable

import pytest

from tests.certify.results import outcome_of
from tests.certify.samples import AUTHORIZED, OTHER_TOKEN, UNAVAILABLE, Journal


def test_a_shop_that_has_placed_nothing_proves_nothing_by_denying_a_cheat() -> None:
    assert outcome_of("V1", Journal().cheated("price").denied(token=OTHER_TOKEN)) == "inconclusive"
    assert outcome_of("V1", Journal().placed().cheated("discount").denied(token=OTHER_TOKEN)) == "passed"


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        (lambda: Journal().placed().cheated("price").posted(400, OTHER_TOKEN), "failed"),
        (lambda: Journal().placed().cheated("price").posted(400, OTHER_TOKEN).denied(token=OTHER_TOKEN), "failed"),
        (lambda: Journal().placed().cheated("price").posted(400, OTHER_TOKEN, order_amount=1), "passed"),
        (lambda: Journal().placed().cheated("price").posted(503, OTHER_TOKEN, UNAVAILABLE), "inconclusive"),
        (lambda: Journal().placed().cheated("price"), "passed"),
    ],
    ids=["posted", "posted before it denied", "posted with its own price", "a fault refused it", "nothing"],
)
def test_a_changed_cart_is_not_posted(journal: Callable[[], Journal], outcome: str) -> None:
    assert outcome_of("V1", journal()) == outcome


@pytest.mark.parametrize(("line_type", "outcome"), [("digital", "inconclusive"), ("physical", "failed")])
@pytest.mark.parametrize(("rule", "cheat"), [("V2", "quantity"), ("V3", "country")])
def test_a_digital_article_is_always_in_stock_and_goes_to_every_country(
    rule: str, cheat: str, line_type: str, outcome: str
) -> None:
    journal = Journal().placed().cheated(cheat)
    line = {**AUTHORIZED["order_lines"][0], "type": line_type, "quantity": 1190}
    journal.entries[-1]["request_body"]["order"] = {**AUTHORIZED, "order_lines": [line]}
    assert outcome_of(rule, journal.posted(token=OTHER_TOKEN)) == outcome
