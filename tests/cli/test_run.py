"""`mock-klarna run` and `check`: exit codes, reports, and what stands on the terminal."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mock_klarna import resources
from mock_klarna.scenario.runner import RunOptions
from tests.commands import Command
from tests.scenario.conftest import BUTTON

HOME = resources.schemas().parent
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "MOCK_KLARNA_", "PORT"))}
HOLDS = f"name: Holds\nsteps:\n  {BUTTON}\n"
FAILS = f"name: Fails\nsteps:\n  {BUTTON}\n  - expect_event: {{name: purchase_placed, within: 0}}\n"


def process(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "mock_klarna", *map(str, arguments)]
    settings = {**PLAIN, "PYTHONPATH": str(HOME)}
    return subprocess.run(line, capture_output=True, text=True, timeout=300, env=settings, check=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a scenario that holds and one that does not."""
    (tmp_path / "holds.yaml").write_text(HOLDS)
    (tmp_path / "fails.yaml").write_text(FAILS)
    return tmp_path


def test_all_that_is_stored_holds_with_the_demo_shop_that_run_starts(tmp_path: Path) -> None:
    done = process("run", "--junit", tmp_path / "new" / "report.xml", "--seed", "1")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    cases = ET.parse(tmp_path / "new" / "report.xml").findall("./testsuite/testcase")
    assert len(cases) >= 30
    assert f"{len(cases)} of {len(cases)} scenarios held" in done.stdout


def test_a_failed_expectation_exits_1_and_tells_github(
    command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = files / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = command("run", files)
    assert done.returncode == 1
    assert "FAILED  Fails" in done.stdout
    assert "ok      Holds" in done.stdout
    assert "instead   there was no purchase_placed" in done.stdout
    assert f"::error file={files / 'fails.yaml'},line=4" in done.stdout
    assert "1 of 2 scenarios held" in summary.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["wrong.yaml"], "wrong.yaml:1:1: steps is missing"),
        (["nowhere.yaml"], "no such file or folder"),
        (["holds.yaml", "--var", "shp=x"], "no scenario has the variable shp"),
        (["holds.yaml", "--var", "shop"], "'shop' is no variable"),
        (["holds.yaml", "--url", "bad"], "--url: 'bad' is no URL of a server; give http://HOST:PORT"),
        (["holds.yaml", "--url", "http://:80"], "--url: 'http://:80' is no URL of a server"),
        (["holds.yaml", "--jobs", "0"], "--jobs: 0 scenarios at once are none; 1 or more"),
        (["holds.yaml", "--merchant", "foo"], "--merchant: 'foo' lacks a user or a password; USER:PASSWORD"),
        (["holds.yaml", "--merchant", ""], "--merchant: '' lacks a user or a password; USER:PASSWORD"),
        (["holds.yaml", "--url", "http://127.0.0.1:1", "--port", "5"], "--port: is for the server that `run` starts"),
        (["holds.yaml", "--url", "http://127.0.0.1:1", "--no-strict"], "--strict: is for the server that `run` starts"),
        (["accepted", "--url", "http://127.0.0.1:1"], "the variable shop has no value; --var shop=VALUE"),
    ],
)
def test_what_is_held_wrong_exits_2_and_says_what_would_be_right(
    command: Command, arguments: list[str], said: str, files: Path
) -> None:
    (files / "wrong.yaml").write_text("name: x\n")
    paths = [files / word if word.endswith(".yaml") else word for word in arguments]
    done = command("run", *paths)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_port_that_is_taken_exits_3(command: Command, files: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = command("run", files / "holds.yaml", "--port", taken.getsockname()[1])
    assert done.returncode == 3
    assert "cannot listen on 127.0.0.1" in done.stderr


def test_a_server_that_does_not_answer_exits_4(command: Command, files: Path) -> None:
    done = command("run", files / "holds.yaml", "--url", "http://127.0.0.1:1")
    assert done.returncode == 4
    assert "no answer from http://127.0.0.1:1" in done.stderr


def test_run_plays_against_a_server_that_is_there_with_variables(options: RunOptions, files: Path) -> None:
    scenario = files / "holds.yaml"
    scenario.write_text(
        HOLDS.replace("steps:", "vars: {word: null}\nsteps:") + "  - update_button: {name: '${word}'}\n"
    )
    transcript = files / "transcript.txt"
    arguments = ("--var", "word=hello", "--verbose", "--transcript", transcript, "--prefix", "cli")
    done = process("run", scenario, "--url", options.url + "/", *arguments)
    assert done.returncode == 0, done.stderr
    assert "PUT /instantshopping/v1/buttons/" in done.stdout
    assert transcript.read_text("utf-8").startswith("Holds\n  held    create_button\n  held    update_button\n")


def test_a_shop_without_merchant_in_its_urls_knows_whose_it_is(command: Command, files: Path) -> None:
    urls = "{place_order: '${shop}/klarna/place-order', terms: '${shop}/terms', confirmation: '${shop}/thanks'}"
    text = f"""name: As in the first example
vars: {{shop: null}}
steps:
  - create_button: {{merchant_urls: {urls}}}
  - purchase: {{cart: se-battery-pack, shopper: se-approved, shipping_option: express_priority}}
  - expect_callback: {{kind: place_order, within: 2s}}
  - expect_purchase: {{state: placed, order_amount: 124000, fraud_status: ACCEPTED, within: 5s}}
"""
    (files / "fails.yaml").write_text(text)
    done = command("run", files / "fails.yaml")
    assert done.returncode == 0, done.stdout


def test_check_exits_0_for_what_is_right_and_2_for_what_is_not(
    command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = command("check", files)
    assert (valid.returncode, valid.stdout) == (0, "2 of 2 files are right\n")
    (files / "wrong.yaml").write_text("name: x\nsteps:\n  - purchas: {}\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    wrong = command("check", files)
    assert wrong.returncode == 2
    assert "wrong.yaml:3:5: steps[0].purchas is not known here" in wrong.stderr
    assert "::error file=" in wrong.stdout
    assert "2 of 3 files are right" in wrong.stdout


def test_check_exits_2_where_there_is_nothing_to_check(command: Command, tmp_path: Path) -> None:
    done = command("check", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"mock-klarna: {tmp_path}: there is nothing to check; a folder with scenarios" in done.stderr
