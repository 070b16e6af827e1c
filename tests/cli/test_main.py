"""A command line imports only its own command, and errors become exit codes."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mock_klarna.cli.main import COMMANDS, parser
from tests.commands import Command
from tests.merchants.processes import environment
from tests.scenario.conftest import BUTTON

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


DEMO = ("demo", "--once", "--port", "0")


def _run(*line: object, **variables: str) -> subprocess.CompletedProcess[bytes]:
    own = {**environment(), "GITHUB_ACTIONS": "", **variables}
    command = [sys.executable, "-m", "mock_klarna", *map(str, line)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, env=own)


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    """Two scenarios, one of which fails: titles have characters of no other encoding and of no XML, and the folder is not UTF-8."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for name, within in (("passes", ""), ("fails", "  - expect_event: {name: purchase_placed, within: 0}\n")):
        text = f'name: "Ægir → 漢字 \\a {name}"\nsteps:\n  {BUTTON}\n{within}'
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("encoding", ["ascii", "cp1252:strict"])
def test_what_an_encoding_does_not_have_is_replaced(scenarios: Path, encoding: str) -> None:
    reports = [scenarios.parent / name for name in ("report.xml", "transcript.txt", "summary.md")]
    line = ("run", scenarios, "--verbose", "--junit", reports[0], "--transcript", reports[1])
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(reports[2])}
    result = _run(*line, PYTHONIOENCODING=encoding, **variables)
    assert result.returncode == 1, result.stderr
    assert result.stdout.decode(encoding.partition(":")[0]).splitlines()[-1].startswith("1 passed, 1 failed in ")
    assert result.stderr == b""
    titles = [case.get("name", "") for case in ET.parse(reports[0]).iter("testcase")]
    assert sorted(title[-6:].strip() for title in titles) == ["fails", "passes"]
    assert all(title.startswith("Ægir → 漢字 ") for title in titles)
    assert all("Ægir → 漢字 " in report.read_text("utf-8") for report in reports[1:])


def test_a_locale_without_letters_beyond_ascii_is_no_error() -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = _run(*DEMO, **locale)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"shop ? Klarna" in result.stdout
    result = _run("serve", "--port", "æ", **locale)
    assert (result.returncode, b"Traceback" in result.stderr) == (2, False)


def test_closed_outputs_are_no_error() -> None:
    command = shlex.join([sys.executable, "-m", "mock_klarna"])
    for line in (shlex.join(DEMO), "openapi"):
        assert subprocess.run(f"{command} {line} >&- 2>&-", shell=True, check=False, timeout=60).returncode == 0


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
