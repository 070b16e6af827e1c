"""Run scenarios: each as its own merchant, many at once, reported in the order in which they were given."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from mock_klarna.errors import Unreachable
from mock_klarna.scenario.expectations import credential_mismatch, hints
from mock_klarna.scenario.model import Scenario, StepError
from mock_klarna.scenario.report import Export, Failure, Report
from mock_klarna.scenario.scenario_run import ExpectationFailed, JournalReader, ScenarioRun
from mock_klarna.scenario.steps import run_steps
from mock_klarna.scenario.timeline import timeline, transcript
from mock_klarna.sender import Sender

Json = dict[str, Any]
PASSWORD = "scenario"  # noqa: S105 - without configured credentials the server accepts any password
BUILT_IN_VARIABLES = ("klarna", "merchant", "password")
"""Variables that every scenario has: the URL of the emulator, and the credentials of the scenario's merchant."""

_WRONG_VALUES = (AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run scenarios.

    url: address of the emulator.
    connect: opens a connection to it for a merchant and a password.
    variables: variables of one scenario, which override its defaults.
    seed: random seed, which overrides the one in the file.
    merchant: `USER:PASSWORD` of an existing merchant, which is not reset; by default each scenario has its own.
    prefix: how the names of these merchants start.
    jobs: how many scenarios run at once.
    settle_seconds: how long a report waits for callbacks that have no answer yet.
    export: whether reports of scenarios that failed have their purchases as files.
    """

    url: str
    connect: Callable[[str, str], AbstractAsyncContextManager[Sender]]
    variables: Callable[[Scenario], Mapping[str, Any]] = lambda scenario: {}
    seed: str | None = None
    merchant: str | None = None
    prefix: str = "scenario"
    jobs: int = 32
    settle_seconds: float = 0.25
    export: bool = False


def credentials(scenario: Scenario, options: RunOptions) -> tuple[str, str, bool]:
    """Return merchant and password of a scenario, and whether they were configured by the user."""
    configured = options.merchant or scenario.data.get("merchant")
    if configured:
        user, _, password = configured.partition(":")
        return user, password or PASSWORD, True
    return f"{options.prefix}-{re.sub(r'[^a-z0-9]+', '-', scenario.name.lower()).strip('-')}", PASSWORD, False


async def run_scenarios(
    scenarios: Sequence[Scenario], options: RunOptions, on_report: Callable[[Report], None] = lambda report: None
) -> list[Report]:
    """Run scenarios, `options.jobs` at once, no two at once as the same merchant; calls `on_report` in the given order.

    If it is cancelled, or the server does not answer any more (`Unreachable`), those that have ended by then are reported too.
    """
    jobs, merchant_locks = asyncio.Semaphore(options.jobs), defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def run_one(scenario: Scenario) -> Report:
        async with merchant_locks[credentials(scenario, options)[0]], jobs:
            return await run_scenario(scenario, options)

    tasks = [asyncio.ensure_future(run_one(scenario)) for scenario in scenarios]
    reports: list[Report] = []
    try:
        for task in tasks:
            reports.append(await task)
            on_report(reports[-1])
        return reports
    except (asyncio.CancelledError, Unreachable):
        for task in tasks[len(reports) :]:
            if task.done() and not task.cancelled() and task.exception() is None:
                on_report(task.result())
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run_scenario(scenario: Scenario, options: RunOptions) -> Report:
    """Run one scenario and return its report; its merchant is reset first, unless the user configured it."""
    merchant, password, is_configured = credentials(scenario, options)
    async with options.connect(merchant, password) as client:
        built_in = {"klarna": options.url, "merchant": merchant, "password": password}
        variables = {**scenario.variables, **options.variables(scenario), **built_in}
        run = ScenarioRun(client, scenario, variables, JournalReader(client))
        started = perf_counter()
        if is_configured:
            await run.journal.skip_to_end()
        else:
            await _reset_merchant(run, options)
        failure = await _run_all_steps(run)
        duration = perf_counter() - started
        callbacks = await _settled_callbacks(run, options.settle_seconds)
        entries = list(run.journal.of_purchases(run.all_purchases))
        compared_lines = [*_step_lines(run), *transcript(entries, callbacks)]
        exports = await _exports(run) if failure and options.export else []
        return Report(scenario, merchant, duration, failure, timeline(entries, callbacks), compared_lines, exports)


async def _reset_merchant(run: ScenarioRun, options: RunOptions) -> None:
    seed = options.seed if options.seed is not None else run.scenario.data.get("seed")
    await run.client.send("POST", "/_mock/reset", {} if seed is None else {"seed": seed})


async def _run_all_steps(run: ScenarioRun) -> Failure | None:
    try:
        await run_steps(run, run.scenario.steps, "steps")
    except ExpectationFailed as failed:
        return _failure(run, failed.expected, await _with_cause(run, failed.actual))
    except StepError as error:
        return _failure(run, "a step that can be executed", await _with_cause(run, str(error)))
    except _WRONG_VALUES as error:  # the value of a variable has the wrong type for the step
        return _failure(run, "values that the step can use", f"{type(error).__name__}: {error}")
    return None


async def _with_cause(run: ScenarioRun, actual: str) -> str:
    """Return what happened, and why the shop did not decide on the purchases, if it did not."""
    await run.journal.read_more()
    mismatch = credential_mismatch(run)
    return "; ".join([actual, mismatch] if mismatch else [actual, *await hints(run)])


def _failure(run: ScenarioRun, expected: str, actual: str) -> Failure:
    step = next(step for step, passed in reversed(run.steps) if not passed)
    return Failure(step.name, run.scenario.source.place(step.path), expected, actual)


async def _settled_callbacks(run: ScenarioRun, settle_seconds: float) -> list[Json]:
    """Wait a moment for callbacks without an answer and their journal entries, then return all of the scenario's purchases."""
    deadline = perf_counter() + settle_seconds
    while True:
        callbacks = (await run.client.send("GET", "/_mock/callbacks?limit=10000")).body["callbacks"]
        await run.journal.read_more()
        own = [callback for callback in callbacks if callback["purchase_id"] in run.all_purchases]
        remaining = deadline - perf_counter()
        if remaining <= 0 or _all_in_journal(run, own):
            return own
        await run.journal.read_more(remaining)


def _all_in_journal(run: ScenarioRun, callbacks: list[Json]) -> bool:
    entries = run.journal.of_purchases(run.all_purchases, with_unassigned=False)
    recorded = sum(entry["kind"] == "callback" for entry in entries)
    return all(callback["state"] != "in_flight" for callback in callbacks) and recorded >= sum(
        len(callback["attempts"]) for callback in callbacks
    )


async def _exports(run: ScenarioRun) -> list[Export]:
    """Return the purchases of a scenario as the server exports them; a server of an earlier version does not."""
    exports = []
    for purchase_id in run.all_purchases:
        path = f"/_mock/purchases/{purchase_id}/export"
        html, har = [await run.client.send("GET", f"{path}.{kind}") for kind in ("html", "har")]
        if html.status == har.status == 200:
            exports.append(Export(html.body, har.body))
    return exports


def _step_lines(run: ScenarioRun) -> list[str]:
    return [f"{'passed' if passed else 'FAILED'}  {step.name}" for step, passed in run.steps]
