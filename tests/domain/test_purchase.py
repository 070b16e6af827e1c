"""The commands on a purchase and the states between which they move it."""

from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna.domain import purchase as purchases
from mock_klarna.domain.events import (
    PurchaseAuthorized,
    PurchaseDeclined,
    PurchaseDenied,
    PurchaseFailed,
    PurchasePlaced,
    PurchaseTimedOut,
    SessionUpdated,
)
from mock_klarna.domain.purchase import PURCHASE_TRANSITIONS, PlacingRules, can_become
from mock_klarna.domain.records import CommandResult, Order, Outcome, Purchase
from mock_klarna.errors import BadValue, KlarnaError, NotAllowed, NotFound, StateConflict
from tests.domain.samples import LENIENT, NOW, PATIENT, STATES, STRICT, body, jobs, pending, purchase


def authorized(purchase: Purchase, rules: PlacingRules = LENIENT) -> CommandResult[Purchase]:
    return purchases.authorize(purchase, Outcome("PENDING"), "t-1", body(), b"{raw}", NOW, rules)


def test_authorizing_issues_a_token_for_an_hour_and_calls_the_merchant_at_once() -> None:
    result = authorized(purchase("started", merchant_timeout=60.0))
    after = result.value
    assert result.writes == (after,)
    assert (after.state, after.outcome, after.version) == ("authorized", Outcome("PENDING"), 4)
    assert (after.authorization_token, after.expires_at) == ("t-1", NOW + 3600)
    assert (after.order, after.order_amount) == (b"{raw}", 124000)
    assert (after.currency, after.country) == ("SEK", "SE")
    assert jobs(result) == [("place_order", 0.0), ("time_out", 60.0)]
    assert result.events == (PurchaseAuthorized(purchase_id="p-1", authorization_token="t-1", order_amount=124000),)


def test_a_setting_says_how_long_a_token_is_valid() -> None:
    result = authorized(purchase("started"), PlacingRules(token_lifetime=5.0))
    assert jobs(result) == [("place_order", 0.0), ("expire", 5.0)]


def test_a_declined_shopper_gets_a_message_and_the_merchant_is_not_called() -> None:
    result = purchases.decline(purchase("started"), "denied", "sv-SE", LENIENT)
    declined = result.value
    assert result.writes == (declined,)
    assert (declined.state, declined.consumer_message) == ("declined", "rejected_text")
    assert jobs(result) == []
    assert result.events == (PurchaseDeclined(purchase_id="p-1", reason="denied"),)


def test_a_session_fails_once_with_the_reason() -> None:
    result = purchases.fail(purchase("started"), "no answer", "sv-SE", LENIENT)
    assert result.events == (PurchaseFailed(purchase_id="p-1", reason="no answer"),)
    assert purchases.fail(purchase("failed"), "no answer", "sv-SE", LENIENT).events == ()


UPDATED = SessionUpdated(purchase_id="p-1", changed=("locale",))


def test_a_change_stores_the_session_and_raises_the_version() -> None:
    result = purchases.change_session(purchase("started"), b'{"a":1}', UPDATED)
    assert result.writes == (result.value,)
    assert (result.value.session, result.value.version, result.events) == (b'{"a":1}', 4, (UPDATED,))


@pytest.mark.parametrize("state", [state for state in STATES if state != "started"])
def test_a_session_cannot_be_changed_after_the_final_button(state: str) -> None:
    with pytest.raises(StateConflict, match=state):
        purchases.change_session(purchase(state), b"{}", UPDATED)


@pytest.mark.parametrize("status", ["ACCEPTED", "PENDING", "REJECTED"])
def test_an_outcome_is_a_status(status: str) -> None:
    assert purchases.outcome(status) == Outcome(status) == purchases.outcome({"fraud_status": status})


@pytest.mark.parametrize(
    ("after", "seconds"), [(0, 0.0), (90, 90.0), ("90s", 90.0), ("1h30m", 5400.0), ("2d", 172800.0), (None, None)]
)
def test_a_planned_outcome_says_what_follows_and_when(after: Any, seconds: float | None) -> None:
    planned = {"fraud_status": "PENDING", "then": "REJECTED", **({} if after is None else {"after": after})}
    assert purchases.outcome(planned) == Outcome("PENDING", "REJECTED", seconds)


URLS = {
    "confirmation": "https://shop/thanks?id={checkout.order.id}",
    "push": "https://shop/push/{order.id}",
    "notification": "https://shop/news",
}


def placed(
    before: Purchase | None = None, urls: dict[str, Any] | None = None, rules: PlacingRules = LENIENT, **members: Any
) -> CommandResult[tuple[Purchase, Order]]:
    return purchases.place(
        before or purchase(), URLS if urls is None else urls, body(**members), b"{raw}", "o-1", NOW, rules
    )


