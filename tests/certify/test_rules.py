"""Each rule passes for a journal that obeys it, and finds what breaks it."""

import json
import re
import sys
from typing import Any

import pytest

from mock_klarna.certify import RULES, Traffic, judge
from mock_klarna.certify.rule import observe_nothing
from tests.certify.results import BY_ID, outcome_of, outcomes, sent_by_a_test
from tests.certify.samples import (
    AUTHORIZATION,
    DROPPED,
    ORDER,
    SAMPLES,
    UNAVAILABLE,
    Journal,
)

UNDECIDED = [rule.id for rule in RULES if rule.observe is observe_nothing]


def test_every_rule_that_can_be_decided_has_a_sample_but_the_one_of_regions() -> None:
    assert set(SAMPLES) | {"T4"} == set(BY_ID) - set(UNDECIDED)


def test_a_journal_that_obeys_a_rule_passes() -> None:
    for rule in SAMPLES:
        assert outcomes(SAMPLES[rule][0]())[rule] == "passed", rule


def test_a_journal_that_breaks_a_rule_has_a_finding_with_evidence() -> None:
    for rule in SAMPLES:
        journal = SAMPLES[rule][1]()
        (result,) = judge(journal.traffic(), [BY_ID[rule]])
        assert result.outcome == "failed", rule
        positions = {entry["seq"] for entry in journal.entries}
        for finding in result.findings:
            assert finding.observation.seen, rule
            assert finding.observation.expected, rule
            assert set(finding.observation.entries) <= positions, rule
            assert finding.observation.entries, rule


def test_a_rule_that_the_journal_cannot_decide_is_inconclusive() -> None:
    for rule in UNDECIDED:
        assert outcomes(Journal().placed())[rule] == "inconclusive", rule


def test_a_purchase_that_goes_well_breaks_no_rule() -> None:
    journal = Journal().placed().pushed().acknowledged().captured()
    assert "failed" not in outcomes(journal).values()


def test_an_empty_journal_decides_nothing() -> None:
    assert set(outcomes(Journal()).values()) == {"inconclusive"}


@pytest.mark.parametrize("rule", ["C5", "O8", "O11", "M6"])
@pytest.mark.parametrize(("status", "injected"), [(503, UNAVAILABLE), (429, None)], ids=["fault", "rate limit"])
def test_a_request_that_was_refused_before_it_was_read_is_not_compared_with_the_next_one(
    rule: str, status: int, injected: object
) -> None:
    journal = Journal().button().authorized().sent("create_order", ORDERS_OF_TOKEN, None, status, injected=injected)
    journal.posted(injected=DROPPED).sent("create_order", ORDERS_OF_TOKEN, None, status, injected=injected)
    headers = {"User-Agent": "Shop/1.0", "Klarna-Idempotency-Key": "k-1"}
    journal.posted().authorized()
    journal.sent("capture_order", f"{ORDER}/captures", None, status, None, headers, injected=injected).captured()
    assert outcome_of(rule, journal) == "passed"


INVALID = "http://[x"
BODIES: tuple[Any, ...] = (
    None,
    5,
    "text",
    [1],
    {"order_lines": 5},
    {"order_lines": [None, {"reference": {}}]},
    {
        "button_key": [],
        "merchant_urls": {"push": INVALID},
        "authorization_token": "token-1",
        "order": {"order_lines": [{"image_url": INVALID}], "merchant_urls": 5, "locale": None},
    },
)


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_rule_can_judge_every_body(body: Any) -> None:
    journal = Journal().sent("create_button", "/buttons", body, answer=body).called("place_order", body)
    journal.sent("create_order", AUTHORIZATION_OF_NONE, body, answer=body).captured().page()
    journal.sent("deny_authorization", AUTHORIZATION_OF_NONE, body).sent("capture_order", "/x", body)
    journal.sent("sdk_load", "/instantshopping/sdk/load", body)
    assert len(outcomes(journal)) == len(RULES)


@pytest.mark.parametrize("path", ["//[x", "", "?", "/ordermanagement/v1/orders", "/%ff?%ff=["])
def test_a_rule_can_judge_every_path(path: str) -> None:
    assert len(outcomes(Journal().sent("unknown_path", path, status=404))) == len(RULES)


ORDERS_OF_TOKEN = f"{AUTHORIZATION}/orders"


AUTHORIZATION_OF_NONE = "/instantshopping/v1/authorizations"


CALLBACKS_AND_PAGES = {"C1", "C8", "C9", "C10", "D4", "K6", "K7", "K8", "K10", "M2", "O8", "T3"}


"""Rules that a shop breaks by callbacks, by what its page gives `load()`, or by sending nothing."""


def test_what_a_scenario_sends_in_place_of_the_shop_breaks_no_rule_and_obeys_none() -> None:
    for rule in sorted(set(SAMPLES) - CALLBACKS_AND_PAGES):
        for sample in SAMPLES[rule]:
            (result,) = judge(sent_by_a_test(sample()).traffic(), [BY_ID[rule]])
            assert (result.outcome, result.findings) == ("inconclusive", ()), rule


NUMBER = r"\d"


ENDPOINT = r"(?:GET|POST|PUT|PATCH|DELETE) (?:/|…/)[a-z{]"


MEMBER = r"\b[a-z]+(?:_[a-z0-9]+)+\b"


HEADER = r"\b(?:[A-Z][a-z]+-)+[A-Z][a-z]+\b"


HOST = r"\b[a-z-]+\.klarna\.com\b"


CALL = r"\b[a-z]+\(\)"


def test_a_remedy_names_a_number_or_a_place() -> None:
    for rule in BY_ID:
        remedy = BY_ID[rule].remedy
        assert re.search("|".join((NUMBER, ENDPOINT, MEMBER, HEADER, HOST, CALL)), remedy), remedy
        assert remedy.endswith("."), rule


def test_what_was_seen_and_what_is_right_name_a_number_or_a_place() -> None:
    for rule in SAMPLES:
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
