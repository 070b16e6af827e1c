"""Customer tokens: their creation, their status, and the orders placed with them."""

import pytest

from mock_klarna.domain import customer_token as tokens
from mock_klarna.domain.customer_token import CustomerToken
from mock_klarna.domain.events import CustomerTokenChanged, CustomerTokenCreated, OrderFromToken
from mock_klarna.domain.records import Purchase
from mock_klarna.errors import NotAllowed
from tests.domain.samples import LENIENT, NOW, body, jobs, purchase

URLS = {"push": "https://shop/push/{order.id}"}


def token(status: str = "ACTIVE") -> CustomerToken:
    return CustomerToken(
        merchant="shop", customer_token="t-1", purchase_id="p-1", body=b"{}", created_at=NOW, status=status
    )


def test_a_token_is_created_from_an_authorization_which_is_then_placed() -> None:
    result = tokens.create(purchase(), "t-1", b"{raw}", "https://shop/thanks", NOW, LENIENT)
    created, placed = result.writes
    assert (
        created
        == result.value
        == CustomerToken(merchant="shop", customer_token="t-1", purchase_id="p-1", body=b"{raw}", created_at=NOW)
    )
    assert isinstance(placed, Purchase)
    assert (placed.state, placed.customer_token, placed.order_id) == ("placed", "t-1", None)
    assert placed.redirect_url == "https://shop/thanks"
    assert result.events == (CustomerTokenCreated(purchase_id="p-1", customer_token="t-1"),)
    assert set(result.cancels) == {"time_out:p-1", "expire:p-1"}


def test_a_used_authorization_creates_no_token() -> None:
    with pytest.raises(NotAllowed, match="already used"):
        tokens.create(purchase("placed"), "t-1", b"{}", None, NOW, LENIENT)


@pytest.mark.parametrize("status", ["SUSPENDED", "CANCELLED"])
def test_a_change_of_status_is_recorded_once(status: str) -> None:
    result = tokens.change(token(), status)
    assert (result.value.status, result.value.version) == (status, 2)
    assert result.events == (CustomerTokenChanged(purchase_id="p-1", customer_token="t-1", status=status),)
    assert tokens.change(result.value, status).events == ()


def test_a_cancelled_token_stays_cancelled() -> None:
    with pytest.raises(NotAllowed, match="cancelled"):
        tokens.change(token("CANCELLED"), "ACTIVE")


def test_an_order_is_placed_with_an_active_token_and_pushed() -> None:
    result = tokens.order(token(), "o-1", body(merchant_urls=URLS), b"{raw}", NOW)
    placed, used = result.writes
    assert placed == result.value
    assert (result.value.body, result.value.push_url) == (b"{raw}", "https://shop/push/o-1")
    assert isinstance(used, CustomerToken)
    assert (used.orders, used.version) == (1, 2)
    assert result.events == (
        OrderFromToken(
            purchase_id="p-1", customer_token="t-1", order_id="o-1", fraud_status="ACCEPTED", order_amount=124000
        ),
    )
    assert jobs(result) == [("push", 300.0)]


def test_an_order_with_auto_capture_is_captured_and_not_pushed() -> None:
    result = tokens.order(token(), "o-1", body(merchant_urls=URLS, auto_capture=True), b"{}", NOW)
    (capture,) = result.value.fulfilment.captures
    assert (capture.captured_amount, capture.capture_id, result.value.acknowledged) == (124000, "o-1", True)
    assert jobs(result) == []


@pytest.mark.parametrize("status", ["SUSPENDED", "CANCELLED"])
def test_an_order_needs_an_active_token(status: str) -> None:
    with pytest.raises(NotAllowed, match=status.lower()):
        tokens.order(token(status), "o-1", body(), b"{}", NOW)
