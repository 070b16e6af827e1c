"""`mock-klarna completion`: print the script with which a shell completes commands, options, values and paths."""

import argparse

import shtab

from mock_klarna.cli.main import parser as command_line
from mock_klarna.settings import setting_fields

_FILES = ("FILE", "PATH", "SCENARIO")
"""Arguments with these names are paths."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    shells = shtab.SUPPORTED_SHELLS
    parser.add_argument("shell", metavar="SHELL", choices=shells, help=f"the shell: {', '.join(shells)}")


def run(arguments: argparse.Namespace) -> int:
    """Print the script and return 0."""
    root = command_line()
    for action in _actions(root):
        _describe(action)
    print(shtab.complete(root, shell=arguments.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the actions of a parser and of its commands."""
    inner = [action.choices.values() for action in parser._actions if isinstance(action.choices, dict)]
    return [*parser._actions, *(each for commands in inner for command in commands for each in _actions(command))]


def _describe(action: argparse.Action) -> None:
    """Add to an action what a shell can complete: the words of a setting, or paths."""
    words = {f"setting_{setting.name}": setting.metadata["words"] for setting in setting_fields()}
    if action.metavar in _FILES:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif action.nargs != 0 and words.get(action.dest):
        action.choices = words[action.dest]
