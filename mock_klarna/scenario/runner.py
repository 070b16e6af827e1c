"""Playing scenarios: each as its own merchant, many at once, reported in the order in which they were given."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from mock_klarna.scenario.expectations import advice
from mock_klarna.scenario.model import Impossible, Scenario
from mock_klarna.scenario.report import Failure, Report
from mock_klarna.scenario.run import Journal, Play, Sender, Unmet
from mock_klarna.scenario.steps import play_steps
from mock_klarna.scenario.timeline import timeline, transcript

Json = dict[str, Any]
PASSWORD = "scenario"  # noqa: S105 - any password is right where no credentials are set
BUILT_IN = ("klarna", "merchant", "password")
"""Variables that every scenario has: the emulator's URL, and the credentials that it plays with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How scenarios are to be played.

    `connect` opens a connection to the emulator at `url` for a merchant and a password. `variables` are those of a scenario
    that go over its own. `merchant` is `USER:PASSWORD` of a
    merchant of the user's own, who is not reset; without one each scenario has its own, called after it with `prefix`.
    `jobs` are played at once. `settling` is how many seconds a report waits for callbacks that are still on their way.
    """

    url: str
    connect: Callable[[str, str], AbstractAsyncContextManager[Sender]]
    variables: Callable[[Scenario], Mapping[str, Any]] = lambda scenario: {}
    seed: str | None = None
    merchant: str | None = None
    prefix: str = "scenario"
    jobs: int = 32
    settling: float = 0.25


def credentials(scenario: Scenario, ways: Ways) -> tuple[str, str, bool]:
    """Return merchant and password to play a scenario as, and whether they are the user's own."""
    given = ways.merchant or scenario.data.get("merchant")
    if given:
        user, _, password = given.partition(":")
        return user, password or PASSWORD, True
    return f"{ways.prefix}-{re.sub(r'[^a-z0-9]+', '-', scenario.name.lower()).strip('-')}", PASSWORD, False


async def play_all(
    scenarios: Sequence[Scenario], ways: Ways, tell: Callable[[Report], None] = lambda report: None
) -> list[Report]:
    """Play scenarios, `ways.jobs` at once, no two of them as the same merchant; `tell` hears of each, in order.

    Raises what the connection raises, such as that nobody answers.
    """
    turns, merchants = asyncio.Semaphore(ways.jobs), defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def one(scenario: Scenario) -> Report:
        async with merchants[credentials(scenario, ways)[0]], turns:
            return await play(scenario, ways)

    tasks = [asyncio.ensure_future(one(scenario)) for scenario in scenarios]
    try:
        reports = []
        for task in tasks:
            reports.append(await task)
            tell(reports[-1])
        return reports
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def play(scenario: Scenario, ways: Ways) -> Report:
    """Play one scenario and report it; its merchant is reset first, unless it is the user's own."""
    merchant, password, is_users = credentials(scenario, ways)
    async with ways.connect(merchant, password) as client:
        given = {"klarna": ways.url, "merchant": merchant, "password": password}
        variables = {**scenario.variables, **ways.variables(scenario), **given}
        playing = Play(client, scenario, variables, Journal(client))
        started = perf_counter()
        await _prepare(playing, ways, is_users=is_users)
        failure = await _outcome(playing)
        seconds = perf_counter() - started
        under_way = await _settled(playing, ways.settling)
        lines = list(playing.journal.of(playing.seen))
        told = [*_trail(playing), *transcript(lines, under_way)]
        return Report(scenario, merchant, seconds, failure, timeline(lines, under_way), told)


async def _prepare(playing: Play, ways: Ways, *, is_users: bool) -> None:
    if is_users:
        await playing.journal.skip()
        return
    seed = ways.seed if ways.seed is not None else playing.scenario.data.get("seed")
    await playing.client.send("POST", "/_mock/reset", {} if seed is None else {"seed": seed})


async def _outcome(playing: Play) -> Failure | None:
    try:
        await play_steps(playing, playing.scenario.steps, "steps")
    except Unmet as unmet:
        await playing.journal.more()
        return _failure(playing, unmet.expected, "; ".join(filter(None, [unmet.happened, advice(playing)])))
    except Impossible as impossible:
        return _failure(playing, "a step that can be played", str(impossible))
    except (LookupError, TypeError, ValueError) as wrong:  # a variable had a value that the step has no use for
        return _failure(playing, "values that the step can use", f"{type(wrong).__name__}: {wrong}")
    return None


def _failure(playing: Play, expected: str, happened: str) -> Failure:
    step = next(step for step, held in reversed(playing.trail) if not held)
    return Failure(step.name, playing.scenario.source.place(step.path), expected, happened)


async def _settled(playing: Play, settling: float) -> list[Json]:
    """Wait a moment for callbacks that are on their way, and return those that a report has to mention."""
    deadline = perf_counter() + settling
    while True:
        await playing.journal.more()
        callbacks = (await playing.client.send("GET", "/_mock/callbacks?limit=10000")).body["callbacks"]
        ours = [callback for callback in callbacks if callback["purchase_id"] in playing.seen]
        left = deadline - perf_counter()
        if left <= 0 or not any(callback["state"] == "in_flight" for callback in ours):
            return ours
        await playing.journal.more(left)


def _trail(playing: Play) -> list[str]:
    return [f"{'held' if held else 'FAILED':6}  {step.name}" for step, held in playing.trail]
