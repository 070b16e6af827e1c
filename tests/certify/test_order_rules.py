"""The rules of placing an order."""

from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna.certify import judge
from tests.certify.results import BY_ID, outcome_of, result_of
from tests.certify.samples import AUTHORIZED, DROPPED, ORDER_ID, OTHER_TOKEN, UNAVAILABLE, Journal, unavailable


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


@pytest.mark.parametrize(
    ("amount", "outcome"), [(5000, "failed"), (0, "inconclusive")], ids=["costs something", "is free"]
)
def test_a_free_shipping_line_need_not_be_posted(amount: int, outcome: str) -> None:
    article, fee = AUTHORIZED["order_lines"]
    journal = Journal().authorized(order_lines=[article, {**fee, "total_amount": amount}]).posted(order_lines=[article])
    assert outcome_of("O3", journal) == outcome


@pytest.mark.parametrize(
    ("token", "outcome"),
    [(OTHER_TOKEN, "failed"), ("token-1", "passed")],
    ids=["another purchase", "the same purchase"],
)
def test_two_orders_have_different_references_although_their_bodies_are_the_same(token: str, outcome: str) -> None:
    journal = Journal().authorized().posted().called_back(OTHER_TOKEN).posted(token=token, order_id="order-2")
    assert outcome_of("O4", journal) == outcome


def test_a_reference_that_klarna_refused_to_change_does_not_count() -> None:
    journal = Journal().authorized().posted(merchant_reference1="")
    path = f"/ordermanagement/v1/orders/{ORDER_ID}/merchant-references"
    assert (
        outcome_of("O4", journal.sent("update_merchant_references", path, {"merchant_reference1": "1"}, 403))
        == "failed"
    )
    assert (
        outcome_of("O4", journal.sent("update_merchant_references", path, {"merchant_reference1": "1"}, 204))
        == "passed"
    )


def test_sums_of_a_page_that_is_refused_are_found() -> None:
    problem = {"path": "order_lines[0].total_tax_amount", "rule": "line_tax", "value": 1, "expected": "23800"}
    assert outcome_of("O2", Journal().placed().page(problem)) == "failed"


def test_an_order_that_was_posted_again_and_refused_by_a_fault_was_posted_again() -> None:
    journal = Journal().authorized().posted(injected=DROPPED)
    again: dict[str, Any] = {
        "path": "/instantshopping/v1/authorizations/token-1/orders",
        "status": 503,
        "injected": UNAVAILABLE,
    }
    assert outcome_of("O8", journal.sent("create_order", **again)) == "passed"


@pytest.mark.parametrize("fraud_status", ["REJECTED", "STOPPED"])
def test_an_order_that_the_review_refused_is_not_captured(fraud_status: str) -> None:
    journal = Journal().placed("PENDING")
    journal.happened("fraud_review_ended", order_id=ORDER_ID, fraud_status=fraud_status)
    assert outcome_of("O7", journal) == "passed"
    (finding,) = result_of("O7", journal.captured(status=403)).findings
    assert finding.observation.seen == f"capture_order of an order that is {fraud_status}"


@pytest.mark.parametrize(("pause", "outcome"), [(0.6, "failed"), (1, "passed")])
def test_a_retry_after_429_waits_until_the_limit_has_ended(pause: float, outcome: str) -> None:
    journal = Journal().authorized().posted(429, injected={"fault_id": "f", "status": 429}).later(pause - 1).posted()
    assert outcome_of("O9", journal) == outcome


def test_what_lib_js_sends_again_is_no_retry_of_the_shop() -> None:
    journal = Journal().page(name="sdk_wait").later(-0.9).page(name="sdk_wait")
    journal.entries[0] |= {"status": 503, "injected": UNAVAILABLE}
    assert outcome_of("O9", journal) == "inconclusive"


def test_an_order_may_be_captured_after_it_was_accepted_and_before_it_is_stopped() -> None:
    journal = Journal().placed("PENDING")
    journal.happened("fraud_review_ended", order_id=ORDER_ID, fraud_status="ACCEPTED").captured()
    journal.happened("fraud_review_ended", order_id=ORDER_ID, fraud_status="STOPPED")
    assert (outcome_of("O6", journal), outcome_of("O7", journal)) == ("passed", "passed")
