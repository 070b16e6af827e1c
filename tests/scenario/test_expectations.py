"""Expectations end at once when they can no longer be met: each of these would wait for a day."""

import asyncio

import pytest

from mock_klarna.scenario.loader import load_scenarios
from mock_klarna.scenario.report import Report
from mock_klarna.scenario.runner import RunOptions, run_scenario
from tests.scenario.conftest import BUTTON, PURCHASE, RunSteps, WriteScenario

BUTTON_OF_OTHER_MERCHANT = (
    '- create_button: {merchant_urls: {place_order: "${shop}/klarna/place-order", terms: "${shop}/terms"}}'
)
WAITING_PURCHASE = "- purchase: {cart: se-battery-pack, shopper: se-approved, wait: 600}"
SHOP = "vars: {shop: null}\n"


@pytest.fixture
def run_in_time(run_options: RunOptions, write_scenario: WriteScenario) -> RunSteps:
    """Run steps, with a time limit that is shorter than their own."""

    def run(steps: str, head: str = "") -> Report:
        scenario = load_scenarios([write_scenario(steps, head)], {}, require_values=False)[0]
        return asyncio.run(asyncio.wait_for(run_scenario(scenario, run_options), 60))

    return run


@pytest.mark.parametrize(
    ("steps", "actual"),
    [
        ("- deny: {}\n- expect_purchase: {state: placed, within: 1d}", "state: expected placed, was denied"),
        ("- place: {}\n- expect_purchase: {state: denied, within: 1d}", "state: expected denied, was placed"),
        ("- place: {}\n- expect_purchase: {state: authorized, within: 1d}", "state: expected authorized, was placed"),
        ("- deny: {}\n- expect_order: {fraud_status: ACCEPTED, within: 1d}", "no order was placed"),
        (
            "- place: {}\n- expect_order: {fraud_status: PENDING, within: 1d}",
            "fraud_status: expected PENDING, was ACCEPTED",
        ),
        (
            "- advance_clock: 2h\n- expect_purchase: {state: started, within: 1d}",
            "state: expected started, was timed_out",
        ),
    ],
)
def test_a_purchase_in_another_final_state_is_not_waited_for(steps: str, actual: str, run_in_time: RunSteps) -> None:
    failure = run_in_time(f"{PURCHASE}\n{steps}").failure
    assert failure is not None
    assert actual in failure.actual


@pytest.mark.parametrize("expectation", ["expect_purchase: {state: placed, within: 1d}", "expect_order: {within: 1d}"])
def test_a_shop_with_the_credentials_of_another_merchant_is_not_waited_for(
    expectation: str, run_in_time: RunSteps
) -> None:
    report = run_in_time(f"{BUTTON_OF_OTHER_MERCHANT}\n{WAITING_PURCHASE}\n- {expectation}", SHOP)
    assert report.failure is not None
    assert "demo-shop used the token and was answered 403" in report.failure.actual
    assert f"the token belongs to {report.merchant}, the merchant of this scenario" in report.failure.actual
    assert any("authorization_refused" in line for line in report.timeline)


def test_a_shop_with_the_credentials_of_another_merchant_can_be_expected(run_in_time: RunSteps) -> None:
    expected = "- expect_event: {name: authorization_refused, refused_merchant: demo-shop, count: 1}"
    assert run_in_time(
        f"{BUTTON_OF_OTHER_MERCHANT}\n{WAITING_PURCHASE}\n{expected}\n- expect_purchase: {{state: authorized}}", SHOP
    ).passed


def test_other_credentials_of_the_scenario_itself_are_not_reported(run_in_time: RunSteps) -> None:
    place_as_other_merchant = "- place: {credentials: 'somebody:secret'}\n  status: 403"
    refused = "- expect_callback: {kind: place_order, outcome: refused, within: 1d}"
    failure = run_in_time(
        f"{PURCHASE}\n{refused}\n{place_as_other_merchant}\n- expect_purchase: {{state: placed, within: 0.05}}"
    ).failure
    assert failure is not None
    assert failure.actual.startswith("state: expected placed, was authorized; the connection to ")


def test_the_answer_of_a_purchase_is_compared_after_the_decision_of_a_slow_shop(run_in_time: RunSteps) -> None:
    slow = BUTTON_OF_OTHER_MERCHANT.replace("place-order", "place-order?merchant=${merchant}&then=slow&seconds=0.5")
    assert run_in_time(f"{slow}\n{WAITING_PURCHASE}\n  answer: {{state: placed}}", SHOP).passed


