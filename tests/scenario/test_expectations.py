"""What can no longer come true is not waited for: every expectation here would have a day, and gets none of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from mock_klarna.scenario.loader import load_scenarios
from mock_klarna.scenario.report import Report
from mock_klarna.scenario.runner import RunOptions, run_scenario
from tests.scenario.conftest import BOUGHT

Soon = Callable[..., Report]
STRANGER = '- create_button: {merchant_urls: {place_order: "${shop}/klarna/place-order", terms: "${shop}/terms"}}'
PATIENT = "- purchase: {cart: se-battery-pack, shopper: se-approved, wait: 600}"
SHOP = "vars: {shop: null}\n"


@pytest.fixture
def soon(options: RunOptions, written: Callable[..., Path]) -> Soon:
    """Play steps, and give up on them long before they would."""

    def run(steps: str, head: str = "") -> Report:
        scenario = load_scenarios([written(steps, head)], {}, require_values=False)[0]
        return asyncio.run(asyncio.wait_for(run_scenario(scenario, options), 60))

    return run


@pytest.mark.parametrize(
    ("steps", "happened"),
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
def test_a_purchase_that_ended_otherwise_is_not_waited_for(steps: str, happened: str, soon: Soon) -> None:
    failure = soon(f"{BOUGHT}\n{steps}").failure
    assert failure is not None
    assert happened in failure.actual


@pytest.mark.parametrize("expectation", ["expect_purchase: {state: placed, within: 1d}", "expect_order: {within: 1d}"])
def test_a_shop_that_is_refused_as_another_merchant_is_not_waited_for(expectation: str, soon: Soon) -> None:
    report = soon(f"{STRANGER}\n{PATIENT}\n- {expectation}", SHOP)
    assert report.failure is not None
    assert "demo-shop used the token and was answered 403" in report.failure.actual
    assert f"it belongs to {report.merchant}, as whom the scenario plays" in report.failure.actual
    assert any("authorization_refused" in line for line in report.timeline)


def test_a_refusal_can_be_what_is_expected(soon: Soon) -> None:
    expected = "- expect_event: {name: authorization_refused, refused_merchant: demo-shop, count: 1}"
    assert soon(f"{STRANGER}\n{PATIENT}\n{expected}\n- expect_purchase: {{state: authorized}}", SHOP).passed


def test_whom_the_scenario_itself_posed_as_is_no_shop_that_was_refused(soon: Soon) -> None:
    posed = "- place: {credentials: 'somebody:secret'}\n  status: 403"
    failure = soon(f"{BOUGHT}\n{posed}\n- expect_purchase: {{state: placed, within: 0.05}}").failure
    assert failure is not None
    assert failure.actual == "state: expected placed, was authorized"


def test_the_answer_of_a_purchase_that_takes_its_time_is_compared_once_it_has_ended(soon: Soon) -> None:
    slow = STRANGER.replace("place-order", "place-order?merchant=${merchant}&then=slow&seconds=0.5")
    assert soon(f"{slow}\n{PATIENT}\n  answer: {{state: placed}}", SHOP).passed
