"""`mock-klarna run`: play scenarios, against a server that it starts or one that is there."""

import argparse
import logging
import os
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_klarna.cli.options import add_settings, address, settings_from
from mock_klarna.client import Client
from mock_klarna.errors import MockKlarnaError
from mock_klarna.process import run_in_loop
from mock_klarna.scenario import report as github
from mock_klarna.scenario.model import Scenario
from mock_klarna.scenario.report import Report, junit
from mock_klarna.scenario.runner import Ways, credentials
from mock_klarna.scenario.variables import mentions
from mock_klarna.settings import flag_of

if TYPE_CHECKING:
    from mock_klarna.scenario.model import Scenario


def in_github() -> bool:
    """Tell whether this runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def tell(report: Report, *, verbose: bool) -> None:
    """Print how a scenario went; `verbose` shows the timeline of one that held too."""
    print(f"{'ok' if report.held else 'FAILED':6}  {report.scenario.title}  ({report.seconds:.2f} s)")
    shown = report.timeline if report.held and verbose else report.details()
    for line in shown:
        print(f"        {line}")
    if not report.held and in_github():
        print(github.failure(report))


def write(arguments: argparse.Namespace, reports: list[Report], began: float, seconds: float) -> None:
    """Write the reports that were asked for; raises `MockKlarnaError` where a file cannot be written."""
    if arguments.junit:
        _save(arguments.junit, junit(reports, began, seconds))
    if arguments.transcript:
        told = [
            f"{report.scenario.title}\n" + "".join(f"  {line}\n" for line in report.transcript) for report in reports
        ]
        _save(arguments.transcript, "\n".join(told).encode())
    if in_github() and os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
            file.write(github.step_summary(reports, seconds))


def _save(path: str, content: bytes) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    except OSError as fault:
        raise MockKlarnaError(
            f"cannot write: {fault.strerror}", where=path, hint="a place that can be written"
        ) from None


_SETTLING, _LONG_SETTLING = 0.25, 2.0


async def surroundings(
    arguments: argparse.Namespace, given: dict[str, Any], scenarios: list[Scenario], stack: AsyncExitStack
) -> Ways:
    """Start what has to be started, for as long as the stack is open, and return how to play; raises `CannotBind`."""
    settings = settings_from(arguments, port=0)
    url = arguments.url.rstrip("/") if arguments.url else await _started(settings, stack)
    ways = Ways(
        url=url,
        connect=lambda merchant, password: Client(url, merchant, password),
        seed=settings.seed or None,
        merchant=arguments.merchant,
        prefix=arguments.prefix,
        jobs=arguments.jobs,
        settling=_LONG_SETTLING if arguments.transcript else _SETTLING,
    )
    shops = {} if arguments.url or "shop" in given else await _shops(scenarios, ways, stack)
    return replace(ways, variables=lambda scenario: {**shops.get(scenario.file, {}), **given})


async def _started(settings: Any, stack: AsyncExitStack) -> str:
    from mock_klarna.server import serve

    return (await stack.enter_async_context(serve(settings))).url


async def _shops(scenarios: list[Scenario], ways: Ways, stack: AsyncExitStack) -> dict[Path, dict[str, str]]:
    """Start demo shops for the scenarios that take a `shop` and were given none.

    One serves all that tell it who they are, by `${merchant}` in its URLs; the others get one of their own.
    """
    from mock_klarna.demo.shop import serve_shop

    shops: dict[str, str] = {}
    urls: dict[Path, dict[str, str]] = {}
    for scenario in scenarios:
        if "shop" in scenario.variables and scenario.variables["shop"] is None:
            merchant, password, _ = credentials(scenario, ways)
            shared = "merchant" in mentions(scenario.data)
            key = "" if shared else merchant
            if key not in shops:
                shop = serve_shop(ways.url) if shared else serve_shop(ways.url, merchant=merchant, password=password)
                shops[key] = (await stack.enter_async_context(shop)).url
            urls[scenario.file] = {"shop": shops[key]}
    return urls


_FAILED, _USAGE_ERROR = 1, 2
_SHOP_TO_COME = "http://127.0.0.1"


def add(parser: argparse.ArgumentParser) -> None:
    """Add what to play, against what, and where the reports go."""
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help="file, folder, or name of a stored one (default: all stored)"
    )
    parser.add_argument("--url", help="play against this server, and start none")
    parser.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="give a variable (repeatable)")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit XML report")
    parser.add_argument("--transcript", metavar="FILE", help="write what happened, the same for every run with a seed")
    parser.add_argument(
        "--merchant", metavar="USER:PASSWORD", help="play as this merchant and do not reset it (default: one each)"
    )
    parser.add_argument("--prefix", default="scenario", help="how merchants' names begin (default scenario)")
    parser.add_argument("--jobs", type=int, default=32, metavar="N", help="scenarios played at once (default 32)")
    parser.add_argument("--verbose", action="store_true", help="show the timeline of those that held too")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 all passed, 1 an expectation failed, 2 usage error. Raises `CannotBind` and `Unreachable`."""
    from mock_klarna.scenario import report as github
    from mock_klarna.scenario.model import WrongFiles

    _require_sense(arguments)
    try:
        scenarios = _scenarios(arguments)
        return run_in_loop(_run(arguments, scenarios), settings_from(arguments).loop)
    except WrongFiles as wrong:
        print(wrong, file=sys.stderr)
        if in_github():
            print(*map(github.fault, wrong.faults), sep="\n")
        return _USAGE_ERROR


