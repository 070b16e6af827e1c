"""The rules of Order Management."""

import pytest

from tests.certify.results import outcome_of, outcomes, sent_by_a_test
from tests.certify.samples import (
    DROPPED,
    ORDER_ID,
    SAMPLES,
    Journal,
)


def test_an_order_that_is_acknowledged_while_the_push_is_answered_is_acknowledged_after_it() -> None:
    journal = Journal().placed()
    journal.acknowledged().pushed()
    journal.entries[-1]["at"] = journal.entries[-3]["at"]
    assert outcome_of("M1", journal) == "passed"


def test_an_order_of_which_the_shop_never_read_need_not_be_acknowledged() -> None:
    journal = Journal().authorized().posted(injected=DROPPED)
    journal.happened("purchase_placed", order_id="order-1", fraud_status="ACCEPTED", order_amount=124000)
    assert outcome_of("M2", journal.pushed(404).pushed(404).pushed(404)) == "inconclusive"


@pytest.mark.parametrize(
    ("first", "second", "outcome"), [(200, 200, "passed"), (200, 500, "failed"), (404, 404, "inconclusive")]
)
def test_a_second_push_is_answered_as_the_first(first: int, second: int, outcome: str) -> None:
    assert outcome_of("M3", Journal().placed().pushed(first).pushed(second)) == outcome


def test_an_extended_authorization_ends_later() -> None:
    journal = Journal().placed()
    journal.happened("authorization_time_extended", order_id="order-1", expires_at=4_000_000_000.0)
    assert outcome_of("M9", journal.later(40 * 86_400).captured()) == "passed"


@pytest.mark.parametrize(
    ("then", "outcome"),
    [((), "failed"), (("remaining_authorization_released",), "passed"), (("order_captured",), "passed")],
    ids=["closed", "released", "captured"],
)
def test_what_is_left_of_a_captured_order_is_released_before_it_is_closed(then: tuple[str, ...], outcome: str) -> None:
    journal = Journal().placed().captured()
    journal.happened("order_captured", order_id=ORDER_ID, remaining_authorized_amount=500)
    for name in then:
        journal.happened(name, order_id=ORDER_ID, remaining_authorized_amount=0)
    assert outcomes(journal.happened("order_closed", order_id=ORDER_ID))["M7"] == outcome


def test_a_shop_is_not_judged_by_orders_that_a_test_has_placed() -> None:
    journal = sent_by_a_test(SAMPLES["M2"][1](), "create_order")
    assert outcomes(journal)["M2"] == "inconclusive"
    assert outcomes(sent_by_a_test(Journal().placed("REJECTED"), "create_order"))["O7"] == "inconclusive"


def test_an_acknowledgement_of_a_test_is_not_that_of_the_shop() -> None:
    journal = sent_by_a_test(SAMPLES["M2"][0](), "acknowledge_order")
    assert (outcomes(journal)["M2"], outcomes(journal)["M1"]) == ("inconclusive", "inconclusive")
