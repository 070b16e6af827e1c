"""The rules of Order Management."""

import pytest

from tests.certify.results import outcome_of, outcomes, sent_by_a_test
from tests.certify.samples import DROPPED, ORDER, ORDER_ID, SAMPLES, UNAVAILABLE, URLS, Journal


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
    [
        ((), "failed"),
        (("remaining_authorization_released",), "passed"),
        (("order_captured",), "passed"),
        (("order_authorization_updated",), "passed"),
    ],
    ids=["closed", "released", "captured", "authorization reduced"],
)
def test_what_is_left_of_a_captured_order_is_released_before_it_is_closed(then: tuple[str, ...], outcome: str) -> None:
    journal = Journal().placed().captured()
    journal.happened("order_captured", order_id=ORDER_ID, captured_amount=1000, remaining_authorized_amount=500)
    for name in then:
        members = {"captured_amount": 500, "remaining_authorized_amount": 0, "order_amount": 1000}
        journal.happened(name, order_id=ORDER_ID, **members)
    assert outcomes(journal.happened("order_closed", order_id=ORDER_ID))["M7"] == outcome


def test_a_shop_is_not_judged_by_orders_that_a_test_has_placed() -> None:
    journal = sent_by_a_test(SAMPLES["M2"][1](), "create_order")
    assert outcomes(journal)["M2"] == "inconclusive"
    assert outcomes(sent_by_a_test(Journal().placed("REJECTED"), "create_order"))["O7"] == "inconclusive"


def test_an_acknowledgement_of_a_test_is_not_that_of_the_shop() -> None:
    journal = sent_by_a_test(SAMPLES["M2"][0](), "acknowledge_order")
    assert (outcomes(journal)["M2"], outcomes(journal)["M1"]) == ("inconclusive", "inconclusive")


def test_pushes_of_orders_of_one_customer_token_are_distinguished_by_their_urls() -> None:
    journal = Journal()
    for order_id in ("order-1", "order-2", "order-3"):
        journal.happened("order_from_token", order_id=order_id, customer_token="customer-token-1")
    for order_id in ("order-1", "order-2", "order-3"):
        journal.called("push", None, url=f"{URLS['push']}?order_id={order_id}")
        journal.sent("acknowledge_order", f"/ordermanagement/v1/orders/{order_id}/acknowledge", status=204)
    assert (outcome_of("M2", journal), outcome_of("M3", journal)) == ("passed", "inconclusive")


def test_pushes_of_an_order_that_is_not_known_are_not_those_of_one_order() -> None:
    assert outcome_of("M2", Journal().pushed().pushed().pushed()) == "inconclusive"


def test_a_capture_that_a_fault_answered_with_403_is_possible() -> None:
    journal = Journal().placed().captured(status=403, injected={"fault_id": "f", "status": 403})
    assert outcome_of("M7", journal) == "inconclusive"


@pytest.mark.parametrize(("status", "injected"), [(429, None), (401, None), (503, UNAVAILABLE)])
def test_a_key_belongs_to_the_requests_whose_bodies_are_known(status: int, injected: object) -> None:
    headers = {"User-Agent": "Shop/1.0", "Klarna-Idempotency-Key": "k-1"}
    journal = Journal().sent("capture_order", f"{ORDER}/captures", None, status, None, headers, injected=injected)
    assert outcome_of("M6", journal.captured()) == "passed"


def test_a_shop_is_not_judged_by_an_order_that_a_test_has_placed_with_a_customer_token() -> None:
    journal = Journal().sent("order_from_token", "/customer-token/v1/tokens/t/order", {}, 200, {"order_id": ORDER_ID})
    journal.happened("order_from_token", order_id=ORDER_ID).pushed().pushed().pushed()
    assert outcome_of("M2", journal) == "failed"
    assert outcome_of("M2", sent_by_a_test(journal)) == "inconclusive"


@pytest.mark.parametrize(("amount", "outcome"), [(1000, "failed"), (500, "passed")], ids=["same", "another part"])
def test_another_part_may_be_captured_after_a_repeated_push(amount: int, outcome: str) -> None:
    journal = Journal().placed().pushed().captured().pushed(resent=True).captured(key="k-2", amount=amount)
    assert outcome_of("M3", journal) == outcome
