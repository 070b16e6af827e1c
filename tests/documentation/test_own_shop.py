"""The command lines of the pages that play scenarios against a shop with credentials of its own."""

import re
import shlex
from pathlib import Path

import pytest

from tests.commands import Command
from tests.documentation.conftest import MERCHANT, PASSWORD, Sandbox
from tests.documentation.pages import README, blocks, patient

PAGES_WITH_LINES = {"README.md", "ci.md", "qa.md", "scenarios.md"}


def shown(containing: str) -> list[str]:
    """The lines of the output on the page about scenarios that contains a text, the one that leaves some out excepted."""
    (block,) = blocks("text", containing=containing)
    return [_without_numbers(line) for line in block.code.splitlines() if line.strip() != "…"]


def _without_numbers(line: str) -> str:
    """Return a line of output without ids, times and ports, which differ in every run."""
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", re.sub(r"http://[\w.]+:\d+", "http://SHOP", line))
    line = re.sub(r"^( +)\d\d:\d\d:\d\d\.\d{3}  (\w{8})?", r"\1TIME PURCHASE", line)
    return re.sub(r"(less than )?\d+(\.\d+)? ?(s|ms)\b", "TIME", line)


def lines() -> list[tuple[str, str]]:
    """The lines that run scenarios against a server that is already there, each with its page."""
    unfolded = [(block, re.sub(r"\n {10}", " ", block.code)) for block in blocks("console", "yaml")]
    found = [(block, line) for block, code in unfolded for line in code.splitlines()]
    return [
        (block.page.name, run[1]) for block, line in found if (run := re.search(r"mock-klarna +(run .*--url .*)", line))
    ]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """The scenario of the README."""
    (block,) = (each for each in blocks("yaml", containing="\nsteps:") if each.page == README)
    file = tmp_path / "scenarios" / "express.yaml"
    file.parent.mkdir()
    file.write_text(patient(block.code))
    return file


@pytest.mark.parametrize(("page", "line"), lines(), ids=[page for page, _ in lines()])
def test_the_line_of_a_page_plays_a_scenario_with_a_shop_of_its_own(
    command: Command, page: str, line: str, sandbox: Sandbox, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scenario.parent)
    _, _folder, *flags = shlex.split(sandbox.replaced(line))
    assert command("run", scenario, *flags).returncode == 0


def test_the_pages_have_lines_for_continuous_integration_and_for_a_terminal() -> None:
    assert {page for page, _ in lines()} == PAGES_WITH_LINES


def test_without_the_credentials_of_the_shop_the_failure_names_the_merchant_and_the_flag(
    command: Command, sandbox: Sandbox, scenario: Path
) -> None:
    ran = command("run", scenario, "--url", sandbox.klarna, "--var", f"shop={sandbox.shop}")
    assert ran.returncode == 1
    printed = ran.stdout
    assert "K123 used the token and was answered 403, because the token belongs to scenario-express" in printed
    assert "--merchant K123:PASSWORD, or `merchant: K123:PASSWORD` in the scenario" in printed
    assert re.search(r"answers K123 403: token .* \[authorization_refused\]", printed)


def test_the_merchant_can_be_named_in_the_scenario(command: Command, sandbox: Sandbox, scenario: Path) -> None:
    scenario.write_text(f"merchant: {MERCHANT}:{PASSWORD}\n{scenario.read_text()}")
    ran = command("run", scenario, "--url", sandbox.klarna, "--var", f"shop={sandbox.shop}")
    assert ran.returncode == 0


def test_a_failed_expectation_looks_as_on_the_page(
    command: Command, sandbox: Sandbox, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scenario.parent.parent)
    scenario.write_text(scenario.read_text().replace("124000, fraud_status: ACCEPTED", "129000, fraud_status: PENDING"))
    credentials = f"{MERCHANT}:{PASSWORD}"
    ran = command(
        "run", "scenarios/", "--url", sandbox.klarna, "--var", f"shop={sandbox.shop}", "--merchant", credentials
    )
    assert ran.returncode == 1
    assert set(shown("FAILED")) <= set(map(_without_numbers, ran.stdout.splitlines()))


def test_a_wrong_file_looks_as_on_the_page(command: Command, scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scenario.parent.parent)
    scenario.write_text(scenario.read_text().replace("${shop}/klarna", "${shp}/klarna"))
    ran = command("check", "scenarios/")
    assert ran.returncode == 2
    assert set(shown("'shp'")) <= set((ran.stdout + ran.stderr).splitlines())
