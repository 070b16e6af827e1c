import pytest

from mock_klarna.domain import order as reviewing
from mock_klarna.domain.events import FraudReviewEnded
from mock_klarna.domain.records import Order, Purchase
from tests.domain.samples import NOW, order, purchase

BOTH = {"notification_url": "https://shop/news", "push_url": "https://shop/push"}


@pytest.mark.parametrize("verdict", ["ACCEPTED", "REJECTED", "STOPPED"])
def test_the_end_of_a_review_is_written_to_order_and_purchase_and_told(verdict: str) -> None:
    decision = reviewing.decide(order(), purchase("placed", fraud_status="PENDING"), verdict, NOW)
    decided, told = decision.writes
    assert isinstance(decided, Order)
    assert isinstance(told, Purchase)
    assert (decided.fraud_status, decided.version, told.fraud_status, told.version) == (verdict, 2, verdict, 4)
    assert decision.events == (
        FraudReviewEnded(purchase_id="p-1", order_id="o-1", fraud_status=verdict, event_type=f"FRAUD_RISK_{verdict}"),
    )


@pytest.mark.parametrize(
    ("verdict", "urls", "jobs"),
    [
        ("ACCEPTED", BOTH, [("notification", 0.0), ("push", 300.0)]),
        ("REJECTED", BOTH, [("notification", 0.0)]),
        ("STOPPED", BOTH, [("notification", 0.0)]),
        ("ACCEPTED", {"push_url": "https://shop/push"}, [("push", 300.0)]),
        ("ACCEPTED", {}, []),
    ],
)
def test_the_merchant_is_notified_at_once_and_an_accepted_order_is_pushed(
    verdict: str, urls: dict[str, str], jobs: list[tuple[str, float]]
) -> None:
    decision = reviewing.decide(order(**urls), purchase("placed"), verdict, NOW)
    calls = [job for job in decision.jobs if job.kind in ("notification", "push")]
    assert [(job.kind, job.due - NOW) for job in calls] == jobs


def test_a_decision_by_hand_takes_the_place_of_the_planned_one_and_of_older_news() -> None:
    decision = reviewing.decide(order(), purchase("placed"), "ACCEPTED", NOW)
    assert set(decision.cancels) == {"end_review:o-1", "notification:o-1"}
