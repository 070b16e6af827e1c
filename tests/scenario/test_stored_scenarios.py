"""The stored scenarios pass with the demo shop, and together they cover every result of a purchase."""

import asyncio

import pytest

from mock_klarna.scenario.loader import load_scenarios, stored_files
from mock_klarna.scenario.model import Scenario
from mock_klarna.scenario.runner import RunOptions, run_scenario

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios(stored_files().values(), {}, require_values=False)}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_a_stored_scenario_passes_with_the_demo_shop(scenario: Scenario, run_options: RunOptions) -> None:
    report = asyncio.run(run_scenario(scenario, run_options))
    assert report.passed, "\n".join(report.details())


def test_every_stored_scenario_has_a_title_and_a_description() -> None:
    for scenario in SCENARIOS.values():
        assert len(scenario.title.split()) >= 3, scenario.name
        assert len(scenario.description.split()) >= 8, scenario.name
        assert scenario.description.endswith("."), scenario.name


def test_there_are_scenarios_for_every_state_and_deny_code() -> None:
    text = "\n".join(scenario.file.read_text("utf-8") for scenario in SCENARIOS.values())
    states = ("placed", "denied", "declined", "timed_out", "expired", "authorized")
    codes = ("address_error", "item_out_of_stock", "consumer_underaged", "unsupported_shipping_address", "other")
    assert [word for word in (*states, *codes, "PENDING", "REJECTED", "STOPPED") if word not in text] == []
    assert len(SCENARIOS) >= 30


def test_no_two_stored_scenarios_have_the_same_title() -> None:
    assert len({scenario.title for scenario in SCENARIOS.values()}) == len(SCENARIOS)
