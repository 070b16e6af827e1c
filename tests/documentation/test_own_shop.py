"""The README's way to play against a shop in a process of its own, which has credentials of its own."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_klarna import Settings, serve_in_thread
from tests.commands import Command
from tests.demo.trade import process_of
from tests.documentation.tables import README

TEXT = README.read_text()
Addresses = tuple[str, str]


@pytest.fixture
def running() -> Iterator[Addresses]:
    """Klarna's address and that of a shop whose credentials there are the README's."""
    (credentials,) = set(re.findall(r"--merchant (K\w+:\w+)", TEXT))
    merchant, _, password = credentials.partition(":")
    with serve_in_thread(Settings(port=0)) as klarna:
        words = ("shop", "--klarna", klarna.url, "--port", "0", "--merchant", merchant, "--password", password)
        with process_of(*words) as shop:
            assert shop.stdout is not None
            opened = re.search(r"open at (\S+)", shop.stdout.readline())
            assert opened
            yield klarna.url, opened[1]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """The README's scenario as it is printed."""
    (code,) = re.findall(r"(?ms)^```yaml\n(name: .*?)^```$", TEXT)
    file = tmp_path / "readme.yaml"
    file.write_text(code)
    return file


def lines() -> list[str]:
    """The README's lines that run scenarios against a server that is there."""
    return [line[1] for line in re.finditer(r"mock-klarna (run \S*scenarios/? --url .*)", TEXT)]


@pytest.mark.parametrize("line", lines())
def test_the_line_of_the_readme_plays_its_scenario_with_a_shop_of_its_own(
    command: Command, line: str, running: Addresses, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    klarna, shop = running
    monkeypatch.chdir(scenario.parent)
    _, _folder, *flags = shlex.split(
        line.replace("http://localhost:8080", klarna).replace("http://localhost:3000", shop)
    )
    assert command("run", scenario, *flags).returncode == 0


def test_the_readme_has_a_line_for_ci_and_one_for_a_terminal() -> None:
    assert len(lines()) == 2


def test_without_the_shops_credentials_the_failure_tells_who_was_refused_and_what_helps(
    command: Command, running: Addresses, scenario: Path
) -> None:
    klarna, shop = running
    ran = command("run", scenario, "--url", klarna, "--var", f"shop={shop}")
    assert ran.returncode == 1
    told = ran.stdout
    assert "K123 used the token and was answered 403, because it belongs to scenario-readme" in told
    assert "--merchant K123:PASSWORD, or `merchant: K123:PASSWORD` in the scenario" in told
    assert re.search(r"event +authorization_refused .*refused_merchant K123", told)


def test_a_merchant_in_the_scenario_does_as_well(command: Command, running: Addresses, scenario: Path) -> None:
    klarna, shop = running
    scenario.write_text(f"merchant: K123:secret\n{scenario.read_text()}")
    assert command("run", scenario, "--url", klarna, "--var", f"shop={shop}").returncode == 0
