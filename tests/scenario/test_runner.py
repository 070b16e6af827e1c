"""Scenarios run at once, each as its own merchant, with the same result in every run."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import Settings, serve
from mock_klarna.client import Answer, Client
from mock_klarna.errors import Unreachable
from mock_klarna.scenario.loader import load_scenarios, stored_files
from mock_klarna.scenario.model import Scenario
from mock_klarna.scenario.runner import RunOptions, credentials, run_scenario, run_scenarios
from tests.scenario.conftest import BUTTON, PURCHASE, WriteScenario


def stored(*names: str) -> list[Scenario]:
    files = stored_files()
    return load_scenarios([files[name] for name in names], {}, require_values=False)


TIME_WIDTH = 12
MIXED = ("several-shoppers", "pending-then-accepted", "update-fails", "placed-twice", "expired-token")


def test_reports_come_in_the_order_of_the_scenarios(run_options: RunOptions) -> None:
    reported: list[str] = []
    scenarios = stored("slow-merchant", "accepted", "denied-without-reason")
    reports = asyncio.run(
        run_scenarios(
            scenarios, replace(run_options, prefix="order"), lambda report: reported.append(report.scenario.name)
        )
    )
    assert (
        [report.scenario.name for report in reports]
        == reported
        == ["slow-merchant", "accepted", "denied-without-reason"]
    )
    assert all(report.passed for report in reports)


def test_the_same_seed_gives_the_same_transcript(run_options: RunOptions) -> None:
    seeded = replace(run_options, seed="4711", prefix="seeded", settle_seconds=120.0)
    runs = [asyncio.run(run_scenarios(stored(*MIXED), seeded)) for _ in range(2)]
    first, second = ([report.transcript for report in reports] for reports in runs)
    assert first == second
    assert any("place_order" in line for line in first[0])


class CallbacksEndFirst(Client):
    """A client that gets no list of callbacks before a callback was answered."""

    async def send(self, method: str, path: str, *args: Any, **named: Any) -> Answer:
        answer = await super().send(method, path, *args, **named)
        while path.startswith("/_mock/callbacks") and not any(one["attempts"] for one in answer.body["callbacks"]):
            await asyncio.sleep(0)
            answer = await super().send(method, path, *args, **named)
        return answer


def test_a_callback_that_is_answered_between_two_requests_of_the_report_is_in_it(
    run_options: RunOptions, write_scenario: WriteScenario
) -> None:
    scenario = load_scenarios([write_scenario(PURCHASE)], {}, require_values=False)[0]
    options = replace(
        run_options,
        connect=lambda user, password: CallbacksEndFirst(run_options.url, user, password),
        settle_seconds=120.0,
    )
    report = asyncio.run(run_scenario(scenario, options))
    assert "Klarna → shop  place_order at http://127.0.0.1/klarna fails: refused" in report.transcript


@pytest.mark.parametrize("end", ["cancelled", "server stops"])
def test_an_interrupted_run_reports_the_scenarios_that_have_ended(tmp_path: Path, end: str) -> None:
    steps = {
        "first": BUTTON,
        "waits": f"{BUTTON}\n  - expect_event: {{name: purchase_placed, within: 1d}}",
        "last": BUTTON,
    }
    for name, text in steps.items():
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nsteps:\n  {text}\n")
    scenarios = load_scenarios([tmp_path / f"{name}.yaml" for name in steps], {}, require_values=False)
    reported: list[str] = []

    async def interrupt() -> None:
        has_ended = {name: asyncio.Event() for name in steps}

        @asynccontextmanager
        async def connect(merchant: str, password: str) -> AsyncIterator[Client]:
            async with Client(running.url, merchant, password) as client:
                yield client
            has_ended[merchant.rpartition("-")[2]].set()

        async with serve(Settings(port=0)) as running:
            options = RunOptions(url=running.url, connect=connect)
            run = run_scenarios(scenarios, options, lambda report: reported.append(report.scenario.name))
            task = asyncio.create_task(run)
            await has_ended["first"].wait()
            await has_ended["last"].wait()
            if end == "cancelled":
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        with pytest.raises(Unreachable if end == "server stops" else asyncio.CancelledError):
            await task

    asyncio.run(interrupt())
    assert reported == ["first", "last"]


def test_another_seed_gives_other_shoppers(run_options: RunOptions) -> None:
    first, second = (
        asyncio.run(
            run_scenario(stored("bought-again-and-again")[0], replace(run_options, seed=seed, prefix="other"))
        ).timeline
        for seed in ("1", "2")
    )
    assert first[0][TIME_WIDTH:] != second[0][TIME_WIDTH:]


def test_a_transcript_has_no_times_ports_or_ids(run_options: RunOptions) -> None:
    report = asyncio.run(run_scenario(stored("pending-then-accepted")[0], replace(run_options, prefix="plain")))
    text = "\n".join(report.transcript)
    assert "<id 1>" in text
    assert " ms" not in text
    assert "127.0.0.1/" in text
    assert run_options.url not in text


def test_scenarios_of_many_merchants_run_at_once(run_options: RunOptions) -> None:
    async def run_all() -> list[bool]:
        prefixes = (replace(run_options, prefix=f"parallel-{number}") for number in range(8))
        runs = await asyncio.gather(*(run_scenarios(stored(*MIXED[:2]), prefix) for prefix in prefixes))
        return [report.passed for reports in runs for report in reports]

    passed = asyncio.run(run_all())
    assert passed == [True] * 16


def test_a_configured_merchant_is_not_reset_and_earlier_entries_are_ignored(
    run_options: RunOptions, write_scenario: WriteScenario
) -> None:
    configured = replace(run_options, merchant="my-shop:pw")
    first = load_scenarios([write_scenario(BUTTON, name="first")], {})[0]
    then = "- use_button: {}\n- purchase: {cart: se-battery-pack, wait: 0}\n- expect_event: {name: button_created, count: 0}"
    second = load_scenarios([write_scenario(then, name="second")], {})[0]
    reports = asyncio.run(run_scenarios([first, second], configured))
    assert [report.message() for report in reports] == ["", ""]
    assert {report.merchant for report in reports} == {"my-shop"}


def test_a_scenario_starts_with_a_reset_merchant(run_options: RunOptions, write_scenario: WriteScenario) -> None:
    scenario = load_scenarios([write_scenario(f"{PURCHASE}\n- expect_event: {{name: button_created, count: 1}}")], {})[
        0
    ]
    assert [report.passed for report in asyncio.run(run_scenarios([scenario, scenario], run_options))] == [True, True]


@pytest.mark.parametrize(
    ("head", "merchant", "expected"),
    [
        ("", None, ("scenario-my-shop-2", "scenario", False)),
        ("merchant: file:pw\n", None, ("file", "pw", True)),
        ("merchant: file:pw\n", "flag:p:w", ("flag", "p:w", True)),
        ("", "flag", ("flag", "scenario", True)),
    ],
)
def test_credentials_come_from_the_option_the_file_or_the_name(
    head: str,
    merchant: str | None,
    expected: tuple[str, str, bool],
    run_options: RunOptions,
    write_scenario: WriteScenario,
) -> None:
    scenario = load_scenarios([write_scenario(BUTTON, head, name="My shop, 2")], {})[0]
    assert credentials(scenario, replace(run_options, merchant=merchant)) == expected


def test_the_seed_of_the_options_overrides_that_of_the_file(
    run_options: RunOptions, write_scenario: WriteScenario
) -> None:
    scenario = load_scenarios([write_scenario(BUTTON, "seed: 7\n")], {})[0]
    reports = [asyncio.run(run_scenario(scenario, replace(run_options, seed=seed))) for seed in (None, None, "8")]
    keys = [re.search("creates button key (.*) ", "\n".join(report.timeline)) for report in reports]
    first, second, third = [key and key.group(1) for key in keys]
    assert first == second != third
    assert first


def test_a_server_that_does_not_answer_is_an_error_of_the_run(write_scenario: WriteScenario) -> None:
    url = "http://127.0.0.1:1"
    nowhere = RunOptions(url=url, connect=lambda merchant, password: Client(url, merchant, password))
    scenarios = load_scenarios([write_scenario(BUTTON)], {}) * 3
    with pytest.raises(Unreachable):
        asyncio.run(run_scenarios(scenarios, nowhere))
