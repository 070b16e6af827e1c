"""The `mock-klarna` command: the table of commands, and what their errors and exit codes mean.

Exit codes: 0 success (all passed), 1 an expectation failed, 2 usage error, 3 could not bind an address, 4 server or
shop unreachable, 130 interrupted.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from mock_klarna import __version__
from mock_klarna.errors import CannotBind, MockKlarnaError, Unreachable, did_you_mean
from mock_klarna.process import discard_output
from mock_klarna.settings import SettingsError

_ROOT_OPTIONS = ("-h", "--help", "-V", "--version")
USAGE_ERROR, CANNOT_BIND, UNREACHABLE, INTERRUPTED = 2, 3, 4, 130


class Command(NamedTuple):
    """A command: its module in `mock_klarna.cli`, a summary, and the functions that add its arguments and run it."""

    module: str
    summary: str
    add_arguments: str = "add_arguments"
    run: str = "run"


COMMANDS: Mapping[str, Command] = {
    "serve": Command("serve", "Run the emulator until SIGTERM, SIGHUP or Ctrl-C."),
    "demo": Command("demo", "Show a purchase between the emulator and a demo shop, then keep both running."),
    "tail": Command("tail", "Follow what happens on a running server."),
    "run": Command("run", "Run scenarios, against a server that it starts or an existing one."),
    "certify": Command("certify", "Judge an integration by what it did."),
    "check": Command("check", "Check scenarios, carts and shoppers without running them."),
    "shop": Command("shop", "Run the demo shop alone, against a Klarna at another address."),
    "shoppers": Command("shoppers", "List the test shoppers."),
    "openapi": Command("openapi", "Print the OpenAPI 3.1 document of all routes."),
    "ca": Command("ca", "Print the CA certificate of `serve --tls`, or how clients can trust it."),
    "healthcheck": Command(
        "health", "Check whether a server is healthy.", add_arguments="add_healthcheck", run="run_healthcheck"
    ),
    "wait": Command("health", "Wait until a server is ready.", add_arguments="add_wait", run="run_wait"),
    "completion": Command("completion", "Print the completion script of a shell."),
}
"""The commands in the order of the help. A module is imported only when one of its commands is used."""


class _Parser(argparse.ArgumentParser):
    """A parser whose refusal of a value names those that are allowed, and the one that was probably meant."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            hint = did_you_mean(str(value), action.choices)
            message = f"{value!r} is not one of {', '.join(action.choices)}"
            raise argparse.ArgumentError(action, f"{message}; {hint}" if hint else message)


def parser(names: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of the command line; only the commands in `names` are imported and get their arguments."""
    root = _Parser(
        prog="mock-klarna",
        usage="%(prog)s COMMAND [options]",
        description="A local sandbox of Klarna Instant Shopping.",
        epilog="mock-klarna COMMAND --help lists the options of a command.",
    )
    root.add_argument("-V", "--version", action="version", version=f"mock-klarna {__version__}")
    subparsers = root.add_subparsers(prog="mock-klarna", title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        summary = command.summary
        subparser = subparsers.add_parser(name, help=summary.rstrip("."), description=summary, allow_abbrev=False)
        if name in names:
            module = import_module(f"mock_klarna.cli.{command.module}")
            getattr(module, command.add_arguments)(subparser)
            subparser.usage = " ".join(["%(prog)s [options]", *_positional(subparser)])
            subparser.set_defaults(run=getattr(module, command.run), parser=subparser)
    return root


def _positional(command: argparse.ArgumentParser) -> Iterator[str]:
    """Return the positional arguments for the usage, which does not list the options: they would fill a screen."""
    for action in command._actions:
        if not action.option_strings:
            yield {"*": f"[{action.metavar} ...]", "?": f"[{action.metavar}]"}.get(
                str(action.nargs), str(action.metavar)
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; argparse exits with 2 for invalid values of arguments."""
    _replace_what_cannot_be_printed()
    argv = sys.argv[1:] if argv is None else argv
    if not argv:
        parser([]).print_help()
        return USAGE_ERROR
    _require_command(argv[0])
    arguments, unknown = parser(argv[:1]).parse_known_args(argv)
    if unknown:
        _refuse(arguments.parser, unknown)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        discard_output(sys.stdout)
        return 0
    except (MockKlarnaError, SettingsError, CannotBind) as error:
        print(f"mock-klarna: {error}", file=sys.stderr)
        return _exit_code(error)


def _require_command(word: str) -> None:
    """Exit with a usage error if a command line starts with something else than a command."""
    if word.startswith("-"):
        if word not in _ROOT_OPTIONS:
            _exit(parser([]), f"{word} stands before a command; options follow it, as in mock-klarna serve --port 9000")
    elif word not in COMMANDS:
        _exit(parser([]), f"unknown command {word!r}", did_you_mean(word, COMMANDS))


def _refuse(command: argparse.ArgumentParser, unknown: Sequence[str]) -> None:
    """Exit with a usage error about the first argument that a command does not have."""
    word = next((word for word in unknown if word.startswith("-")), unknown[0]).partition("=")[0]
    if not word.startswith("-"):
        _exit(command, f"unexpected argument {word!r}")
    known = [flag for action in command._actions for flag in action.option_strings]
    _exit(command, f"unknown option {word}", did_you_mean(word, known))


def _exit(command: argparse.ArgumentParser, message: str, suggestion: str = "") -> None:
    hint = suggestion or f"see {command.prog} --help"
    command.error(f"{message}; {hint}")


def _replace_what_cannot_be_printed() -> None:
    """Let both outputs replace characters that their encoding does not have, and open those that are closed."""
    for name, errors in (("stdout", "replace"), ("stderr", "backslashreplace")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _exit_code(error: Exception) -> int:
    if isinstance(error, CannotBind):
        return CANNOT_BIND
    return UNREACHABLE if isinstance(error, Unreachable) else USAGE_ERROR
