"""The stored scenarios pass with the demo shop, and together they cover every result of a purchase."""

import asyncio
from collections.abc import Callable

import pytest

from mock_klarna.scenario.loader import load_scenarios, stored_files
from mock_klarna.scenario.runner import RunOptions, run_scenario
from tests.extent import extent

SCENARIOS = {scenario.name: scenario for scenario in load_scenarios(stored_files().values(), {}, require_values=False)}


EVERY_EIGHTH = list(SCENARIOS)[::8]
ON_ENGINES = {
    "memory": list(SCENARIOS),
    "sqlite": extent(usual=EVERY_EIGHTH, thorough=list(SCENARIOS)),
    "postgres": extent(usual=EVERY_EIGHTH, thorough=list(SCENARIOS)),
}


@pytest.mark.parametrize(("engine", "name"), [(engine, name) for engine, names in ON_ENGINES.items() for name in names])
def test_a_stored_scenario_passes_with_the_demo_shop(
    engine: str, name: str, options_of: Callable[[str], RunOptions]
) -> None:
    report = asyncio.run(run_scenario(SCENARIOS[name], options_of(engine)))
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
