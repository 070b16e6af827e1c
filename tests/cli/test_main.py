"""A command line imports only its own command, and errors become exit codes."""

import subprocess
import sys

import pytest

from mock_klarna.cli.main import COMMANDS, parser
from tests.commands import Command

MODULES = {command.module for command in COMMANDS.values()}
PRINT_IMPORTED_MODULES = """
import sys
from mock_klarna.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    print([name for name in %r if f"mock_klarna.cli.{name}" in sys.modules])
"""


@pytest.mark.parametrize(("line", "modules"), [(["openapi", "--help"], ["openapi"]), (["--version"], [])])
def test_only_the_module_of_the_command_is_imported(line: list[str], modules: list[str]) -> None:
    script = PRINT_IMPORTED_MODULES % (sorted(MODULES),)
    result = subprocess.run([sys.executable, "-c", script, *line], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == str(modules)


def test_the_help_lists_every_command_with_its_summary(command: Command) -> None:
    result = command("--help")
    text = " ".join(result.stdout.split())
    assert result.returncode == 0
    for name, each in COMMANDS.items():
        assert f"{name} {each.summary.rstrip('.')}" in text


@pytest.mark.parametrize("line", [[], ["unknown"], ["--port", "1", "serve"], ["serve", "--unknown"]], ids=str)
def test_unknown_arguments_are_a_usage_error(command: Command, line: list[str]) -> None:
    result = command(*line)
    assert result.returncode == 2
    assert "usage: mock-klarna" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_description_and_a_function(name: str) -> None:
    arguments = parser([name]).parse_args([name])
    assert callable(arguments.run)
    assert COMMANDS[name].summary.endswith(".")
