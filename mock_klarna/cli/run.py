"""`mock-klarna run`: run scenarios, against a server that it starts or an existing one."""

import argparse
import asyncio
import logging
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import orjson

from mock_klarna.allowed_values import integer
from mock_klarna.cli import output
from mock_klarna.cli.health import wait_for_shop
from mock_klarna.cli.main import USAGE_ERROR
from mock_klarna.cli.options import (
    SECONDS,
    add_settings,
    require_username,
    server_address,
    settings_from,
    value_of,
    warn_about_variables,
)
from mock_klarna.client import Client
from mock_klarna.domain.urls import is_absolute
from mock_klarna.errors import MockKlarnaError, Unreachable
from mock_klarna.process import run_in_loop
from mock_klarna.scenario import loader, report
from mock_klarna.scenario.model import InvalidFiles, Scenario
from mock_klarna.scenario.report import Report
from mock_klarna.scenario.runner import BUILT_IN_VARIABLES, RunOptions, credentials, run_scenarios
from mock_klarna.scenario.select import selection
from mock_klarna.scenario.steps import suggestion
from mock_klarna.scenario.variables import read_texts, referenced_variables
from mock_klarna.settings import Settings, flag_of

_EXPECTATION_FAILED = 1
_JOBS = 32
_SETTLE_SECONDS, _SETTLE_SECONDS_FOR_TRANSCRIPT = 0.25, 2.0
_SHARED_SHOP = ("demo-shop", "secret")
"""Credentials of the demo shop that serves every scenario with `${merchant}` in its URLs."""
_SHOP_PLACEHOLDER = "http://127.0.0.1"
"""Stands for the URL of a demo shop while scenarios are checked, before the shop is started."""
_Group = argparse._ArgumentGroup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which scenarios to run, against which server, where the reports go, and an option for every setting."""
    _add_scenarios(parser.add_argument_group("Scenarios"))
    _add_server_and_shop(parser.add_argument_group("Server and shop"))
    _add_reports(parser.add_argument_group("Reports"))
    add_settings(parser)
    parser.epilog = (
        "Unless a flag or a variable says otherwise, the server takes free ports and keeps its state in memory."
    )


def _add_scenarios(group: _Group) -> None:
    group.add_argument(
        "scenarios",
        nargs="*",
        metavar="SCENARIO",
        help="file, folder, or name of a stored scenario (default: all stored)",
    )
    group.add_argument(
        "-k",
        metavar="EXPRESSION",
        help="only scenarios whose name or title contains a word, such as 'push and not (retried or denied)'",
    )
    group.add_argument("--list", action="store_true", help="print the scenarios and their titles, and run none")
    group.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="set a variable (repeatable)")
    group.add_argument(
        "-x", "--exitfirst", action="store_true", help="stop after the first failure; runs one scenario at a time"
    )
    group.add_argument(
        "--jobs",
        type=value_of(integer(1, 10_000)),
        metavar="N",
        help="how many scenarios run at once (default 32, with -x 1)",
    )


def _add_server_and_shop(group: _Group) -> None:
    group.add_argument("--url", help="use the server at this address instead of starting one")
    group.add_argument("--wait-for", metavar="URL", help="first wait until the shop answers at this URL")
    group.add_argument(
        "--wait-timeout",
        type=SECONDS,
        default=60.0,
        metavar="SECONDS",
        help="how long --wait-for waits (default 60)",
    )
    group.add_argument(
        "--merchant",
        metavar="USER:PASSWORD",
        help="run as this merchant and do not reset it (default: a new merchant for each scenario)",
    )
    group.add_argument("--prefix", default="scenario", help="how the names of new merchants start (default scenario)")


def _add_reports(group: _Group) -> None:
    group.add_argument("--junit", metavar="FILE", help="write a JUnit XML report")
    group.add_argument("--json", metavar="FILE", help="write a report in JSON")
    group.add_argument(
        "--transcript",
        metavar="FILE",
        help="write a timeline without times and ids, the same for every run with a seed",
    )
    group.add_argument(
        "--export",
        metavar="FOLDER",
        help="write the purchases of each failed scenario into a folder, as HTML and as HTTP Archive",
    )


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if all scenarios passed or were listed, 1 if one failed, 2 for invalid files.

    Raises `MockKlarnaError` for usage errors, `CannotBind` when no server can be started, and `Unreachable` when the
    server or the shop does not answer.
    """
    _check_arguments(arguments)
    variables = _variables(arguments)
    try:
        scenarios = _load_scenarios(arguments, variables)
    except InvalidFiles as invalid:
        output.print_text(str(invalid), sys.stderr)
        if _in_github_actions():
            output.print_text("\n".join(map(report.github_file_annotation, invalid.errors)))
        return USAGE_ERROR
    if arguments.list:
        _print_list(scenarios)
        return 0
    settings = _settings(arguments)
    needs_demo_shop = not arguments.url and "shop" not in variables and any(map(_has_demo_shop, scenarios))
    if settings.strict and needs_demo_shop:
        hint = "leave --strict out, or give the https URL of your shop: --var shop=URL"
        raise MockKlarnaError("the demo shop has no https, which strict requires", where="--strict", hint=hint)
    for path in filter(None, [arguments.junit, arguments.json, arguments.transcript]):
        output.require_writable(path)
    if arguments.export:
        output.require_writable_folder(arguments.export)
    if arguments.url is None:
        warn_about_variables(os.environ)
    return run_in_loop(_run(arguments, settings, scenarios, variables), settings.loop)


