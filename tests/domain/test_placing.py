from typing import Any

import pytest
from msgspec.structs import replace

from mock_klarna.domain import purchase as messages
from mock_klarna.domain import purchase as placing
from mock_klarna.domain.events import PurchaseDenied, PurchasePlaced, PurchaseTimedOut
from mock_klarna.domain.purchase import PlacingRules
from mock_klarna.domain.records import Decision, Order, Outcome, Purchase
from mock_klarna.errors import BadValue
from tests.cases import in_turn
from tests.domain.samples import LENIENT, NOW, PATIENT, STRICT, body, pending, purchase

URLS = {
    "confirmation": "https://shop/thanks?id={checkout.order.id}",
    "push": "https://shop/push/{order.id}",
    "notification": "https://shop/news",
}


def placed(
    held: Purchase | None = None, urls: dict[str, Any] | None = None, rules: PlacingRules = LENIENT, **members: Any
) -> Decision:
    return placing.place(
        held or purchase(), URLS if urls is None else urls, body(**members), b"{raw}", "o-1", NOW, rules
    )


def test_an_order_keeps_the_bytes_that_were_posted_and_the_purchase_learns_of_it() -> None:
    decision = placed()
    now, order = decision.writes
    assert isinstance(now, Purchase)
    assert isinstance(order, Order)
    assert (order.body, order.version, order.order_amount, order.created_at) == (b"{raw}", 1, 124000, NOW)
    assert (now.state, now.version, now.order_id, now.fraud_status) == ("placed", 4, "o-1", "ACCEPTED")
    event = PurchasePlaced(purchase_id="p-1", order_id="o-1", fraud_status="ACCEPTED", order_amount=124000)
    assert decision.events == (event,)


def test_what_waited_for_the_merchant_waits_no_longer() -> None:
    assert set(placed().cancels) == {"time_out:p-1", "expire:p-1"}
    assert set(placing.deny(purchase(), {}, NOW, LENIENT).cancels) == {"time_out:p-1", "expire:p-1"}


def test_the_order_id_stands_in_the_urls_where_the_merchant_left_a_place_for_it() -> None:
    now, order = placed().writes
    assert isinstance(now, Purchase)
    assert isinstance(order, Order)
    assert now.redirect_url == "https://shop/thanks?id=o-1"
    assert (order.push_url, order.notification_url) == ("https://shop/push/o-1", "https://shop/news")


@pytest.mark.parametrize(
    ("confirmation", "switched", "redirect"),
    [
        ("https://shop/thanks", False, "https://shop/thanks"),
        ("https://shop/thanks", True, "https://shop/thanks?order_id=o-1"),
        ("https://shop/thanks?a=1", True, "https://shop/thanks?a=1&order_id=o-1"),
        ("https://shop/{order.id}", True, "https://shop/o-1"),
        (None, True, None),
    ],
)
def test_the_confirmation_url_gets_an_order_id_only_where_that_is_switched_on(
    confirmation: str | None, switched: bool, redirect: str | None
) -> None:
    rules = PlacingRules(confirmation_order_id=switched)
    now = placed(urls={"confirmation": confirmation} if confirmation else {}, rules=rules).writes[0]
    assert isinstance(now, Purchase)
    assert now.redirect_url == redirect


@pytest.mark.parametrize(
    ("status", "message", "redirected"),
    [
        ("ACCEPTED", messages.PLACED, True),
        ("PENDING", messages.PLACED, True),
        ("REJECTED", messages.DECLINED, False),
    ],
)
def test_a_shopper_is_told_of_success_unless_the_order_is_rejected(status: str, message: str, redirected: bool) -> None:
    now = placed(purchase(outcome=Outcome(status))).writes[0]
    assert isinstance(now, Purchase)
    assert (now.fraud_status, now.consumer_message, now.redirect_url is not None) == (status, message, redirected)


def jobs(decision: Decision) -> list[tuple[str, float]]:
    return [(job.kind, job.due - NOW) for job in decision.jobs]


def test_an_accepted_order_is_pushed_after_five_minutes() -> None:
    assert jobs(placed()) == [("push", 300)]
    assert jobs(placed(rules=PlacingRules(push_schedule="push-old"))) == [("push", 120)]


@pytest.mark.parametrize("held", [pending(), purchase(outcome=Outcome("REJECTED")), pending(after=5.0)])
def test_an_order_that_is_not_accepted_is_not_pushed(held: Purchase) -> None:
    assert jobs(placed(held)) == []


@pytest.mark.parametrize(("after", "due"), [(None, 0.0), (0.0, 0.0), (7200.0, 7200.0)])
def test_a_planned_review_ends_when_it_was_planned_to(after: float | None, due: float) -> None:
    assert jobs(placed(pending(then="REJECTED", after=after))) == [("end_review", due)]


def test_no_push_url_no_push() -> None:
    assert jobs(placed(urls={})) == []


