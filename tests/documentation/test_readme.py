"""What the README says is so: its tables are the code's, its blocks run."""

import asyncio
import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from mock_klarna import pytest_plugin
from mock_klarna.cli.main import parser
from mock_klarna.demo.shop import serve_shop
from mock_klarna.server import serve, serve_in_thread
from mock_klarna.settings import Settings, from_environment
from tests.commands import Command
from tests.documentation.tables import README, rewritten

TEXT = README.read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def blocks(language: str, *, holding: str = "") -> list[str]:
    return [code for tongue, code in BLOCKS if tongue == language and holding in code]


def test_every_table_is_as_the_code_has_it() -> None:
    assert rewritten(TEXT) == TEXT, "python -m tests.documentation.tables writes the tables anew"


def test_the_first_screen_says_what_it_is_and_gives_the_two_commands_and_the_job_for_ci() -> None:
    screen = "\n".join(TEXT.splitlines()[:40])
    assert (
        screen.index("demo --once")
        < screen.index("pytest")
        < screen.index("jobs:")
        < screen.index("What it does not do")
    )


def test_the_job_for_ci_is_about_ten_lines_of_yaml() -> None:
    job = blocks("yaml", holding="docker exec klarna")[0]
    assert len(yaml.safe_load(job)["jobs"]["purchase"]["steps"]) + 4 <= 10


def command_lines() -> Iterator[str]:
    for code in blocks("console"):
        for line in code.replace("\\\n", " ").splitlines():
            if line.startswith("mock-klarna "):
                yield line


@pytest.mark.parametrize("line", list(command_lines()))
def test_every_command_line_is_one_that_the_tool_takes(line: str) -> None:
    parser().parse_args(line.partition("#")[0].split()[1:])


@pytest.mark.parametrize("code", blocks("yaml"), ids=lambda code: code.splitlines()[0])
def test_every_yaml_block_is_yaml(code: str) -> None:
    assert yaml.safe_load(code)


@pytest.mark.parametrize("code", blocks("yaml", holding="  - create_button"), ids=lambda code: code.splitlines()[0])
def test_every_scenario_holds(command: Command, code: str, tmp_path: Path) -> None:
    scenario = tmp_path / "readme.yaml"
    scenario.write_text(re.sub(r"(?m)^vars: .*$", "vars: {shop: null}", code))
    assert command("run", scenario).returncode == 0


@pytest.mark.parametrize("code", blocks("python", holding="def test_"), ids=lambda code: "pytest")
def test_every_test_passes(code: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(code)
    pytester.runpytest_inprocess(plugins=[pytest_plugin]).assert_outcomes(passed=code.count("def test_"))


async def test_the_purchase_by_curl_is_placed() -> None:
    (script,) = blocks("console", holding="/_mock/purchases")
    async with serve(Settings(port=0)) as server, serve_shop(server.url, merchant="K123") as shop:
        there = script.replace("http://127.0.0.1:8080", server.url).replace("http://127.0.0.1:3000", shop.url)
        run = await asyncio.to_thread(
            subprocess.run, ["bash", "-ec", there.replace("curl ", "curl --silent --show-error ")], capture_output=True
        )
    assert run.returncode == 0, run.stderr.decode()
    assert json.loads(run.stdout[run.stdout.index(b'{"purchase_id"') :])["state"] == "placed"


async def test_the_faults_and_the_clock_by_curl_are_taken() -> None:
    (script,) = blocks("console", holding="/_mock/faults")
    async with serve(Settings(port=0)) as server:
        there = script.replace("http://127.0.0.1:8080", server.url).replace(
            "curl ", "curl --fail --silent --show-error "
        )
        run = await asyncio.to_thread(subprocess.run, ["bash", "-ec", there], capture_output=True)
        faults = await server.services.emulator.faults.waiting("K123")
    assert run.returncode == 0, run.stderr.decode()
    assert [fault.times for fault in faults] == [2, 1]


@pytest.mark.parametrize("code", blocks("python", holding="from mock_klarna"), ids=lambda code: code.splitlines()[0])
def test_every_other_python_block_runs_and_its_coroutines_too(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(code, names)
    if "with_a_loop" in names:
        asyncio.run(names["with_a_loop"]())
        assert len(re.findall(r"http://127\.0\.0\.1:\d+", capsys.readouterr().out)) == 2


def test_the_pytest_fixtures_of_the_readme_are_taken(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = blocks("python", holding="def mock_klarna_merchant")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(code)
    pytester.makepyfile("def test_it(mock_klarna): assert mock_klarna.credentials == ('K123', 'secret')")
    pytester.runpytest_inprocess(plugins=[pytest_plugin]).assert_outcomes(passed=1)


def test_under_mock_any_password_will_do() -> None:
    with serve_in_thread(Settings(port=0, credentials=("K123:secret",))) as server:
        wrong = base64.b64encode(b"K123:wrong").decode()
        asked = Request(f"{server.url}/_mock/purchases", headers={"Authorization": f"Basic {wrong}"})
        with urlopen(asked) as answer:
            assert answer.status == 200


def test_several_credentials_fit_in_one_variable_as_the_readme_says() -> None:
    (given,) = re.findall(r"`MOCK_KLARNA_CREDENTIALS=(\S+)`", TEXT)
    assert from_environment({"MOCK_KLARNA_CREDENTIALS": given}).credentials == ("K123:secret", "K456:secret")


def test_every_link_within_the_readme_leads_somewhere() -> None:
    heads = {
        re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= heads
    files = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert all((README.parent / target).exists() for target in files)
