"""The rules of the callbacks place_order and update."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from mock_klarna.certify import Traffic, judge
from mock_klarna.certify.traffic import WRONG_SECRET
from tests.certify.results import BY_ID, outcome_of, result_of
from tests.certify.samples import AUTHORIZED, DROPPED, EXPIRED, FORGED, OTHER_TOKEN, UNAVAILABLE, Journal


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        (lambda: Journal().called_back(FORGED, forged=True), "inconclusive"),
        (lambda: Journal().called_back(FORGED, 500, forged=True), "inconclusive"),
        (lambda: Journal().called_back(FORGED, 403, forged=True), "passed"),
        (lambda: Journal().called_back(FORGED, forged=True).denied(404, FORGED), "passed"),
        (lambda: Journal().called_back(FORGED, forged=True).read(404, FORGED).posted(404, FORGED), "failed"),
    ],
    ids=["200 and nothing else", "500 and nothing else", "403", "denied", "read and placed all the same"],
)
def test_what_a_shop_does_with_a_forged_callback_decides(journal: Callable[[], Journal], outcome: str) -> None:
    assert outcome_of("C4", journal()) == outcome


def test_a_forged_callback_is_no_authorization_that_has_to_be_decided() -> None:
    journal = Journal().placed().called_back(FORGED, 404, forged=True)
    assert outcome_of("D4", journal) == "inconclusive"
    assert outcome_of("C1", journal) == "passed"


@pytest.mark.parametrize(("status", "outcome"), [(200, "inconclusive"), (404, "passed")])
def test_a_late_callback_that_is_only_answered_shows_nothing_unless_it_is_refused(status: int, outcome: str) -> None:
    journal = Journal().called_back(status=None, drop=True).happened(EXPIRED).called_back(status=status, resent=True)
    assert outcome_of("C6", journal) == outcome
    assert outcome_of("D4", journal) == "inconclusive"


@pytest.mark.parametrize("rule", ["C1", "C2", "D4"])
def test_time_limits_and_refusals_are_not_judged_where_a_fault_was_injected(rule: str) -> None:
    journal = Journal().authorized(status=500).posted(503, injected=UNAVAILABLE)
    journal.later(20).happened("purchase_timed_out", seconds=60.0)
    assert outcome_of(rule, journal) == "inconclusive"


def test_slow_decisions_are_an_error_after_ten_seconds() -> None:
    (result,) = judge(Journal().authorized().later(20).posted().traffic(), [BY_ID["C2"]])
    assert [finding.severity for finding in result.findings] == ["error"]


def test_a_second_authorization_may_be_denied_for_want_of_stock() -> None:
    denied = Journal().placed().called_back(OTHER_TOKEN).denied(token=OTHER_TOKEN, deny_code="item_out_of_stock")
    assert outcome_of("C7", denied) == "inconclusive"


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        (lambda: Journal().authorized().read().posted(), "passed"),
        (lambda: Journal().authorized().read(503).read().posted(), "passed"),
        (lambda: Journal().authorized().read(503).posted(), "failed"),
        (lambda: Journal().authorized().posted(400).read().posted(), "failed"),
        (lambda: lost_read(Journal().authorized().read().posted()), "failed"),
    ],
    ids=["read", "read again", "not answered", "posted first", "answer lost"],
)
def test_an_authorization_is_read_when_the_shop_got_it(journal: Callable[[], Journal], outcome: str) -> None:
    assert outcome_of("C3", journal()) == outcome


def lost_read(journal: Journal) -> Journal:
    """Lose the answers to the requests that read."""
    for entry in journal.entries:
        if entry["name"] == "get_authorization":
            entry["injected"] = DROPPED
    return journal


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        (lambda: Journal().authorized().posted(400, order_amount=1).posted().authorized(), "passed"),
        (lambda: Journal().authorized().posted(400).authorized(), "inconclusive"),
        (lambda: Journal().authorized().authorized(), "inconclusive"),
        (lambda: Journal().authorized().denied().authorized(), "passed"),
    ],
    ids=["corrected after 400", "refused", "nothing", "denied"],
)
def test_a_repeated_callback_is_judged_by_what_follows_the_decision(
    journal: Callable[[], Journal], outcome: str
) -> None:
    assert outcome_of("C5", journal()) == outcome


def test_a_shop_may_deny_a_cart_again_where_klarna_failed() -> None:
    journal = Journal().placed().called_back(OTHER_TOKEN).read(503, OTHER_TOKEN)
    journal.entries[-1]["injected"] = UNAVAILABLE
    assert outcome_of("C7", journal.denied(token=OTHER_TOKEN, deny_code="other")) == "inconclusive"


@pytest.mark.parametrize(("line_type", "outcome"), [("gift_card", "inconclusive"), ("surcharge", "failed")])
def test_a_voucher_may_be_accepted_once_only(line_type: str, outcome: str) -> None:
    lines = [AUTHORIZED["order_lines"][0], {**AUTHORIZED["order_lines"][1], "type": line_type}]
    journal = Journal().authorized(order_lines=lines).posted()
    again = {**journal.entries[1]["request_body"], "authorization_token": OTHER_TOKEN}
    journal.called("place_order", again).denied(token=OTHER_TOKEN, deny_code="other")
    assert outcome_of("C7", journal) == outcome


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("klarna/6f1ec1a9d2b84c7e93d1", "passed"),
        ("klarna?key=7f3c0ad2-53a1-4c0e-9a51-8f1f4f9f2b77", "passed"),
        ("klarna?key=q8Zt-4kLmW_1xYv0BnA2", "passed"),
        ("klarna-place-order-v2", "failed"),
        ("klarna_order_callback_20260131", "failed"),
        ("klarna?merchant=PK00000_9ef50d19b0e3", "failed"),
    ],
)
def test_words_and_the_username_are_no_secret(path: str, outcome: str) -> None:
    traffic = Traffic("PK00000_9ef50d19b0e3", Journal().authorized(url=f"https://shop.example.com/{path}").entries)
    (result,) = judge(traffic, [BY_ID["C8"]])
    assert result.outcome == outcome


def test_an_update_is_judged_by_what_klarna_made_of_its_own_answer() -> None:
    journal = Journal().called("update", {}, 304).called("update", {}, 500)
    journal.happened("update_ignored", reason="answered 500").later(60).called("update", {}, 200)
    result = result_of("C10", journal)
    assert (result.cases, result.broken) == (3, 1)
    assert result.findings[0].evidence == ("/_mock/journal/2", "/_mock/journal/3")


@pytest.mark.parametrize(("outcome", "result"), [("refused", "passed"), ("timed_out", "failed")])
def test_a_shop_has_the_time_since_a_callback_reached_it(outcome: str, result: str) -> None:
    journal = Journal().authorized(status=None)
    journal.entries[-1]["outcome"] = outcome
    assert outcome_of("C2", journal.later(30).authorized().posted()) == result


@pytest.mark.parametrize(
    ("react", "outcome"),
    [
        (lambda journal: journal, "passed"),
        (lambda journal: journal.read(token=OTHER_TOKEN), "failed"),
        (lambda journal: journal.posted(token=OTHER_TOKEN), "failed"),
    ],
    ids=["nothing", "read", "placed"],
)
def test_a_callback_with_a_wrong_secret_leads_to_nothing(react: Callable[[Journal], Journal], outcome: str) -> None:
    journal = Journal().placed()
    body = {**journal.entries[2]["request_body"], "authorization_token": OTHER_TOKEN}
    journal.called("place_order", body, 403, f"https://shop.example.com/klarna/{WRONG_SECRET}")
    journal.happened("purchase_timed_out", seconds=60.0, purchase_id="purchase-2")
    assert outcome_of("C8", react(journal)) == outcome
    assert (outcome_of("C1", journal), outcome_of("D4", journal)) == ("passed", "inconclusive")


def test_a_late_order_is_posted_again_after_a_fault() -> None:
    journal = Journal().called_back(status=None, drop=True).happened(EXPIRED).called_back(resent=True)
    journal.posted(503, injected=UNAVAILABLE).posted(404)
    assert outcome_of("C6", journal) == "passed"


@pytest.mark.parametrize(("seconds", "outcome"), [(0, "inconclusive"), (-7200, "failed")], ids=["during", "before"])
def test_a_shop_is_not_slow_where_the_clock_was_moved_before_it_answered(seconds: float, outcome: str) -> None:
    journal = Journal().happened("clock_moved", seconds=3600.0).later(3600).happened("purchase_timed_out", seconds=60.0)
    journal.entries[0]["at"] = _at(seconds)
    journal.authorized()
    journal.entries[-1]["at"] = _at(0)
    assert outcome_of("C1", journal) == outcome
    assert outcome_of("C2", journal.posted()) == outcome


def _at(seconds: float) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()
