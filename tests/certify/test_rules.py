"""Each rule passes for a journal that obeys it, and finds what breaks it."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mock_klarna.certify import RULES, Gaps, Traffic, judge
from mock_klarna.certify.rule import Observation, Severity, broken, nothing
from mock_klarna.certify.traffic import OWN_AGENT
from tests.certify.samples import (
    AUTHORIZATION,
    BUTTON_KEY,
    DROPPED,
    EXPIRED,
    FORGED,
    ORDER,
    ORDER_ID,
    OTHER_TOKEN,
    SAMPLES,
    UNAVAILABLE,
    URLS,
    Journal,
    unavailable,
)

BY_ID = {rule.id: rule for rule in RULES}
UNDECIDED = [rule.id for rule in RULES if rule.look is nothing]


def outcomes(journal: Journal, dropped: int = 0) -> dict[str, str]:
    return {result.rule.id: result.outcome for result in judge(journal.traffic(dropped))}


def test_every_rule_that_can_be_decided_has_a_sample_but_the_one_of_regions() -> None:
    assert set(SAMPLES) | {"T4"} == set(BY_ID) - set(UNDECIDED)


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_journal_that_obeys_a_rule_passes(rule: str) -> None:
    assert outcomes(SAMPLES[rule][0]())[rule] == "passed"


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_journal_that_breaks_a_rule_has_a_finding_with_evidence(rule: str) -> None:
    journal = SAMPLES[rule][1]()
    (result,) = judge(journal.traffic(), [BY_ID[rule]])
    assert result.outcome == "failed"
    positions = {entry["seq"] for entry in journal.entries}
    for finding in result.findings:
        assert finding.observation.seen
        assert finding.observation.expected
        assert set(finding.observation.entries) <= positions
        assert finding.observation.entries


@pytest.mark.parametrize("rule", UNDECIDED)
def test_a_rule_that_the_journal_cannot_decide_is_inconclusive(rule: str) -> None:
    assert outcomes(Journal().placed())[rule] == "inconclusive"


def test_a_purchase_that_goes_well_breaks_no_rule() -> None:
    journal = Journal().placed().pushed().acknowledged().captured()
    assert "failed" not in outcomes(journal).values()


def test_an_empty_journal_decides_nothing() -> None:
    assert set(outcomes(Journal()).values()) == {"inconclusive"}


def test_a_rule_that_was_obeyed_is_inconclusive_where_the_journal_dropped_entries() -> None:
    assert outcomes(Journal().placed(), dropped=3)["C3"] == "inconclusive"
    assert outcomes(SAMPLES["C3"][1](), dropped=3)["C3"] == "failed"


@pytest.mark.parametrize("country", ["US", "GB"])
def test_missing_push_urls_are_an_error_where_they_are_required(country: str) -> None:
    journal = Journal().button(merchant_urls={"terms": "https://shop.example.com"})
    (result,) = judge(journal.authorized(purchase_country=country).posted().traffic(), [BY_ID["K3"]])
    assert [finding.severity for finding in result.findings] == ["error"]


@pytest.mark.parametrize("rule", ["C5", "O8", "O11", "M6"])
def test_a_request_that_a_fault_refused_is_not_compared_with_the_next_one(rule: str) -> None:
    refused = {"fault_id": "f", "status": 503}
    journal = Journal().button().authorized().sent("create_order", ORDERS_OF_TOKEN, None, 503, injected=refused)
    journal.posted(injected={"fault_id": "f", "drop": True}).sent(
        "create_order", ORDERS_OF_TOKEN, None, 503, injected=refused
    )
    headers = {"User-Agent": "Shop/1.0", "Klarna-Idempotency-Key": "k-1"}
    journal.posted().authorized().sent("capture_order", f"{ORDER}/captures", None, 503, None, headers, injected=refused)
    journal.captured()
    assert outcomes(journal)[rule] == "passed"


def test_slow_decisions_are_an_error_after_ten_seconds() -> None:
    (result,) = judge(Journal().authorized().later(20).posted().traffic(), [BY_ID["C2"]])
    assert [finding.severity for finding in result.findings] == ["error"]


@pytest.mark.parametrize(
    "url", ["http://localhost:3000/p", "http://shop:3000/p", "http://10.0.0.7/p", "http://[::1]/p"]
)
def test_urls_of_test_machines_are_not_judged(url: str) -> None:
    journal = Journal().button(merchant_urls={"place_order": url})
    assert outcomes(journal)["K1"] == "inconclusive"


def test_whatever_a_body_is_no_rule_fails() -> None:
    values: tuple[Any, ...] = (None, 5, "text", [1], {"order_lines": 5}, {"order_lines": [None, {"reference": {}}]})
    for value in values:
        journal = Journal().sent("create_button", "/buttons", value, answer=value).called("place_order", value)
        journal.sent("create_order", AUTHORIZATION_OF_NONE, value, answer=value).captured()
        journal.sent("deny_authorization", AUTHORIZATION_OF_NONE, value).sent("capture_order", "/x", value)
        assert len(outcomes(journal)) == len(RULES)


ORDERS_OF_TOKEN = f"{AUTHORIZATION}/orders"
AUTHORIZATION_OF_NONE = "/instantshopping/v1/authorizations"


def decided(rule: str, journal: Journal) -> str:
    """Return the outcome of one rule."""
    (result,) = judge(journal.traffic(), [BY_ID[rule]])
    return result.outcome


@pytest.mark.parametrize(
    ("journal", "outcome"),
    [
        (lambda: Journal().pinged(FORGED, forged=True), "inconclusive"),
        (lambda: Journal().pinged(FORGED, 500, forged=True), "inconclusive"),
        (lambda: Journal().pinged(FORGED, 403, forged=True), "passed"),
        (lambda: Journal().pinged(FORGED, forged=True).denied(404, FORGED), "passed"),
        (lambda: Journal().pinged(FORGED, forged=True).read(404, FORGED).posted(404, FORGED), "failed"),
    ],
    ids=["200 and nothing else", "500 and nothing else", "403", "denied", "read and placed all the same"],
)
def test_what_a_shop_does_with_a_forged_callback_decides(journal: Callable[[], Journal], outcome: str) -> None:
    assert decided("C4", journal()) == outcome


def test_a_forged_callback_is_no_authorization_that_has_to_be_decided() -> None:
    journal = Journal().placed().pinged(FORGED, 404, forged=True)
    assert decided("D4", journal) == "inconclusive"
    assert decided("C1", journal) == "passed"


@pytest.mark.parametrize(("status", "outcome"), [(200, "inconclusive"), (404, "passed")])
def test_a_late_callback_that_is_only_answered_shows_nothing_unless_it_is_refused(status: int, outcome: str) -> None:
    journal = Journal().pinged(status=None, drop=True).happened(EXPIRED).pinged(status=status, resent=True)
    assert decided("C6", journal) == outcome
    assert decided("D4", journal) == "inconclusive"


@pytest.mark.parametrize("rule", ["C1", "C2", "D4"])
def test_time_limits_and_refusals_are_not_judged_where_a_fault_was_injected(rule: str) -> None:
    journal = Journal().authorized(status=500).posted(503, injected=UNAVAILABLE)
    journal.later(20).happened("purchase_timed_out", seconds=60.0)
    assert decided(rule, journal) == "inconclusive"


def test_a_shop_that_has_placed_nothing_proves_nothing_by_denying_a_cheat() -> None:
    assert decided("V1", Journal().cheated("price").denied(token=OTHER_TOKEN)) == "inconclusive"
    assert decided("V1", Journal().placed().cheated("discount").denied(token=OTHER_TOKEN)) == "passed"


def test_a_second_authorization_may_be_denied_for_want_of_stock() -> None:
    denied = Journal().placed().pinged(OTHER_TOKEN).denied(token=OTHER_TOKEN, deny_code="item_out_of_stock")
    assert decided("C7", denied) == "inconclusive"


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
    assert decided("O9", unavailable(*pauses)) == outcome


def test_a_pause_in_which_the_clock_was_moved_says_nothing() -> None:
    journal = Journal().authorized().posted(503, injected=UNAVAILABLE).happened("clock_moved", seconds=60.0).posted()
    assert decided("O9", journal) == "inconclusive"


def test_an_order_that_is_acknowledged_while_the_push_is_answered_is_acknowledged_after_it() -> None:
    journal = Journal().placed()
    journal.acknowledged().pushed()
    journal.entries[-1]["at"] = journal.entries[-3]["at"]
    assert decided("M1", journal) == "passed"


def test_an_order_of_which_the_shop_never_read_need_not_be_acknowledged() -> None:
    journal = Journal().authorized().posted(injected=DROPPED)
    journal.happened("purchase_placed", order_id="order-1", fraud_status="ACCEPTED", order_amount=124000)
    assert decided("M2", journal.pushed(404).pushed(404).pushed(404)) == "inconclusive"


@pytest.mark.parametrize(
    ("first", "second", "outcome"), [(200, 200, "passed"), (200, 500, "failed"), (404, 404, "inconclusive")]
)
def test_a_second_push_is_answered_as_the_first(first: int, second: int, outcome: str) -> None:
    assert decided("M3", Journal().placed().pushed(first).pushed(second)) == outcome


def test_an_extended_authorization_ends_later() -> None:
    journal = Journal().placed()
    journal.happened("authorization_time_extended", order_id="order-1", expires_at=4_000_000_000.0)
    assert decided("M9", journal.later(40 * 86_400).captured()) == "passed"


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        (f"{ORDER}?x=1a1b1c1d-1111-4222-8333-a4152346356b", "passed"),
        (f"{ORDER}?id=19710101-1234", "passed"),
        (f"{ORDER}?id=710101-1234", "failed"),
        (f"{ORDER}?id=7101011234", "failed"),
        (f"{ORDER}?mail=sara@example.com", "failed"),
    ],
)
def test_ids_are_not_taken_for_personal_data(path: str, outcome: str) -> None:
    assert decided("T3", Journal().sent("get_managed_order", path, method="GET")) == outcome


def test_requests_of_certify_itself_are_not_those_of_the_merchant() -> None:
    journal = Journal().sent("get_button", "/instantshopping/v1/buttons/x", headers={"User-Agent": OWN_AGENT})
    assert set(outcomes(journal).values()) == {"inconclusive"}


def test_a_callback_that_was_sent_again_with_a_changed_body_is_not_judged() -> None:
    journal = Journal().button().authorized().read().placed()
    before = outcomes(journal)
    journal.called("place_order", {"authorization_token": "another"}, 500, injected={"resent": True, "changed": True})
    assert outcomes(journal) == before


@pytest.mark.parametrize(
    ("gaps", "rule", "outcome"),
    [
        (Gaps(), "O4", "passed"),
        (Gaps(one_purchase=True), "O4", "inconclusive"),
        (Gaps(one_purchase=True), "C3", "passed"),
        (Gaps(cut="the file is cut"), "C3", "inconclusive"),
        (Gaps(kinds={"exchange": "no exchanges"}), "C3", "inconclusive"),
        (Gaps(kinds={"exchange": "no exchanges"}), "C9", "passed"),
        (Gaps(kinds={"event": "no events"}), "M2", "inconclusive"),
    ],
    ids=str,
)
def test_a_rule_that_may_be_broken_where_nothing_can_be_seen_does_not_pass(gaps: Gaps, rule: str, outcome: str) -> None:
    journal = Journal().placed().pushed().acknowledged()
    (result,) = judge(Traffic("shop", journal.entries, gaps), [BY_ID[rule]])
    assert result.outcome == outcome
    assert bool(result.reason) is (outcome == "inconclusive")


def test_a_missing_request_is_no_finding_where_requests_are_missing() -> None:
    journal = Journal().authorized(status=422)
    gaps = Gaps(kinds={"exchange": "the file has no requests"})
    (result,) = judge(Traffic("shop", journal.entries, gaps), [BY_ID["D4"]])
    assert (result.outcome, result.reason, result.findings) == ("inconclusive", "the file has no requests", ())


def test_a_finding_stays_whose_entries_are_all_there() -> None:
    gaps = Gaps(kinds={"event": "the file has no events"})
    (result,) = judge(Traffic("shop", SAMPLES["K2"][1]().entries, gaps), [BY_ID["K2"]])
    assert result.outcome == "failed"


@pytest.mark.parametrize(("agent", "outcome"), [("mock-klarna/0.1.0", "passed"), ("Shop/1.0", "failed")])
def test_keys_that_scenarios_create_are_not_those_of_the_shop(agent: str, outcome: str) -> None:
    journal = Journal().placed()
    for _ in range(5):
        body, answer = {"merchant_urls": URLS, "theme": {}}, {"button_key": "other"}
        journal.sent("create_button", "/instantshopping/v1/buttons", body, 201, answer, {"User-Agent": agent})
    assert outcomes(journal)["K2"] == outcome


def test_what_a_shop_does_with_every_order_is_one_finding() -> None:
    journal = Journal().button(merchant_urls=_WITHOUT_PUSH)
    for number in range(5):
        journal.pinged(f"token-{number}").posted(token=f"token-{number}", order_id=f"order-{number}")
    (result,) = judge(journal.traffic(), [BY_ID["K3"]])
    (finding,) = result.findings
    assert (finding.cases, result.broken) == (5, 5)
    key, *posted = [entry["seq"] for entry in journal.entries if entry["kind"] == "exchange"]
    assert finding.evidence == tuple(f"/_mock/journal/{seq}" for seq in (key, *posted[:3]))


def test_cases_of_another_severity_are_a_finding_of_their_own() -> None:
    journal = Journal().button(merchant_urls=_WITHOUT_PUSH)
    for token, country in (("token-1", "SE"), ("token-2", "US"), ("token-3", "SE")):
        body = {"authorization_token": token, "button_key": BUTTON_KEY, "order": {"purchase_country": country}}
        journal.called("place_order", body).posted(token=token)
    (result,) = judge(journal.traffic(), [BY_ID["K3"]])
    assert [(finding.severity, finding.cases) for finding in result.findings] == [("error", 1), ("warning", 2)]


_WITHOUT_PUSH = {name: url for name, url in URLS.items() if name != "push"}


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


@pytest.mark.parametrize(("header", "outcome"), [("AUTHORIZATION", "failed"), ("Content-Type", "passed")])
def test_answers_to_callbacks_have_no_credentials(header: str, outcome: str) -> None:
    journal = Journal().called("push", None, answer_headers=[[header, "Basic dTpw"]])
    assert outcomes(journal)["T3"] == outcome


def of_test(journal: Journal, *names: str) -> Journal:
    """Let a scenario send the requests with these names, all without names, in place of the shop."""
    for entry in journal.entries:
        if entry["kind"] == "exchange" and (not names or entry["name"] in names):
            entry["request_headers"] = [["User-Agent", "mock-klarna/0.1.0"]]
    return journal


CALLBACKS_AND_PAGES = {"C1", "C8", "C9", "C10", "D4", "K6", "K7", "K8", "K10", "M2", "O8", "T3"}
"""Rules that a shop breaks by callbacks, by what its page gives `load()`, or by sending nothing."""


@pytest.mark.parametrize("rule", sorted(set(SAMPLES) - CALLBACKS_AND_PAGES))
def test_what_a_scenario_sends_in_place_of_the_shop_breaks_no_rule_and_obeys_none(rule: str) -> None:
    for sample in SAMPLES[rule]:
        (result,) = judge(of_test(sample()).traffic(), [BY_ID[rule]])
        assert (result.outcome, result.findings) == ("inconclusive", ())


def test_a_rule_that_only_tests_have_obeyed_says_so() -> None:
    (result,) = judge(of_test(Journal().placed()).traffic(), [BY_ID["C3"]])
    assert result.reason == "only requests that a scenario or a test sent in place of the shop show it"


def test_a_shop_is_not_judged_by_orders_that_a_test_has_placed() -> None:
    journal = of_test(SAMPLES["M2"][1](), "create_order")
    assert outcomes(journal)["M2"] == "inconclusive"
    assert outcomes(of_test(Journal().placed("REJECTED"), "create_order"))["O7"] == "inconclusive"


def test_an_acknowledgement_of_a_test_is_not_that_of_the_shop() -> None:
    journal = of_test(SAMPLES["M2"][0](), "acknowledge_order")
    assert (outcomes(journal)["M2"], outcomes(journal)["M1"]) == ("inconclusive", "inconclusive")


@pytest.mark.parametrize("rule", ["K3", "K4", "K5", "C8"])
def test_the_urls_of_a_button_key_that_a_test_created_are_not_those_of_the_shop(rule: str) -> None:
    journal = Journal().button().authorized(url="https://shop.example.com/place-order").read().posted()
    journal.entries[0]["request_body"]["merchant_urls"] = {"place_order": "https://shop.example.com/place-order"}
    journal.entries[0]["response_body"]["merchant_urls"] = {"place_order": "https://shop.example.com/place-order"}
    assert outcomes(journal)[rule] == "failed"
    assert outcomes(of_test(journal, "create_button"))[rule] == "inconclusive"


def test_the_most_severe_cases_are_kept_of_many() -> None:
    entry = Journal().button().entries[0]

    def look(_traffic: Traffic) -> Iterator[Observation]:
        yield from (broken(entry, seen=f"warning {number}", expected="none") for number in range(30))
        yield broken(entry, seen="an error", expected="none", severity=Severity.ERROR)

    (result,) = judge(Journal().traffic(), [replace(BY_ID["K3"], look=look)])
    assert (len(result.findings), result.broken) == (20, 31)
    assert [finding.severity for finding in result.findings[:2]] == ["error", "warning"]


def test_a_callback_whose_first_attempts_were_dropped_breaks_no_rule() -> None:
    journal = SAMPLES["C3"][1]()
    journal.entries = [{**entry, "number": 2} if entry["kind"] == "callback" else entry for entry in journal.entries]
    assert outcomes(journal)["C3"] == "failed"
    assert outcomes(journal, dropped=3)["C3"] == "inconclusive"


NUMBER = r"\d"
ENDPOINT = r"(?:GET|POST|PUT|PATCH|DELETE) (?:/|…/)[a-z{]"
MEMBER = r"\b[a-z]+(?:_[a-z0-9]+)+\b"
HEADER = r"\b(?:[A-Z][a-z]+-)+[A-Z][a-z]+\b"
HOST = r"\b[a-z-]+\.klarna\.com\b"
CALL = r"\b[a-z]+\(\)"


@pytest.mark.parametrize("rule", BY_ID)
def test_a_remedy_names_a_number_or_a_place(rule: str) -> None:
    remedy = BY_ID[rule].remedy
    assert re.search("|".join((NUMBER, ENDPOINT, MEMBER, HEADER, HOST, CALL)), remedy), remedy
    assert remedy.endswith(".")


@pytest.mark.parametrize("rule", SAMPLES)
def test_what_was_seen_and_what_is_right_name_a_number_or_a_place(rule: str) -> None:
    (result,) = judge(SAMPLES[rule][1]().traffic(), [BY_ID[rule]])
    for finding in result.findings:
        both = f"{finding.observation.seen} / {finding.observation.expected}"
        assert re.search("|".join((NUMBER, ENDPOINT, MEMBER, HEADER, CALL)), both), both


def many_purchases(count: int) -> Traffic:
    """Return the traffic of purchases with different carts, each of which is captured twice."""
    entries: list[dict[str, Any]] = []
    for number in range(count):
        journal = Journal().placed().pushed().acknowledged().captured(f"k-{number}").captured(f"l-{number}")
        text = json.dumps(journal.entries)
        for name in ("token-1", "order-1", "purchase-1", "19-402-B", "1001"):
            text = text.replace(name, f"{name}-{number}")
        entries += [{**entry, "seq": len(entries) + entry["seq"]} for entry in json.loads(text)]
    return Traffic("shop", entries)


def calls(rule: str, traffic: Traffic) -> int:
    """Return how many calls of functions a rule makes."""
    made = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        judge(traffic, [BY_ID[rule]])
    finally:
        sys.setprofile(before)
    return made


def test_a_rule_does_not_compare_every_purchase_with_every_other() -> None:
    few, many = many_purchases(20), many_purchases(80)
    work = {rule: (calls(rule, few), calls(rule, many)) for rule in BY_ID}
    assert {rule: counted for rule, counted in work.items() if counted[1] > 6 * counted[0]} == {}
    assert max(counted[1] / counted[0] for counted in work.values()) > 3
