"""`mock-klarna run`: play scenarios, against a server that it starts or one that is there."""

import argparse
import asyncio
import logging
import sys
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from mock_klarna.cli.addresses import address
from mock_klarna.cli.flags import add_settings
from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.settings import flag_of

if TYPE_CHECKING:
    from mock_klarna.scenario.scenario import Scenario

_FAILED, _HELD_WRONG, _CANNOT_BIND, _UNREACHABLE = 1, 2, 3, 4
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
    """0 all held, 1 an expectation failed, 2 held wrong, 3 no server could be started, 4 the server does not answer."""
    from mock_klarna.cli.reports import in_github
    from mock_klarna.cli.surroundings import CannotBind
    from mock_klarna.client import Unreachable
    from mock_klarna.scenario import github
    from mock_klarna.scenario.scenario import WrongFiles

    _require_sense(arguments)
    try:
        scenarios = _scenarios(arguments)
        return asyncio.run(_run(arguments, scenarios))
    except WrongFiles as wrong:
        print(wrong, file=sys.stderr)
        if in_github():
            print(*map(github.fault, wrong.faults), sep="\n")
        return _HELD_WRONG
    except CannotBind as fault:
        print(f"mock-klarna: {fault}", file=sys.stderr)
        return _CANNOT_BIND
    except Unreachable as unreachable:
        print(f"mock-klarna: {unreachable}", file=sys.stderr)
        return _UNREACHABLE


def _require_sense(arguments: argparse.Namespace) -> None:
    """Refuse flags that cannot be followed, or that would be passed over in silence."""
    if arguments.jobs < 1:
        raise MockKlarnaError(f"{arguments.jobs} scenarios at once are none", where="--jobs", right="1 or more")
    user, _, password = (arguments.merchant or ":").partition(":")
    if arguments.merchant is not None and not (user and password):
        right = "USER:PASSWORD, the credentials that the shop sends to Klarna"
        raise MockKlarnaError(f"{arguments.merchant!r} lacks a user or a password", where="--merchant", right=right)
    if arguments.url is None:
        return
    address("--url", arguments.url)
    for name, value in vars(arguments).items():
        setting = name.removeprefix("setting_")
        if value is not None and setting not in (name, "seed"):
            said = "is for the server that `run` starts, and with --url it starts none"
            raise MockKlarnaError(said, where=flag_of(setting), right="leave one of them out")


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the variables of the command line; raises `MockKlarnaError` for one without a value."""
    from mock_klarna.scenario.player import BUILT_IN

    given = {}
    for text in arguments.var:
        name, equals, value = text.partition("=")
        if not (name and equals) or name in BUILT_IN:
            right = f"--var name=value, with a name other than {', '.join(BUILT_IN)}"
            raise MockKlarnaError(f"{text!r} is no variable", where="--var", right=right)
        given[name] = value
    return given


def _scenarios(arguments: argparse.Namespace) -> "list[Scenario]":
    from mock_klarna.scenario import files
    from mock_klarna.scenario.shopping import choice

    given = _given(arguments)
    to_come = {} if arguments.url else {"shop": _SHOP_TO_COME}
    paths = arguments.scenarios or [str(files.stored())]
    scenarios = files.loaded(files.found(paths), {**to_come, **given})
    known = {name for scenario in scenarios for name in scenario.variables}
    if strangers := given.keys() - known:
        right = choice(min(strangers), known)
        raise MockKlarnaError(f"no scenario has the variable {min(strangers)}", where="--var", right=right)
    return scenarios


async def _run(arguments: argparse.Namespace, scenarios: "list[Scenario]") -> int:
    from mock_klarna.cli import reports
    from mock_klarna.cli.surroundings import surroundings
    from mock_klarna.scenario.player import play_all
    from mock_klarna.scenario.report import summary

    logging.getLogger("mock_klarna").setLevel(logging.CRITICAL)
    began, started = time.time(), time.perf_counter()
    async with AsyncExitStack() as stack:
        ways = await surroundings(arguments, _given(arguments), scenarios, stack)
        played = await play_all(scenarios, ways, lambda report: reports.tell(report, verbose=arguments.verbose))
    seconds = time.perf_counter() - started
    print(summary(played, seconds))
    reports.write(arguments, played, began, seconds)
    return 0 if all(report.held for report in played) else _FAILED
