"""`mock-klarna certify`: judge an integration by what it did."""

import argparse
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from mock_klarna import __version__
from mock_klarna.certify import RULES, Severity, Traffic, judge, only, report
from mock_klarna.certify import reports as written
from mock_klarna.cli import certify_shop
from mock_klarna.cli.health import own_url
from mock_klarna.cli.options import server_address
from mock_klarna.client import Client
from mock_klarna.errors import MockKlarnaError, UnknownName, did_you_mean
from mock_klarna.process import run_in_loop

_FOUND = 1
_NEVER = "never"
_LEVELS = (*(severity.value for severity in Severity), _NEVER)


def add(parser: argparse.ArgumentParser) -> None:
    """Add what is judged, which rules count, and where the reports go."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a journal as GET /_mock/journal returns it, in place of a server"
    )
    parser.add_argument("--passive", action="store_true", help="judge what happened, without --shop; the default")
    parser.add_argument("--url", default=None, help="address of the server (default: this machine, at its port)")
    parser.add_argument(
        "--merchant", default=None, help="username of the merchant (default: all merchants); with --shop USER:PASSWORD"
    )
    parser.add_argument("--only", action="append", metavar="RULE", help="judge by this rule only (repeatable)")
    parser.add_argument("--skip", action="append", default=[], metavar="RULE", help="leave a rule out (repeatable)")
    parser.add_argument(
        "--fail-on",
        choices=_LEVELS,
        default="error",
        help="exit with 1 for findings that are this severe or more (default error)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the findings as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit XML report")
    parser.add_argument("--sarif", metavar="FILE", help="write a SARIF 2.1.0 log")
    certify_shop.add(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; return 1 if one is as severe as `--fail-on`, or if nothing could be judged, else 0.

    With `--shop` the probes are played first. Raises `UnknownName` for a rule that does not exist, `MockKlarnaError` for a file
    that is no journal, `Unreachable` when no server or no shop answers, and `SettingsError` for an invalid address.
    """
    certify_shop.require_usable(arguments)
    rules = _chosen(arguments)
    url = failure = ""
    if arguments.file is None:
        url = (arguments.url or own_url()).rstrip("/")
        server_address("--url", url)
        if arguments.shop is not None:
            found, failure = run_in_loop(certify_shop.play(arguments, url, rules))
        else:
            found = run_in_loop(_ask(url, arguments.merchant and arguments.merchant.partition(":")[0]))
    else:
        found = _judged(arguments.file, arguments.merchant)
    found = only(found, rules)
    failing = _LEVELS[: _LEVELS.index(arguments.fail_on) + 1] if arguments.fail_on != _NEVER else ()
    if arguments.json:
        _write(arguments.json, orjson.dumps(found, option=orjson.OPT_INDENT_2))
    if arguments.junit:
        _write(arguments.junit, written.junit(found, failing))
    if arguments.sarif:
        _write(arguments.sarif, written.sarif(found, __version__))
    print(written.text(found, url))
    if failure:
        print(f"mock-klarna: nothing else was played, because the ordinary purchase was {failure}", file=sys.stderr)
        return _FOUND
    if not any(result["cases"] for result in found["rules"]):
        of = f"merchant {arguments.merchant!r}" if arguments.merchant is not None else "any merchant"
        print(f"mock-klarna: nothing to judge: no rule had a case in the journal of {of}", file=sys.stderr)
        return _FOUND
    return _FOUND if any(finding["severity"] in failing for finding in found["findings"]) else 0


def _chosen(arguments: argparse.Namespace) -> set[str]:
    known = [rule.id for rule in RULES]
    for flag, given in (("--only", arguments.only or ()), ("--skip", arguments.skip)):
        for rule in given:
            if rule not in known:
                hint = did_you_mean(rule.upper(), known) or f"the rules are {', '.join(known)}"
                raise UnknownName(f"no rule {rule!r}", where=flag, hint=hint)
    return set(arguments.only or known) - set(arguments.skip)


async def _ask(url: str, merchant: str | None) -> dict[str, Any]:
    async with Client(url) as client:
        query = "" if merchant is None else f"?merchant={quote(merchant, safe='')}"
        answer = await client.send("GET", f"/_mock/findings{query}", headers={"Authorization": ""})
    if not (answer.status == 200 and isinstance(answer.body, dict) and "findings" in answer.body):
        raise MockKlarnaError(f"no findings, but {answer.status}", where=url, hint="give the address of mock-klarna")
    return answer.body


def _judged(path: str, merchant: str | None) -> dict[str, Any]:
    """Return the findings in a file with journal entries; raises `MockKlarnaError` for another file."""
    hint = "write one with GET /_mock/journal?limit=10000"
    try:
        content = orjson.loads(Path(path).read_bytes())
        entries = content["entries"]
        merchants = sorted({str(entry["merchant"]) for entry in entries})
        dropped = int(content.get("dropped", 0))
        results = []
        for one in merchants if merchant is None else [merchant]:
            of_one = (entry for entry in entries if str(entry["merchant"]) == one)
            results += judge(Traffic(one, of_one, dropped))
    except OSError as error:
        raise MockKlarnaError(f"cannot read: {error.strerror}", where=path, hint=hint) from None
    except (ValueError, TypeError, LookupError, AttributeError):
        raise MockKlarnaError("this is not a journal", where=path, hint=hint) from None
    return report(results)


def _write(path: str, content: bytes) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    except OSError as error:
        raise MockKlarnaError(f"cannot write: {error.strerror}", where=path, hint="give a writable path") from None