@in_turn(
    ("members", "rules", "wrong"),
    [
        ({}, LENIENT, []),
        ({"order_amount": 123999}, LENIENT, []),
        ({"order_amount": 124001}, LENIENT, ["order_amount"]),
        ({"purchase_country": "NO"}, LENIENT, []),
        ({"purchase_currency": "sek"}, STRICT, []),
        ({"purchase_currency": "NOK"}, LENIENT, ["purchase_currency"]),
        ({"purchase_currency": "NOK", "order_amount": 124001}, LENIENT, ["purchase_currency", "order_amount"]),
        ({"order_amount": 123999}, STRICT, ["order_amount"]),
        ({"order_amount": 124001}, STRICT, ["order_amount"]),
        ({"purchase_country": "NO"}, STRICT, ["purchase_country"]),
        ({"purchase_country": "se"}, STRICT, []),
    ],
)
def test_an_order_may_not_cost_more_than_the_shopper_saw(
    members: dict[str, Any], rules: PlacingRules, wrong: list[str]
) -> None:
    if not wrong:
        assert placed(rules=rules, **members).writes
        return
    with pytest.raises(BadValue) as refusal:
        placed(rules=rules, **members)
    assert [problem.path for problem in refusal.value.problems] == wrong
    assert all("as authorized" in problem.expected for problem in refusal.value.problems)


@pytest.mark.parametrize(("rules", "refused"), [(LENIENT, False), (STRICT, True)])
def test_a_confirmation_url_is_demanded_only_when_strict(rules: PlacingRules, refused: bool) -> None:
    if refused:
        with pytest.raises(BadValue, match=r"merchant_urls\.confirmation"):
            placed(urls={}, rules=rules)
    else:
        assert placed(urls={}, rules=rules).writes


CODE = {"deny_code": "item_out_of_stock"}
OWN = {"deny_code": "other", "deny_message": "Only on Tuesdays."}
REDIRECT = {"deny_redirect_url": "https://shop/sorry"}


@in_turn(
    ("reason", "kept", "message"),
    [
        ({}, {}, messages.DENIED),
        (CODE, CODE, messages.DENIED_BY_CODE["item_out_of_stock"]),
        ({"deny_code": "unheard_of"}, {"deny_code": "unheard_of"}, messages.DENIED),
        (OWN, OWN, "Only on Tuesdays."),
        ({**CODE, "deny_message": "Sold out."}, {**CODE, "deny_message": "Sold out."}, "Sold out."),
        ({"deny_message": "No."}, {"deny_message": "No."}, "No."),
        ({"deny_code": "", "deny_message": ""}, {}, messages.DENIED),
        (REDIRECT, REDIRECT, None),
        ({**REDIRECT, **OWN}, {**REDIRECT, **OWN}, None),
    ],
)
def test_a_denial_shows_the_redirect_else_the_message_else_the_codes_text_else_the_generic_one(
    reason: dict[str, str], kept: dict[str, str], message: str | None
) -> None:
    decision = placing.deny(purchase(), reason, NOW, LENIENT)
    (denied,) = decision.writes
    assert isinstance(denied, Purchase)
    assert (denied.state, denied.deny, denied.consumer_message) == ("denied", kept, message)
    assert denied.redirect_url == reason.get("deny_redirect_url")
    assert decision.events == (PurchaseDenied(purchase_id="p-1", **kept),)


@pytest.mark.parametrize("code", messages.DENIED_BY_CODE)
def test_each_predefined_deny_code_has_a_text_of_its_own(code: str) -> None:
    others = {messages.denial_message({"deny_code": other}) for other in messages.DENIED_BY_CODE if other != code}
    assert messages.denial_message({"deny_code": code}) not in others | {messages.DENIED}


def test_who_waits_for_the_merchant_is_the_shopper_first_and_the_token_after() -> None:
    held = purchase(merchant_timeout=60.0)
    assert placing.waiting(held, NOW, LENIENT).job_id == "time_out:p-1"
    assert placing.waiting(held, NOW, LENIENT).due == NOW + 60
    endless = placing.waiting(replace(held, merchant_timeout=None), NOW, LENIENT)
    assert (endless.job_id, endless.due) == ("expire:p-1", NOW + 3600)
    patient = placing.waiting(replace(held, merchant_timeout=3600.0), NOW, LENIENT)
    assert (patient.job_id, patient.due) == ("expire:p-1", NOW + 3600)


@pytest.mark.parametrize(("rules", "following"), [(LENIENT, []), (PATIENT, [("expire", 3600.0)])])
def test_a_shopper_who_stops_waiting_is_told_and_the_token_lives_on_only_if_it_may(
    rules: PlacingRules, following: list[tuple[str, float]]
) -> None:
    decision = placing.time_out(purchase(), rules)
    (ended,) = decision.writes
    assert isinstance(ended, Purchase)
    assert (ended.state, ended.consumer_message) == ("timed_out", messages.TIMED_OUT)
    assert decision.events == (PurchaseTimedOut(purchase_id="p-1", seconds=60.0),)
    assert jobs(decision) == following