def _settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings of the server that `run` starts, which has its own addresses, store and ready file.

    A configuration file has those of `serve`, which may run at the same time. Raises `SettingsError`.
    """
    return settings_from(arguments, port=0, tls_port=0, store="memory", ready_file="")


def _check_arguments(arguments: argparse.Namespace) -> None:
    """Raise `MockKlarnaError` for values out of range, and for settings that `--url` would make useless."""
    user, _, password = (arguments.merchant or ":").partition(":")
    if arguments.merchant is not None and not (user and password):
        hint = "give USER:PASSWORD, the credentials that the shop sends to Klarna"
        raise MockKlarnaError(f"{arguments.merchant!r} has no user or no password", where="--merchant", hint=hint)
    require_username("--prefix", arguments.prefix, "give a prefix without one")
    if arguments.wait_for is not None:
        server_address("--wait-for", arguments.wait_for)
    if arguments.url is None:
        return
    server_address("--url", arguments.url)
    for name, value in vars(arguments).items():
        setting = name.removeprefix("setting_")
        if value is not None and setting not in (name, "seed", "loop", "verbose", "quiet"):
            message = "this is a setting of the server that `run` starts, and with --url it starts none"
            raise MockKlarnaError(message, where=flag_of(setting), hint="leave one of them out")


def _variables(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the variables of `--var`; raises `MockKlarnaError` for one without a name or a value."""
    variables = {}
    for text in arguments.var:
        name, equals, value = text.partition("=")
        if not (name and equals) or name in BUILT_IN_VARIABLES:
            hint = f"give NAME=VALUE, with a name other than {', '.join(BUILT_IN_VARIABLES)}"
            raise MockKlarnaError(f"cannot set {text!r}", where="--var", hint=hint)
        variables[name] = value
    return variables


def _load_scenarios(arguments: argparse.Namespace, variables: Mapping[str, str]) -> list[Scenario]:
    """Return the scenarios to run or to list.

    Raises `InvalidFiles`, and `MockKlarnaError` for unknown paths and variables and for a `-k` that selects nothing.
    """
    is_selected = selection(arguments.k) if arguments.k is not None else None
    started_here = {} if arguments.url else {"shop": _SHOP_PLACEHOLDER}
    files = loader.find_files(arguments.scenarios or [str(loader.stored_folder())])
    scenarios = loader.load_scenarios(files, started_here, texts=variables, require_values=not arguments.list)
    known = {name for scenario in scenarios for name in scenario.variables}
    if unknown := variables.keys() - known:
        name = min(unknown)
        raise MockKlarnaError(f"no scenario has a variable {name!r}", where="--var", hint=suggestion(name, known))
    selected = [scenario for scenario in scenarios if is_selected is None or is_selected(scenario)]
    if not selected:
        hint = f"--list prints the names and titles of all {len(scenarios)}"
        raise MockKlarnaError(f"no scenario matches {arguments.k!r}", where="-k", hint=hint)
    return selected


def _print_list(scenarios: Sequence[Scenario]) -> None:
    """Print each scenario as `run` takes it, with its title."""
    stored = set(loader.stored_files().values())
    names = [scenario.name if scenario.file in stored else str(scenario.file) for scenario in scenarios]
    width = max(map(len, names))
    for name, scenario in zip(names, scenarios, strict=True):
        print(f"{name:{width}}  {scenario.title}")


