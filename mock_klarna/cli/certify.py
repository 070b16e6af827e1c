"""`mock-klarna certify`: judge an integration by what it did."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from mock_klarna import __version__
from mock_klarna.certify import (
    RULES,
    RuleResult,
    Severity,
    html_report,
    judge,
    only,
    report,
    reports,
    skip,
    sources,
    terminal,
)
from mock_klarna.cli import certify_shop, output
from mock_klarna.cli.health import url_of
from mock_klarna.cli.options import server_address
from mock_klarna.client import Client
from mock_klarna.domain.time import moment
from mock_klarna.errors import MockKlarnaError, UnknownName, did_you_mean
from mock_klarna.logs import has_colours, terminal_width
from mock_klarna.process import run_in_loop

Json = dict[str, Any]
_FOUND = 1
_NEVER = "never"
_LEVELS = (*(severity.value for severity in Severity), _NEVER)
_ALL_MERCHANTS = {"Authorization": ""}
_MAX_EVIDENCE = 300
"""How many journal entries of evidence a page has."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is judged, which rules count, and where the reports go."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a saved journal or snapshot, an exported purchase, or a HAR, in place of a server",
    )
    parser.add_argument("--passive", action="store_true", help="judge what happened, without --shop; the default")
    parser.add_argument(
        "--url",
        help="address of the server (default: that of `serve` on this machine); with FILE, where links of the reports lead",
    )
    parser.add_argument(
        "--merchant", default=None, help="username of the merchant (default: all merchants); with --shop USER:PASSWORD"
    )
    parser.add_argument("--only", action="append", metavar="RULE", help="judge by this rule only (repeatable)")
    parser.add_argument(
        "--skip", action="append", default=[], metavar="RULE", help="do not count a rule (repeatable); needs --reason"
    )
    parser.add_argument(
        "--reason",
        action="append",
        default=[],
        metavar="TEXT",
        help="why a rule is skipped: one for each --skip, or one for all",
    )
    parser.add_argument(
        "--fail-on",
        choices=_LEVELS,
        default="error",
        help="exit with 1 for findings that are this severe or more (default error)",
    )
    parser.add_argument("--html", metavar="FILE", help="write the findings with their evidence as one HTML page")
    parser.add_argument("--json", metavar="FILE", help="write the findings as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit XML report")
    parser.add_argument("--sarif", metavar="FILE", help="write a SARIF 2.1.0 log")
    certify_shop.add_arguments(parser)


@dataclass(frozen=True, slots=True)
class _Judged:
    """The findings, what they are about in words, and notes about what limits them.

    evidence: journal entries by their places. incomplete: why probes that were needed were not played, "" if they were.
    """

    found: Json
    of: str
    notes: tuple[str, ...]
    evidence: dict[str, Json]
    incomplete: str = ""


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; return 1 if one is as severe as `--fail-on`, or if nothing could be judged, else 0.

    With `--shop` the probes are played first. Raises `UnknownName` for a rule that does not exist, `MockKlarnaError` for a file
    that cannot be judged, a merchant without traffic and a missing reason, `Unreachable` when no server or no shop answers, and
    `SettingsError` for an invalid address.
    """
    certify_shop.require_usable(arguments)
    if arguments.merchant == "":
        hint = "give the username of the merchant, or leave it out to judge all merchants"
        raise MockKlarnaError("no name is given", where="--merchant", hint=hint)
    skipped = _skipped(arguments)
    for path in filter(None, (arguments.html, arguments.json, arguments.junit, arguments.sarif)):
        output.require_writable(path)
    rules = set(arguments.only or (rule.id for rule in RULES)) | set(skipped)
    url, merchant = _server(arguments), arguments.merchant and arguments.merchant.partition(":")[0]
    if arguments.file is None:
        judged = run_in_loop(_of_server(arguments, url, merchant, rules - set(skipped)))
    else:
        judged = _of_file(arguments.file, merchant)
    found = skip(only(judged.found, rules), skipped) | ({"incomplete": judged.incomplete} if judged.incomplete else {})
    judged = replace(judged, notes=(*judged.notes, *_note_of_undecided(found, arguments)))
    failing = _LEVELS[: _LEVELS.index(arguments.fail_on) + 1] if arguments.fail_on != _NEVER else ()
    _write_reports(arguments, found, judged, failing, url)
    style = terminal.Style(has_colours(sys.stdout), terminal_width(sys.stdout))
    output.print_text(terminal.text(found, url, style, failing=failing, notes=judged.notes))
    if reason := terminal.why_undecided(found):
        of = f"merchant {merchant!r}" if merchant is not None else "any merchant"
        text = "not certified" if judged.incomplete else f"nothing to certify for {of}"
        output.print_text(f"mock-klarna: {text}: {reason}", sys.stderr)
    return 0 if terminal.is_certified(found, failing) else _FOUND


def _note_of_undecided(found: Json, arguments: argparse.Namespace) -> Iterator[str]:
    counts = found["summary"]
    if terminal.is_mostly_undecided(found) and not found.get("incomplete"):
        of = "rules" if len({result["merchant"] for result in found["rules"]}) == 1 else "results of rules"
        yield f"{counts['inconclusive']} of {counts['rules']} {of} are inconclusive: nothing is known about them." + (
            "" if arguments.shop or arguments.file else " With --shop URL the probes decide most of them."
        )


def _skipped(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the rules that do not count, with the reasons."""
    known = [rule.id for rule in RULES]
    for flag, given in (("--only", arguments.only or ()), ("--skip", arguments.skip)):
        for rule in given:
            if rule not in known:
                hint = did_you_mean(rule.upper(), known) or f"the rules are {', '.join(known)}"
                raise UnknownName(f"no rule {rule!r}", where=flag, hint=hint)
    rules, reasons = arguments.skip, [reason.strip() for reason in arguments.reason]
    message = _wrong_with(reasons, rules)
    if message:
        hint = 'give one for each --skip, or one for all, for example --skip O9 --reason "the gateway repeats requests"'
        raise MockKlarnaError(message, where="--reason", hint=hint)
    return dict(zip(rules, reasons if len(reasons) > 1 else reasons * len(rules), strict=True))


