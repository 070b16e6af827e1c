"""The commands on a placed order: the end of a review, acknowledging, cancelling, closing, extending."""

import pytest

from mock_klarna.domain import order as orders
from mock_klarna.domain.events import FraudReviewEnded, OrderCancelled
from mock_klarna.domain.purchase import FRAUD_TRANSITIONS, can_become
from mock_klarna.domain.records import Capture, Fulfilment, Purchase
from mock_klarna.errors import NotAllowed, StateConflict
from tests.domain.samples import NOW, jobs, order, purchase

BOTH = {"notification_url": "https://shop/news", "push_url": "https://shop/push"}
CAPTURED = Fulfilment(captures=(Capture(capture_id="c-1", captured_amount=1000, captured_at=NOW),))


@pytest.mark.parametrize("status", ["ACCEPTED", "REJECTED", "STOPPED"])
def test_the_end_of_a_review_is_written_to_order_and_purchase(status: str) -> None:
    result = orders.end_review(order(), purchase("placed", fraud_status="PENDING"), status, NOW)
    reviewed, of_purchase = result.writes
    assert reviewed == result.value
    assert isinstance(of_purchase, Purchase)
    assert (result.value.fraud_status, reviewed.version) == (status, 2)
    assert (of_purchase.fraud_status, of_purchase.version) == (status, 4)
    assert result.events == (
        FraudReviewEnded(purchase_id="p-1", order_id="o-1", fraud_status=status, event_type=f"FRAUD_RISK_{status}"),
    )


@pytest.mark.parametrize(
    ("status", "urls", "expected"),
    [
        ("ACCEPTED", BOTH, [("push", 300.0), ("notification", 0.0)]),
        ("REJECTED", BOTH, [("notification", 0.0), ("cancel_rejected", 14400.0)]),
        ("STOPPED", BOTH, [("notification", 0.0)]),
        ("ACCEPTED", {"push_url": "https://shop/push"}, [("push", 300.0)]),
        ("REJECTED", {}, [("cancel_rejected", 14400.0)]),
        ("ACCEPTED", {}, []),
    ],
)
def test_the_merchant_is_notified_at_once_and_an_accepted_order_is_pushed(
    status: str, urls: dict[str, str], expected: list[tuple[str, float]]
) -> None:
    assert jobs(orders.end_review(order(**urls), purchase("placed"), status, NOW)) == expected


def test_the_end_of_a_review_cancels_its_planned_end_and_an_older_notification() -> None:
    result = orders.end_review(order(), purchase("placed"), "ACCEPTED", NOW)
    assert set(result.cancels) == {"end_review:o-1", "notification:o-1"}


@pytest.mark.parametrize("following", FRAUD_TRANSITIONS)
@pytest.mark.parametrize("status", FRAUD_TRANSITIONS)
def test_a_review_ends_as_the_table_of_fraud_statuses_allows(status: str, following: str) -> None:
    if can_become(FRAUD_TRANSITIONS, status, following):
        assert orders.end_review(order(status), purchase("placed"), following, NOW).value.fraud_status == following
    else:
        with pytest.raises(StateConflict, match=status):
            orders.end_review(order(status), purchase("placed"), following, NOW)


def test_an_order_is_acknowledged_once_and_again_without_a_change() -> None:
    first = orders.acknowledge(order("ACCEPTED", **BOTH), NOW)
    assert (first.value.acknowledged, jobs(first)) == (True, [("push", 0.0)])
    again = orders.acknowledge(first.value, NOW)
    assert (again.value, again.writes, again.events, jobs(again)) == (first.value, (), (), [])


def test_cancelling_ends_the_pushes_and_the_jobs_of_the_review() -> None:
    result = orders.cancel(order(**BOTH), NOW)
    assert result.events == (OrderCancelled(purchase_id="p-1", order_id="o-1", reason="by the merchant"),)
    assert (orders.balance(result.value, NOW).status, jobs(result)) == ("CANCELLED", [("push", 0.0)])
    assert set(result.cancels) == {"end_review:o-1", "cancel_rejected:o-1"}


def test_only_a_rejected_order_without_captures_is_cancelled_after_its_review() -> None:
    assert orders.cancel_rejected(order("REJECTED"), NOW).value.fulfilment.ended == "CANCELLED"
    for other in (order("ACCEPTED"), order("REJECTED", fulfilment=CAPTURED)):
        assert orders.cancel_rejected(other, NOW).writes == ()


def test_closing_keeps_what_was_captured_and_ends_the_pushes() -> None:
    result = orders.close(order("ACCEPTED", fulfilment=CAPTURED, **BOTH))
    balance = orders.balance(result.value, NOW)
    assert (balance.status, balance.captured, balance.remaining, jobs(result)) == ("CLOSED", 1000, 0, [("push", 0.0)])


DAY = 86400


@pytest.mark.parametrize(("days", "valid_for"), [(0, 28), (10, 38), (27, 55), (27.9, 55.9)])
def test_an_extended_authorization_ends_28_days_later(days: float, valid_for: float) -> None:
    extended = orders.extend(order("ACCEPTED"), NOW + days * DAY).value
    assert orders.expires_at(extended) == pytest.approx(NOW + valid_for * DAY)


def test_no_authorization_is_extended_beyond_180_days_or_after_its_end() -> None:
    late = order("ACCEPTED", fulfilment=Fulfilment(expires_at=NOW + 179 * DAY))
    assert orders.expires_at(orders.extend(late, NOW + 178 * DAY).value) == NOW + 180 * DAY
    with pytest.raises(NotAllowed, match="expired"):
        orders.extend(order("ACCEPTED"), NOW + 28 * DAY)