@pytest.mark.parametrize(
    "expectation",
    [
        "expect_purchase: {state: placed, within: 1d}",
        "expect_purchase: {fraud_status: ACCEPTED, within: 1d}",
        "expect_order: {within: 1d}",
        "expect_request: {operation: create_order, within: 1d}",
        "expect_event: {name: purchase_placed, within: 1d}",
        "expect_callback: {kind: push, within: 1d}",
        "expect_callback: {kind: place_order, status: 200, within: 1d}",
    ],
)
def test_a_shop_that_refuses_connections_is_not_waited_for(expectation: str, run_in_time: RunSteps) -> None:
    failure = run_in_time(f"{BUTTON}\n{WAITING_PURCHASE}\n- {expectation}").failure
    assert failure is not None
    assert failure.step == expectation.partition(":")[0]
    assert failure.actual.endswith("nobody listens on 127.0.0.1:1; is the shop running there?")


def test_several_purchases_of_a_shop_that_refuses_connections_are_not_waited_for(run_in_time: RunSteps) -> None:
    buying = "- purchases: {count: 3, cart: se-battery-pack, shopper: se-approved, wait: 600}"
    failure = run_in_time(f"{BUTTON}\n{buying}\n- expect_purchase: {{state: placed, within: 1d}}").failure
    assert failure is not None
    assert failure.actual.count("nobody listens on 127.0.0.1:1") == 1


def test_a_shop_that_answers_with_an_error_is_waited_for_during_a_grace(run_in_time: RunSteps) -> None:
    fault = "- fault: {on: callback, status: 404}"
    expected = "- expect_callback: {kind: place_order, status: 404, within: 1d}\n- expect_order: {within: 1d}"
    failure = run_in_time(f"{BUTTON}\n{fault}\n{WAITING_PURCHASE}\n{expected}").failure
    assert failure is not None
    assert (failure.step, "neither placed nor denied" in failure.actual) == ("expect_order", True)


def test_every_attempt_of_a_refused_callback_is_counted(run_in_time: RunSteps) -> None:
    steps = "- fault: {on: callback, twice: true}\n" + WAITING_PURCHASE
    assert run_in_time(f"{BUTTON}\n{steps}\n- expect_callback: {{kind: place_order, count: 2, within: 1d}}").passed


def test_after_a_refused_callback_the_scenario_can_place_the_order_itself(run_in_time: RunSteps) -> None:
    placed = "- place: {}\n- expect_purchase: {state: placed, within: 1d}"
    assert run_in_time(f"{BUTTON}\n{WAITING_PURCHASE}\n{placed}").passed


def test_what_comes_without_the_shop_is_waited_for(run_in_time: RunSteps) -> None:
    buying = WAITING_PURCHASE.replace("wait: 600", "wait: 600, merchant_timeout: 0.5")
    timed_out = "- expect_event: {name: purchase_timed_out, within: 1d}\n- expect_purchase: {state: timed_out}"
    assert run_in_time(f"{BUTTON}\n{buying}\n{timed_out}").passed


CHANGING_SHOP = """
- create_button:
    merchant_urls:
      place_order: "${shop}/klarna/place-order?merchant=${merchant}&then=change&order_amount=100000"
      terms: "${shop}/terms"
"""
BUY = """
- purchase: {cart: se-battery-pack, shopper: se-approved, wait: 600}
- expect_callback: {kind: place_order, within: 1d}
"""


def test_no_findings_are_expected_up_to_a_severity(run_steps: RunSteps) -> None:
    steps = f"{CHANGING_SHOP}{BUY}"
    assert run_steps(f"{steps}- expect_no_findings: {{}}", SHOP).passed
    failure = run_steps(f"{steps}- expect_no_findings: {{severity: warning, skip: [C2]}}", SHOP).failure
    assert failure is not None
    assert failure.expected == "no finding as severe as warning"
    assert "O1 Amounts are posted as they were authorized: order_amount 100000, expected 124000" in failure.actual


def test_each_rule_that_was_broken_is_named_once(run_steps: RunSteps) -> None:
    failure = run_steps(f"{CHANGING_SHOP}{BUY * 3}- expect_no_findings: {{severity: warning}}", SHOP).failure
    assert failure is not None
    assert failure.actual.count("O1 ") == 1
    assert "expected 124000, as authorized (and 2 more), see /_mock/journal/" in failure.actual


def test_what_the_scenario_does_in_place_of_the_shop_is_no_finding(run_steps: RunSteps) -> None:
    wrong = "- place: {body: {order_amount: 1}}\n  status: 400\n"
    assert run_steps(f"{PURCHASE}\n{wrong}- expect_no_findings: {{severity: warning}}").passed