class _StopAtFailure(Exception):
    """A scenario failed, and `-x` asks to run no further ones."""


async def _run(
    arguments: argparse.Namespace, settings: Settings, scenarios: list[Scenario], variables: Mapping[str, str]
) -> int:
    logging.getLogger("mock_klarna").setLevel(logging.CRITICAL)
    printer = _Printer(scenarios, verbose=settings.verbose, quiet=settings.quiet)
    reports: list[Report] = []

    exported = _Exported(arguments.export)

    def on_report(each: Report) -> None:
        each = replace(each, exports=[], files=exported.write(each))
        reports.append(each)
        printer.print(each)
        if arguments.exitfirst and not each.passed:
            raise _StopAtFailure

    async with AsyncExitStack() as stack:
        options = await _run_options(arguments, settings, scenarios, variables, stack)
        if arguments.wait_for is not None:  # once the server runs, without which the shop may not start
            await wait_for_shop(arguments.wait_for, arguments.wait_timeout)
        if arguments.url is None:  # another server may reach shops that this process does not
            await _require_shops(scenarios, variables, settings)
        started_at, started = time.time(), time.perf_counter()

        def finish(left_out_text: str) -> None:
            duration = time.perf_counter() - started
            left_out = len(scenarios) - len(reports)
            note = f", {left_out} {left_out_text}" if left_out else ""
            output.print_text(report.summary(reports, duration) + note)
            _write_reports(arguments, reports, started_at, duration)

        try:
            with printer, suppress(_StopAtFailure):
                await run_scenarios(scenarios, options, on_report)
        except (asyncio.CancelledError, Unreachable) as error:
            finish("not run because the server does not answer" if isinstance(error, Unreachable) else "interrupted")
            raise
    finish("not run because of -x")
    return 0 if all(each.passed for each in reports) else _EXPECTATION_FAILED


async def _require_shops(scenarios: list[Scenario], variables: Mapping[str, str], settings: Settings) -> None:
    """Raise `Unreachable` unless a connection to each shop is possible that the variable `shop` names by a URL."""
    from mock_klarna.callbacks.http import MerchantClient

    client = MerchantClient(settings)
    values = [scenario.variables["shop"] for scenario in scenarios if "shop" in scenario.variables]
    for url in dict.fromkeys([variables["shop"]] if "shop" in variables else values):
        reason = await client.reach(url) if isinstance(url, str) and is_absolute(url) else None
        if reason is not None:
            raise Unreachable(f"nobody answers at {url}", hint=f"{reason} (--wait-for {url} waits for it)")


async def _run_options(
    arguments: argparse.Namespace,
    settings: Settings,
    scenarios: list[Scenario],
    variables: Mapping[str, str],
    stack: AsyncExitStack,
) -> RunOptions:
    """Start the server and the demo shops that the scenarios need, and return how to run them; `stack` stops them."""
    url = await _existing_server(arguments.url) if arguments.url else await _start_server(settings, stack)
    options = RunOptions(
        url=url,
        connect=lambda merchant, password: Client(url, merchant, password),
        seed=settings.seed or None,
        merchant=arguments.merchant,
        prefix=arguments.prefix,
        jobs=arguments.jobs or (1 if arguments.exitfirst else _JOBS),
        settle_seconds=_SETTLE_SECONDS_FOR_TRANSCRIPT if arguments.transcript else _SETTLE_SECONDS,
        export=arguments.export is not None,
    )
    shops = {} if arguments.url or "shop" in variables else await _start_shops(scenarios, options, stack)
    return replace(
        options,
        variables=lambda scenario: {**shops.get(scenario.file, {}), **read_texts(variables, scenario.variables)},
    )


async def _existing_server(address: str) -> str:
    async with Client(address) as client:
        await client.require_sandbox()
        return client.url


async def _start_server(settings: Settings, stack: AsyncExitStack) -> str:
    from mock_klarna.server import serve

    return (await stack.enter_async_context(serve(settings))).url