def _require_sense(arguments: argparse.Namespace) -> None:
    """Refuse flags that cannot be followed, or that would be passed over in silence."""
    if arguments.jobs < 1:
        raise MockKlarnaError(f"{arguments.jobs} scenarios at once are none", where="--jobs", hint="1 or more")
    user, _, password = (arguments.merchant or ":").partition(":")
    if arguments.merchant is not None and not (user and password):
        hint = "USER:PASSWORD, the credentials that the shop sends to Klarna"
        raise MockKlarnaError(f"{arguments.merchant!r} lacks a user or a password", where="--merchant", hint=hint)
    if arguments.url is None:
        return
    address("--url", arguments.url)
    for name, value in vars(arguments).items():
        setting = name.removeprefix("setting_")
        if value is not None and setting not in (name, "seed", "loop"):
            said = "is for the server that `run` starts, and with --url it starts none"
            raise MockKlarnaError(said, where=flag_of(setting), hint="leave one of them out")


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the variables of the command line; raises `MockKlarnaError` for one without a value."""
    from mock_klarna.scenario.runner import BUILT_IN

    given = {}
    for text in arguments.var:
        name, equals, value = text.partition("=")
        if not (name and equals) or name in BUILT_IN:
            hint = f"--var name=value, with a name other than {', '.join(BUILT_IN)}"
            raise MockKlarnaError(f"{text!r} is no variable", where="--var", hint=hint)
        given[name] = value
    return given


def _scenarios(arguments: argparse.Namespace) -> "list[Scenario]":
    from mock_klarna.scenario import loader
    from mock_klarna.scenario.steps import choice

    given = _given(arguments)
    to_come = {} if arguments.url else {"shop": _SHOP_TO_COME}
    paths = arguments.scenarios or [str(loader.stored())]
    scenarios = loader.loaded(loader.found(paths), {**to_come, **given})
    known = {name for scenario in scenarios for name in scenario.variables}
    if strangers := given.keys() - known:
        hint = choice(min(strangers), known)
        raise MockKlarnaError(f"no scenario has the variable {min(strangers)}", where="--var", hint=hint)
    return scenarios


async def _run(arguments: argparse.Namespace, scenarios: "list[Scenario]") -> int:
    from mock_klarna.scenario.report import summary
    from mock_klarna.scenario.runner import play_all

    logging.getLogger("mock_klarna").setLevel(logging.CRITICAL)
    began, started = time.time(), time.perf_counter()
    async with AsyncExitStack() as stack:
        ways = await surroundings(arguments, _given(arguments), scenarios, stack)
        played = await play_all(scenarios, ways, lambda report: tell(report, verbose=arguments.verbose))
    seconds = time.perf_counter() - started
    print(summary(played, seconds))
    write(arguments, played, began, seconds)
    return 0 if all(report.held for report in played) else _FAILED
