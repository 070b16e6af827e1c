"""A command line imports only its own command, and errors become exit codes."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mock_klarna import __version__
from mock_klarna.cli.main import COMMANDS, parser
from mock_klarna.settings import GROUPS, flag_of, setting_fields, variable_of
from tests.commands import Command
from tests.merchants.processes import environment
from tests.scenario.conftest import BUTTON

pytestmark = pytest.mark.process

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


def test_without_a_command_the_help_is_printed(command: Command) -> None:
    result = command()
    assert (result.returncode, result.stderr) == (2, "")
    assert result.stdout == command("--help").stdout


@pytest.mark.parametrize(
    ("line", "usage", "error"),
    [
        ("serv", "COMMAND", "unknown command 'serv'; did you mean serve?"),
        ("xyz", "COMMAND", "unknown command 'xyz'; see mock-klarna --help"),
        ("--port 1 serve", "COMMAND", "--port stands before a command; options follow it, as in mock-klarna serve"),
        ("serve --prot 5", "serve", "unknown option --prot; did you mean --port?"),
        ("serve --por 5", "serve", "unknown option --por; did you mean --port?"),
        ("run a.yaml --jnit=x", "run", "unknown option --jnit; did you mean --junit?"),
        ("wait --url http://x --timeot 5", "wait", "unknown option --timeot; did you mean --timeout?"),
        ("serve 5", "serve", "unexpected argument '5'; see mock-klarna serve --help"),
        (
            "completion bsh",
            "completion",
            "argument SHELL: 'bsh' is not one of bash, zsh, tcsh, fish, powershell; did you mean bash?",
        ),
        (
            "tail --kind callbak",
            "tail",
            "argument --kind: 'callbak' is not one of exchange, callback, event; did you mean callback?",
        ),
        ("tail --kind x", "tail", "argument --kind: 'x' is not one of exchange, callback, event"),
    ],
)
def test_a_mistyped_word_is_a_usage_error_with_a_suggestion(
    command: Command, line: str, usage: str, error: str
) -> None:
    result = command(*line.split())
    assert (result.returncode, result.stdout) == (2, "")
    first, last = result.stderr.splitlines()
    assert first.startswith(f"usage: mock-klarna {usage} [options]")
    assert error in last


@pytest.mark.parametrize(
    ("name", "usage"),
    [("certify", " [FILE]"), ("run", " [SCENARIO ...]"), ("completion", " SHELL"), ("serve", "")],
)
def test_the_usage_shows_which_arguments_may_be_left_out(command: Command, name: str, usage: str) -> None:
    assert command(name, "--help").stdout.splitlines()[0] == f"usage: mock-klarna {name} [options]{usage}"


def test_a_mistyped_value_is_a_usage_error_with_a_suggestion(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = " is not one of text, json; did you mean json?\n"
    assert command("serve", "--log-format", "jsno").stderr == f"mock-klarna: --log-format: 'jsno'{ends}"
    assert command("serve", "--rate-limit", "plaground").stderr.endswith("; did you mean playground?\n")
    monkeypatch.setenv("MOCK_KLARNA_STRICT", "ture")
    assert command("serve").stderr.endswith("MOCK_KLARNA_STRICT: 'ture' is not true or false; did you mean true?\n")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("wait --timeout soon", "--timeout: 'soon' is not a number from 0 to 86400"),
        ("wait --timeout nan", "--timeout: 'nan' is not a number from 0 to 86400"),
        ("run --wait-timeout -1", "--wait-timeout: '-1' is not a number from 0 to 86400"),
        ("run --jobs many", "--jobs: 'many' is not an integer from 1 to 10000"),
        ("certify --patience long", "--patience: 'long' is not a number from 0 to 600"),
        ("shop --port 99999", "--port: '99999' is not an integer from 0 to 65535"),
        ("demo --shop-port -1", "--shop-port: '-1' is not an integer from 0 to 65535"),
    ],
)
def test_a_number_that_an_option_does_not_take_is_a_usage_error(command: Command, line: str, error: str) -> None:
    result = command(*line.split())
    assert (result.returncode, error in result.stderr) == (2, True), result.stderr


def test_the_help_shows_settings_in_groups_with_allowed_values_defaults_and_variables(command: Command) -> None:
    text = command("serve", "--help").stdout
    groups = [text.index(f"\n{group}:\n") for group in GROUPS]
    assert groups == sorted(groups)
    words = " ".join(text.split())
    for setting in setting_fields():
        assert variable_of(setting.name) in words
        assert flag_of(setting.name) in words
    assert "[one of text, json; default text; MOCK_KLARNA_LOG_FORMAT]" in words
    assert "answer a callback [a number from 0.01 to 600; default 10; MOCK_KLARNA_CALLBACK_TIMEOUT]" in words
    assert "[can be repeated; MOCK_KLARNA_CREDENTIALS]" in words


def test_the_version_has_a_short_option(command: Command) -> None:
    assert command("-V").stdout == command("--version").stdout == f"mock-klarna {__version__}\n"


ARGUMENTS = {"completion": ["bash"]}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_description_and_a_function(name: str) -> None:
    arguments, _ = parser([name]).parse_known_args([name, *ARGUMENTS.get(name, [])])
    assert callable(arguments.run)
    assert COMMANDS[name].summary.endswith(".")