async def _start_shops(
    scenarios: list[Scenario], options: RunOptions, stack: AsyncExitStack
) -> dict[Path, dict[str, str]]:
    """Start demo shops for the scenarios that need a `shop`; return the variable by scenario file.

    Scenarios with `${merchant}` in their URLs share one shop; each of the others gets a shop with its own credentials.
    """
    from mock_klarna.demo import serve_shop

    urls: dict[tuple[str, str], str] = {}
    variables: dict[Path, dict[str, str]] = {}
    for scenario in scenarios:
        if not _has_demo_shop(scenario):
            continue
        merchant, password, _ = credentials(scenario, options)
        if "merchant" in referenced_variables(scenario.data):
            merchant, password = _SHARED_SHOP
        if (merchant, password) not in urls:
            shop = serve_shop(options.url, merchant=merchant, password=password, has_secret=False)
            urls[merchant, password] = (await stack.enter_async_context(shop)).url
        variables[scenario.file] = {"shop": urls[merchant, password]}
    return variables


def _has_demo_shop(scenario: Scenario) -> bool:
    """Return whether a scenario has a variable `shop` without a value, which is the URL of a demo shop."""
    return "shop" in scenario.variables and scenario.variables["shop"] is None


class _Printer:
    """Prints results as they come; on a terminal also a last line that says how far the run is."""

    def __init__(self, scenarios: Sequence[Scenario], *, verbose: bool, quiet: bool) -> None:
        self._titles = [" ".join(scenario.title.split()) for scenario in scenarios]
        self._verbose, self._quiet = verbose, quiet
        self._is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._done = self._failed = 0

    def __enter__(self) -> None:
        """Show what runs first."""
        self._show_progress()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the line."""
        self._clear()

    def print(self, result: Report) -> None:
        """Print the result of a scenario, with details if it failed and with its timeline if `verbose`."""
        self._clear()
        self._done, self._failed = self._done + 1, self._failed + (not result.passed)
        if not (result.passed and self._quiet):
            head = f"{'passed' if result.passed else 'FAILED'}  {result.scenario.title}  ({result.duration:.2f} s)"
            details = result.timeline if result.passed and self._verbose else result.details()
            output.print_text("\n".join([head, *(f"        {line}" for line in details)]))
        if not result.passed and _in_github_actions():
            output.print_text(report.github_failure_annotation(result))
        self._show_progress()

    def _show_progress(self) -> None:
        if self._is_terminal and self._done < len(self._titles):
            failed = f", {self._failed} failed" if self._failed else ""
            text = f"{self._done} of {len(self._titles)} done{failed}, waiting for: {self._titles[self._done]}"
            print(text[: shutil.get_terminal_size().columns - 1], end="", flush=True)

    def _clear(self) -> None:
        if self._is_terminal:
            print("\r\x1b[2K", end="", flush=True)


class _Exported:
    """The files with the purchases of failed scenarios, in a folder; without a folder none are written."""

    def __init__(self, folder: str | None) -> None:
        self._folder = Path(folder or "")
        self._names: set[str] = set()

    def write(self, result: Report) -> list[str]:
        """Write the purchases of a scenario and return the paths; raises `MockKlarnaError`.

        The first has the name of the scenario, the following ones a number. A name of an earlier run is overwritten.
        """
        paths: list[str] = []
        for export in result.exports:
            name, number = result.scenario.name, 1
            while name.casefold() in self._names:
                number += 1
                name = f"{result.scenario.name}-{number}"
            self._names.add(name.casefold())
            html, har = (self._folder / f"{name}.{kind}" for kind in ("html", "har"))
            output.write(html, export.html.encode())
            output.write(har, orjson.dumps(export.har))
            paths += [str(html), str(har)]
        return paths


def _in_github_actions() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _write_reports(
    arguments: argparse.Namespace, reports: Sequence[Report], started_at: float, duration: float
) -> None:
    """Write the files that the arguments name and GitHub's step summary; raises `MockKlarnaError` if that fails."""
    if arguments.junit:
        output.write(arguments.junit, report.junit(reports, started_at, duration))
    if arguments.json:
        output.write(arguments.json, report.json_report(reports, started_at, duration))
    if arguments.transcript:
        texts = [f"{each.scenario.title}\n" + "".join(f"  {line}\n" for line in each.transcript) for each in reports]
        output.write(arguments.transcript, "\n".join(texts).encode())
    if _in_github_actions() and os.environ.get("GITHUB_STEP_SUMMARY"):
        output.append(os.environ["GITHUB_STEP_SUMMARY"], report.github_summary(reports, duration))