def test_an_order_keeps_the_posted_bytes_and_its_id_is_written_to_the_purchase() -> None:
    result = placed()
    after, order = result.value
    assert result.writes == (after, order)
    assert (order.body, order.version, order.order_amount, order.created_at) == (b"{raw}", 1, 124000, NOW)
    assert (after.state, after.version, after.order_id, after.fraud_status) == ("placed", 4, "o-1", "ACCEPTED")
    event = PurchasePlaced(purchase_id="p-1", order_id="o-1", fraud_status="ACCEPTED", order_amount=124000)
    assert result.events == (event,)


def test_placing_and_denying_cancel_the_jobs_that_would_end_the_purchase() -> None:
    assert set(placed().cancels) == {"time_out:p-1", "expire:p-1"}
    assert set(purchases.deny(purchase(), {}, NOW, LENIENT).cancels) == {"time_out:p-1", "expire:p-1"}


def test_the_order_id_replaces_the_placeholders_of_the_urls() -> None:
    after, order = placed().value
    assert after.redirect_url == "https://shop/thanks?id=o-1"
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
def test_the_confirmation_url_gets_an_order_id_only_with_the_setting(
    confirmation: str | None, switched: bool, redirect: str | None
) -> None:
    rules = PlacingRules(confirmation_order_id=switched)
    after, _ = placed(urls={"confirmation": confirmation} if confirmation else {}, rules=rules).value
    assert after.redirect_url == redirect


@pytest.mark.parametrize(
    ("status", "message", "redirected"),
    [
        ("ACCEPTED", "placed_text", True),
        ("PENDING", "placed_text", True),
        ("REJECTED", "rejected_text", False),
    ],
)
def test_a_shopper_sees_success_unless_the_order_is_rejected(status: str, message: str, redirected: bool) -> None:
    after, _ = placed(purchase(outcome=Outcome(status))).value
    assert (after.fraud_status, after.consumer_message, after.redirect_url is not None) == (status, message, redirected)


def test_an_accepted_order_is_pushed_after_five_minutes() -> None:
    assert jobs(placed()) == [("push", 300)]


@pytest.mark.parametrize("before", [pending(), purchase(outcome=Outcome("REJECTED")), pending(after=5.0)])
def test_an_order_that_is_not_accepted_is_not_pushed(before: Purchase) -> None:
    assert jobs(placed(before)) == []


@pytest.mark.parametrize(("after", "due"), [(None, 0.0), (0.0, 0.0), (7200.0, 7200.0)])
def test_a_planned_review_ends_at_the_planned_time(after: float | None, due: float) -> None:
    assert jobs(placed(pending(then="REJECTED", after=after))) == [("end_review", due)]


def test_an_order_without_a_push_url_is_not_pushed() -> None:
    assert jobs(placed(urls={})) == []