def _wrong_with(reasons: Sequence[str], rules: Sequence[str]) -> str:
    """Return what is wrong with the reasons for skipping rules, "" if they are right."""
    if reasons and not rules:
        return "there is a reason, and no rule is skipped"
    if rules and not reasons:
        return f"{', '.join(rules)} skipped without a reason"
    if not all(reasons):
        return "a reason is empty"
    return "" if len(reasons) in (len(rules), min(len(rules), 1)) else f"{len(reasons)} reasons for {len(rules)} rules"


def _server(arguments: argparse.Namespace) -> str:
    """Return the address of the server, "" if a file is judged and no server is known."""
    if arguments.file is not None and arguments.url is None:
        return ""
    url = url_of(arguments.url).rstrip("/")
    server_address("--url", url)
    return url


async def _of_server(arguments: argparse.Namespace, url: str, merchant: str | None, rules: set[str]) -> _Judged:
    incomplete = ""
    if arguments.shop is not None:
        found, incomplete = await certify_shop.play(arguments, url, rules)
    else:
        found = await _findings(url, merchant)
    evidence = {}
    async with Client(url) as client:
        for place in _places(found) if arguments.html else ():
            entry = await client.send("GET", place, headers=_ALL_MERCHANTS)
            if entry.status == 200 and isinstance(entry.body, dict):
                evidence[place] = entry.body
        if merchant is not None and not _has_cases(found):
            await certify_shop.require_traffic(client, merchant)
    notes = (f"{incomplete}.",) if incomplete else ()
    return _Judged(found, arguments.shop or url, notes, evidence, incomplete)


async def _findings(url: str, merchant: str | None) -> Json:
    async with Client(url) as client:
        await client.require_sandbox()
        query = "" if merchant is None else f"?merchant={quote(merchant, safe='')}"
        found: Json = await client.ask("GET", f"/_mock/findings{query}", headers=_ALL_MERCHANTS)
    return found


def _has_cases(found: Json) -> bool:
    return any(result["cases"] for result in found["rules"])


def _places(found: Json) -> Iterable[str]:
    places = dict.fromkeys(place for finding in found["findings"] for place in finding["evidence"])
    return list(places)[:_MAX_EVIDENCE]


def _of_file(path: str, merchant: str | None) -> _Judged:
    source = sources.read(path, _operations)
    if merchant is not None and merchant not in source.merchants:
        raise certify_shop.unknown_merchant("the file", source.merchants, merchant)
    results: list[RuleResult] = []
    evidence: dict[str, Json] = {}
    try:
        for name in source.merchants if merchant is None else [merchant]:
            traffic = source.traffic(name)
            results += judge(traffic)
            evidence |= {traffic.place_of(entry["seq"]): dict(entry) for entry in traffic.entries}
    except (TypeError, LookupError, AttributeError, ValueError):
        hint = "save it again with this version of mock-klarna"
        raise MockKlarnaError("an entry is not complete", where=path, hint=hint) from None
    found = report(results)
    wanted = {place: evidence[place] for place in _places(found) if place in evidence}
    return _Judged(found, f"{source.kind} {path}", source.notes, wanted)


def _operations() -> Iterable[tuple[str, str, str]]:
    """Return the endpoints of Klarna's APIs and of the page; importing them takes as long as a server needs."""
    from mock_klarna.web.operations import OPERATIONS

    return [(one.method, one.path, one.name) for one in OPERATIONS if not one.path.startswith("/_mock")]


def _write_reports(
    arguments: argparse.Namespace, found: Json, judged: _Judged, failing: tuple[str, ...], url: str
) -> None:
    about = {
        "of": judged.of,
        "at": moment(time.time()),
        "version": __version__,
        "fail_on": arguments.fail_on,
        "notes": judged.notes,
    }
    if arguments.html:
        output.write(arguments.html, html_report.page(found, about, failing, judged.evidence, url))
    if arguments.json:
        output.write(arguments.json, reports.as_json(found, about, failing))
    if arguments.junit:
        output.write(arguments.junit, reports.junit(found, failing))
    if arguments.sarif:
        output.write(arguments.sarif, reports.sarif(found, __version__, url))
