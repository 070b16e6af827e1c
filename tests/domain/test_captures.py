"""Captures and refunds of an order."""

import pytest

from mock_klarna.domain import captures
from mock_klarna.domain.events import CaptureUpdated, OrderCaptured, OrderRefunded
from mock_klarna.domain.order import balance, update_authorization
from mock_klarna.domain.records import Capture, Fulfilment, Order
from mock_klarna.errors import CaptureNotAllowed, NoSuchCapture, NotAllowed, NotFound, RefundNotAllowed
from tests.domain.samples import NOW, jobs, order

AMOUNT = 124000


def captured(*amounts: int, fraud_status: str = "ACCEPTED") -> Order:
    """Return an order with captures `c-1`, `c-2` and so on."""
    made = tuple(
        Capture(capture_id=f"c-{number}", captured_amount=amount, captured_at=NOW)
        for number, amount in enumerate(amounts, 1)
    )
    return order(fraud_status, push_url="https://shop/push", fulfilment=Fulfilment(captures=made))


def test_a_capture_takes_an_amount_and_acknowledges_the_order() -> None:
    result = captures.capture(captured(1000), "c-2", 3000, b'{"reference":"r"}', NOW)
    new = captures.find_capture(result.value, "c-2")
    assert (new.captured_amount, new.details, new.captured_at) == (3000, b'{"reference":"r"}', NOW)
    assert (result.value.acknowledged, result.value.version, result.writes) == (True, 2, (result.value,))
    event = OrderCaptured(
        purchase_id="p-1",
        order_id="o-1",
        capture_id="c-2",
        captured_amount=3000,
        remaining_authorized_amount=AMOUNT - 4000,
    )
    assert (result.events, jobs(result)) == ((event,), [("push", 0.0)])


@pytest.mark.parametrize(("amount", "allowed"), [(-1, False), (0, False), (1, True), (23000, True), (23001, False)])
def test_an_amount_from_1_to_the_remaining_one_can_be_captured(amount: int, allowed: bool) -> None:
    before = captured(AMOUNT - 23000)
    if allowed:
        after = captures.capture(before, "c-2", amount, b"{}", NOW).value
        assert balance(after, NOW).remaining == 23000 - amount
    else:
        with pytest.raises(CaptureNotAllowed, match="1 to 23000"):
            captures.capture(before, "c-2", amount, b"{}", NOW)


@pytest.mark.parametrize(
    ("status", "allowed"), [("ACCEPTED", True), ("REJECTED", True), ("PENDING", False), ("STOPPED", False)]
)
def test_a_fraud_review_can_forbid_captures(status: str, allowed: bool) -> None:
    if allowed:
        captures.require_capturable(order(status), NOW)
    else:
        with pytest.raises(CaptureNotAllowed, match="fraud review"):
            captures.require_capturable(order(status), NOW)


@pytest.mark.parametrize(("amount", "allowed"), [(0, False), (1, True), (5000, True), (5001, False)])
def test_an_amount_from_1_to_the_captured_one_can_be_refunded(amount: int, allowed: bool) -> None:
    before = captured(2000, 3000)
    if not allowed:
        with pytest.raises(RefundNotAllowed, match="1 to 5000"):
            captures.refund(before, "r-1", amount, b"{}", NOW)
        return
    result = captures.refund(before, "r-1", amount, b'{"description":"d"}', NOW)
    assert captures.find_refund(result.value, "r-1").details == b'{"description":"d"}'
    assert balance(result.value, NOW).refundable == 5000 - amount
    event = OrderRefunded(purchase_id="p-1", order_id="o-1", refund_id="r-1", refunded_amount=amount)
    assert (result.events, result.writes) == ((event,), (result.value,))


def test_an_order_of_which_everything_was_refunded_cannot_be_refunded() -> None:
    after = captures.refund(captured(1000, 2000), "r-1", 3000, b"{}", NOW).value
    with pytest.raises(RefundNotAllowed, match="Everything that was captured has been refunded"):
        captures.refund(after, "r-2", 1, b"{}", NOW)


def test_an_order_whose_authorization_was_reduced_to_nothing_cannot_be_captured() -> None:
    before = update_authorization(captured(), 0, b"{}", NOW).value
    with pytest.raises(CaptureNotAllowed, match="Nothing is left to capture"):
        captures.capture(before, "c-1", 1, b"{}", NOW)


def test_an_order_without_captures_cannot_be_refunded() -> None:
    with pytest.raises(RefundNotAllowed, match="no captures"):
        captures.refund(order("ACCEPTED"), "r-1", 1, b"{}", NOW)


@pytest.mark.parametrize(
    ("refunded", "amounts"), [(1, [1, 0, 0]), (1000, [1000, 0, 0]), (1500, [1000, 500, 0]), (6000, [1000, 2000, 3000])]
)
def test_refunds_count_against_the_oldest_captures_first(refunded: int, amounts: list[int]) -> None:
    after = captures.refund(captured(1000, 2000, 3000), "r-1", refunded, b"{}", NOW).value
    assert captures.refunded_amounts(after) == amounts


@pytest.mark.parametrize("days", captures.DUE_DATE_OPTIONS)
def test_a_due_date_is_extended_by_one_of_the_options_and_again(days: int) -> None:
    once = captures.extend_due_date(captured(1000, 2000), "c-2", days)
    twice = captures.extend_due_date(once.value, "c-2", days).value
    assert [capture.extended_days for capture in twice.fulfilment.captures] == [0, 2 * days]
    assert once.events == (CaptureUpdated(purchase_id="p-1", order_id="o-1", capture_id="c-2", changed="due_date"),)


def test_other_due_dates_are_not_allowed() -> None:
    with pytest.raises(NotAllowed, match="7 days, only by 14 or 30"):
        captures.extend_due_date(captured(1000), "c-1", 7)


def test_sending_an_invoice_again_writes_nothing_but_an_event() -> None:
    result = captures.send_out(captured(1000), "c-1")
    assert (result.value, result.writes) == (captured(1000), ())
    assert result.events == (CaptureUpdated(purchase_id="p-1", order_id="o-1", capture_id="c-1", changed="send_out"),)


def test_unknown_captures_and_refunds_are_not_found() -> None:
    with pytest.raises(NoSuchCapture, match="c-9"):
        captures.change_details(captured(1000), "c-9", b"{}", "shipping_info")
    with pytest.raises(NotFound, match="r-9"):
        captures.find_refund(captured(1000), "r-9")
    with pytest.raises(NotAllowed, match="no captures"):
        captures.send_out(order("ACCEPTED"), "c-1")
