"""Many scenarios at once: each for itself, reported in order, the same from run to run."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mock_klarna.client import Client
from mock_klarna.errors import Unreachable
from mock_klarna.scenario.loader import load_scenarios, stored_files
from mock_klarna.scenario.model import Scenario
from mock_klarna.scenario.runner import RunOptions, credentials, run_scenario, run_scenarios
from tests.scenario.conftest import BOUGHT, BUTTON

Written = Callable[..., Path]


def stored(*names: str) -> list[Scenario]:
    files = stored_files()
    return load_scenarios([files[name] for name in names], {}, require_values=False)


MIXED = ("several-shoppers", "pending-then-accepted", "update-fails", "placed-twice", "expired-token")


def test_reports_come_in_the_order_of_the_scenarios(options: RunOptions) -> None:
    heard: list[str] = []
    scenarios = stored("slow-merchant", "accepted", "denied-without-reason")
    reports = asyncio.run(
        run_scenarios(scenarios, replace(options, prefix="order"), lambda report: heard.append(report.scenario.name))
    )
    assert (
        [report.scenario.name for report in reports] == heard == ["slow-merchant", "accepted", "denied-without-reason"]
    )
    assert all(report.passed for report in reports)


def test_the_same_seed_gives_the_same_transcript(options: RunOptions) -> None:
    seeded = replace(options, seed="4711", prefix="seeded", settle_seconds=2.0)
    runs = [asyncio.run(run_scenarios(stored(*MIXED), seeded)) for _ in range(2)]
    first, second = ([report.transcript for report in reports] for reports in runs)
    assert first == second
    assert any("place_order" in line for line in first[0])


def test_another_seed_gives_other_shoppers(options: RunOptions) -> None:
    first, second = (
        asyncio.run(
            run_scenario(stored("bought-again-and-again")[0], replace(options, seed=seed, prefix="other"))
        ).timeline
        for seed in ("1", "2")
    )
    assert first[0] != second[0]


def test_a_transcript_has_no_times_ports_or_ids(options: RunOptions) -> None:
    report = asyncio.run(run_scenario(stored("pending-then-accepted")[0], replace(options, prefix="plain")))
    text = "\n".join(report.transcript)
    assert "<id 1>" in text
    assert " ms" not in text
    assert "127.0.0.1/" in text
    assert options.url not in text


def test_many_tenants_play_at_once_and_do_not_see_each_other(options: RunOptions) -> None:
    async def all_of_them() -> list[bool]:
        tenants = (replace(options, prefix=f"tenant-{number}") for number in range(8))
        runs = await asyncio.gather(*(run_scenarios(stored(*MIXED[:4]), tenant) for tenant in tenants))
        return [report.passed for reports in runs for report in reports]

    held = asyncio.run(all_of_them())
    assert held == [True] * 32


def test_a_merchant_of_the_users_own_is_not_reset_and_only_news_count(options: RunOptions, written: Written) -> None:
    own = replace(options, merchant="my-shop:pw")
    first = load_scenarios([written(BUTTON, name="first")], {})[0]
    then = "- use_button: {}\n- purchase: {cart: se-battery-pack, wait: 0}\n- expect_event: {name: button_created, count: 0}"
    second = load_scenarios([written(then, name="second")], {})[0]
    reports = asyncio.run(run_scenarios([first, second], own))
    assert [report.message() for report in reports] == ["", ""]
    assert {report.merchant for report in reports} == {"my-shop"}


def test_a_scenario_is_played_again_from_the_beginning(options: RunOptions, written: Written) -> None:
    scenario = load_scenarios([written(f"{BOUGHT}\n- expect_event: {{name: button_created, count: 1}}")], {})[0]
    assert [report.passed for report in asyncio.run(run_scenarios([scenario, scenario], options))] == [True, True]


@pytest.mark.parametrize(
    ("head", "merchant", "expected"),
    [
        ("", None, ("scenario-my-shop-2", "scenario", False)),
        ("merchant: file:pw\n", None, ("file", "pw", True)),
        ("merchant: file:pw\n", "flag:p:w", ("flag", "p:w", True)),
        ("", "flag", ("flag", "scenario", True)),
    ],
)
def test_a_scenario_plays_as_whom_flag_file_or_name_say(
    head: str, merchant: str | None, expected: tuple[str, str, bool], options: RunOptions, written: Written
) -> None:
    scenario = load_scenarios([written(BUTTON, head, name="My shop, 2")], {})[0]
    assert credentials(scenario, replace(options, merchant=merchant)) == expected


def test_a_seed_of_the_file_is_used_unless_another_is_given(options: RunOptions, written: Written) -> None:
    scenario = load_scenarios([written(BUTTON, "seed: 7\n")], {})[0]
    told = [asyncio.run(run_scenario(scenario, replace(options, seed=seed))).timeline[0] for seed in (None, None, "8")]
    assert told[0] == told[1] != told[2]


def test_nobody_at_the_address_is_not_a_failed_expectation(written: Written) -> None:
    url = "http://127.0.0.1:1"
    nowhere = RunOptions(url=url, connect=lambda merchant, password: Client(url, merchant, password))
    scenarios = load_scenarios([written(BUTTON)], {}) * 3
    with pytest.raises(Unreachable):
        asyncio.run(run_scenarios(scenarios, nowhere))