@pytest.mark.parametrize(
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
def test_an_order_must_not_differ_from_the_authorized_one(
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
def test_a_confirmation_url_is_required_only_when_strict(rules: PlacingRules, refused: bool) -> None:
    if refused:
        with pytest.raises(BadValue, match=r"merchant_urls\.confirmation"):
            placed(urls={}, rules=rules)
    else:
        assert placed(urls={}, rules=rules).writes


CODE = {"deny_code": "item_out_of_stock"}
OWN = {"deny_code": "other", "deny_message": "Only on Tuesdays."}
REDIRECT = {"deny_redirect_url": "https://shop/sorry"}


@pytest.mark.parametrize(
    ("reason", "kept", "message"),
    [
        ({}, {}, "denied_generic"),
        (CODE, CODE, "denied_item_out_of_stock"),
        ({"deny_code": "unheard_of"}, {"deny_code": "unheard_of"}, "denied_generic"),
        (OWN, OWN, "Only on Tuesdays."),
        ({**CODE, "deny_message": "Sold out."}, {**CODE, "deny_message": "Sold out."}, "Sold out."),
        ({"deny_message": "No."}, {"deny_message": "No."}, "No."),
        ({"deny_code": "", "deny_message": ""}, {}, "denied_generic"),
        (REDIRECT, REDIRECT, None),
        ({**REDIRECT, **OWN}, {**REDIRECT, **OWN}, None),
    ],
)
def test_a_denial_shows_the_redirect_or_the_message_or_the_text_of_the_code_or_the_generic_text(
    reason: dict[str, str], kept: dict[str, str], message: str | None
) -> None:
    result = purchases.deny(purchase(), reason, NOW, LENIENT)
    denied = result.value
    assert result.writes == (denied,)
    assert (denied.state, denied.deny, denied.consumer_message) == ("denied", kept, message)
    assert denied.redirect_url == reason.get("deny_redirect_url")
    assert result.events == (PurchaseDenied(purchase_id="p-1", **kept),)


def in_two_languages(locale: str, name: str) -> str:
    return f"{locale}:{name}"


def test_what_the_shopper_reads_is_in_the_language_of_the_order() -> None:
    rules = PlacingRules(text=in_two_languages)
    before = authorized(purchase("started", locale="")).value
    assert before.locale == body()["locale"] != ""
    ended = {
        "placed": purchases.place(before, {}, body(), b"{}", "o-1", NOW, rules).value[0],
        "denied": purchases.deny(before, {}, NOW, rules).value,
        "timed_out": purchases.time_out(before, rules).value,
        "expired": purchases.expire(before, rules).value,
        "declined": purchases.decline(purchase("started"), "denied", before.locale, rules).value,
        "failed": purchases.fail(purchase("started"), "no answer", before.locale, rules).value,
    }
    names = {name: (after.consumer_message or "").removeprefix(f"{before.locale}:") for name, after in ended.items()}
    assert names == {
        "placed": "placed_text",
        "denied": "denied_generic",
        "timed_out": "timed_out_text",
        "expired": "expired_text",
        "declined": "rejected_text",
        "failed": "failed_text",
    }


@pytest.mark.parametrize(
    ("timeout", "job", "due"), [(60.0, "time_out:p-1", 60), (None, "expire:p-1", 3600), (3600.0, "expire:p-1", 3600)]
)
def test_a_purchase_times_out_if_its_timeout_comes_before_the_end_of_its_token(
    timeout: float | None, job: str, due: float
) -> None:
    ending = purchases.ending(purchase(merchant_timeout=timeout), NOW)
    assert (ending.job_id, ending.due) == (job, NOW + due)


@pytest.mark.parametrize(("rules", "following"), [(LENIENT, []), (PATIENT, [("expire", 3600.0)])])
def test_a_timeout_shows_an_error_and_a_setting_keeps_the_token_valid(
    rules: PlacingRules, following: list[tuple[str, float]]
) -> None:
    result = purchases.time_out(purchase(), rules)
    ended = result.value
    assert result.writes == (ended,)
    assert (ended.state, ended.consumer_message) == ("timed_out", "timed_out_text")
    assert result.events == (PurchaseTimedOut(purchase_id="p-1", seconds=60.0),)
    assert jobs(result) == following


COMMANDS: dict[str, Callable[[Purchase, PlacingRules], CommandResult[Any]]] = {
    "authorized": authorized,
    "declined": lambda before, rules: purchases.decline(before, "denied", "sv-SE", rules),
    "failed": lambda before, rules: purchases.fail(before, "no answer", "sv-SE", rules),
    "placed": lambda before, rules: purchases.place(before, {}, body(), b"{}", "o-1", NOW, rules),
    "denied": lambda before, rules: purchases.deny(before, {}, NOW, rules),
    "timed_out": purchases.time_out,
    "expired": purchases.expire,
}


def reached(command: str, state: str, rules: PlacingRules) -> str | None:
    """Return the state that a command leads to from another, or None when it refuses or does nothing."""
    try:
        result = COMMANDS[command](purchase(state), rules)
    except (KlarnaError, StateConflict):
        return None
    return next((record.state for record in result.writes if isinstance(record, Purchase)), None)


@pytest.mark.parametrize("state", STATES)
def test_a_command_changes_the_state_only_as_the_table_allows(state: str) -> None:
    allowed = {command: command if can_become(PURCHASE_TRANSITIONS, state, command) else None for command in COMMANDS}
    assert {command: reached(command, state, PATIENT) for command in COMMANDS} == allowed


@pytest.mark.parametrize("command", ["placed", "denied"])
def test_a_token_ends_with_the_timeout_unless_a_setting_keeps_it_valid(command: str) -> None:
    assert reached(command, "timed_out", LENIENT) is None
    assert reached(command, "timed_out", PATIENT) == command


def test_every_following_state_is_in_the_table() -> None:
    for state in STATES:
        assert PURCHASE_TRANSITIONS[state] <= set(STATES) - {state}


def test_every_state_but_the_first_can_be_reached() -> None:
    assert set().union(*PURCHASE_TRANSITIONS.values()) == set(STATES) - {"started"}


@pytest.mark.parametrize(
    ("state", "rules", "refusal"),
    [
        ("started", LENIENT, NotFound),
        ("placed", LENIENT, NotAllowed),
        ("denied", LENIENT, NotAllowed),
        ("declined", LENIENT, NotFound),
        ("failed", LENIENT, NotFound),
        ("expired", LENIENT, NotFound),
        ("timed_out", LENIENT, NotFound),
        ("placed", PATIENT, NotAllowed),
        ("expired", PATIENT, NotFound),
    ],
)
@pytest.mark.parametrize("command", ["placed", "denied"])
def test_a_used_token_is_not_allowed_and_one_without_an_authorized_order_is_not_found(
    state: str, rules: PlacingRules, refusal: type[KlarnaError], command: str
) -> None:
    with pytest.raises(refusal, match=state):
        COMMANDS[command](purchase(state), rules)


@pytest.mark.parametrize(("seconds", "is_open"), [(-3600.0, True), (-0.001, True), (0.0, False), (1.0, False)])
@pytest.mark.parametrize("rules", [LENIENT, PATIENT])
def test_a_token_expires_on_time_even_before_its_job_runs(seconds: float, is_open: bool, rules: PlacingRules) -> None:
    expiring = purchase(expires_at=NOW)
    if is_open:
        purchases.require_open(expiring, NOW + seconds, rules)
        return
    with pytest.raises(NotFound, match="expired"):
        purchases.require_open(expiring, NOW + seconds, rules)
