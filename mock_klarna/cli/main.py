"""`mock-klarna`: one module for each command, with `add` (its arguments) and `run` (its exit code)."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from mock_klarna import __version__
from mock_klarna.errors import CannotBind, MockKlarnaError, Unreachable
from mock_klarna.settings import SettingsError

COMMANDS = ("serve", "demo", "run", "check", "shop", "shoppers", "openapi", "ca", "healthcheck", "wait")
"""The commands, in the order in which the help lists them; each is a module of this package."""

USAGE_ERROR, CANNOT_BIND, UNREACHABLE, INTERRUPTED = 2, 3, 4, 130
"""Exit codes beside 0 (all well) and 1 (an expectation failed)."""


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the parser of the command line, or of these commands of it: who names one needs no other to be loaded."""
    whole = argparse.ArgumentParser(prog="mock-klarna", description="A local sandbox of Klarna Instant Shopping.")
    whole.add_argument("--version", action="version", version=f"mock-klarna {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        command = import_module(f"mock_klarna.cli.{name}")
        summary = (command.__doc__ or "").strip().splitlines()[0].partition(": ")[2]
        described = commands.add_parser(name, help=summary, description=summary[:1].upper() + summary[1:])
        command.add(described)
        described.set_defaults(run=command.run)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code: 0 well, 1 failed, 2 usage error, 3 cannot bind, 4 unreachable."""
    given = sys.argv[1:] if argv is None else argv
    arguments = parser(given[:1] if given and given[0] in COMMANDS else COMMANDS).parse_args(given)
    try:
        return int(arguments.run(arguments))
    except (MockKlarnaError, SettingsError, CannotBind) as error:
        print(f"mock-klarna: {error}", file=sys.stderr)
        return _exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _exit_code(error: Exception) -> int:
    if isinstance(error, CannotBind):
        return CANNOT_BIND
    return UNREACHABLE if isinstance(error, Unreachable) else USAGE_ERROR
