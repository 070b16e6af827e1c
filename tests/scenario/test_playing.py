"""Many scenarios at once: each for itself, reported in order, the same from run to run."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mock_klarna.client import Client
from mock_klarna.errors import Unreachable
from mock_klarna.scenario.loader import loaded, stored_names
from mock_klarna.scenario.model import Scenario
from mock_klarna.scenario.runner import Ways, credentials, play, play_all
from tests.scenario.conftest import BOUGHT, BUTTON

Written = Callable[..., Path]


def stored(*names: str) -> list[Scenario]:
    files = stored_names()
    return loaded([files[name] for name in names], {}, needs=False)


MIXED = ("several-shoppers", "pending-then-accepted", "update-fails", "placed-twice", "expired-token")


def test_reports_come_in_the_order_of_the_scenarios(ways: Ways) -> None:
    heard: list[str] = []
    scenarios = stored("slow-merchant", "accepted", "denied-without-reason")
    reports = asyncio.run(
        play_all(scenarios, replace(ways, prefix="order"), lambda report: heard.append(report.scenario.name))
    )
    assert (
        [report.scenario.name for report in reports] == heard == ["slow-merchant", "accepted", "denied-without-reason"]
    )
    assert all(report.held for report in reports)


def test_the_same_seed_gives_the_same_transcript(ways: Ways) -> None:
    seeded = replace(ways, seed="4711", prefix="seeded", settling=2.0)
    runs = [asyncio.run(play_all(stored(*MIXED), seeded)) for _ in range(2)]
    first, second = ([report.transcript for report in reports] for reports in runs)
    assert first == second
    assert any("place_order" in line for line in first[0])


def test_another_seed_gives_other_shoppers(ways: Ways) -> None:
    first, second = (
        asyncio.run(play(stored("bought-again-and-again")[0], replace(ways, seed=seed, prefix="other"))).timeline
        for seed in ("1", "2")
    )
    assert first[0] != second[0]


def test_a_transcript_has_no_times_ports_or_ids(ways: Ways) -> None:
    report = asyncio.run(play(stored("pending-then-accepted")[0], replace(ways, prefix="plain")))
    text = "\n".join(report.transcript)
    assert "<id 1>" in text
    assert " ms" not in text
    assert "127.0.0.1/" in text
    assert ways.url not in text


def test_many_tenants_play_at_once_and_do_not_see_each_other(ways: Ways) -> None:
    async def all_of_them() -> list[bool]:
        tenants = (replace(ways, prefix=f"tenant-{number}") for number in range(8))
        runs = await asyncio.gather(*(play_all(stored(*MIXED[:4]), tenant) for tenant in tenants))
        return [report.held for reports in runs for report in reports]

    held = asyncio.run(all_of_them())
    assert held == [True] * 32


def test_a_merchant_of_the_users_own_is_not_reset_and_only_news_count(ways: Ways, written: Written) -> None:
    own = replace(ways, merchant="my-shop:pw")
    first = loaded([written(BUTTON, name="first")], {})[0]
    then = "- use_button: {}\n- purchase: {cart: se-battery-pack, wait: 0}\n- expect_event: {name: button_created, count: 0}"
    second = loaded([written(then, name="second")], {})[0]
    reports = asyncio.run(play_all([first, second], own))
    assert [report.message() for report in reports] == ["", ""]
    assert {report.merchant for report in reports} == {"my-shop"}


def test_a_scenario_is_played_again_from_the_beginning(ways: Ways, written: Written) -> None:
    scenario = loaded([written(f"{BOUGHT}\n- expect_event: {{name: button_created, count: 1}}")], {})[0]
    assert [report.held for report in asyncio.run(play_all([scenario, scenario], ways))] == [True, True]


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
    head: str, merchant: str | None, expected: tuple[str, str, bool], ways: Ways, written: Written
) -> None:
    scenario = loaded([written(BUTTON, head, name="My shop, 2")], {})[0]
    assert credentials(scenario, replace(ways, merchant=merchant)) == expected


def test_a_seed_of_the_file_is_used_unless_another_is_given(ways: Ways, written: Written) -> None:
    scenario = loaded([written(BUTTON, "seed: 7\n")], {})[0]
    told = [asyncio.run(play(scenario, replace(ways, seed=seed))).timeline[0] for seed in (None, None, "8")]
    assert told[0] == told[1] != told[2]


def test_nobody_at_the_address_is_not_a_failed_expectation(written: Written) -> None:
    url = "http://127.0.0.1:1"
    nowhere = Ways(url=url, connect=lambda merchant, password: Client(url, merchant, password))
    scenarios = loaded([written(BUTTON)], {}) * 3
    with pytest.raises(Unreachable):
        asyncio.run(play_all(scenarios, nowhere))
