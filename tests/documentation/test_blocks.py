"""Every code block of every page works: commands are accepted, requests succeed, scenarios and tests pass."""

import asyncio
import json
import re
from typing import Any

import pytest
import yaml

from mock_klarna import pytest_plugin
from mock_klarna.cli.config import settings_in_file
from mock_klarna.cli.main import parser
from tests.commands import Command
from tests.documentation import curl
from tests.documentation.conftest import MERCHANT, PASSWORD, Sandbox
from tests.documentation.pages import Block, blocks, patient

ELSEWHERE = ".ci/run runs it"
OTHER_PROGRAMS = {
    "check": ELSEWHERE,
    "curl": "run below; with certificates in tests/tls",
    "docker": "run by tests/documentation/containers.py, started by .ci/image; `docker compose` is not run: podman has no Compose",
    "echo": "not run: it changes the hosts file of the machine; tests/tls does the same in a namespace",
    "flask": "run by test_examples.py",
    "mkdir": "run by containers.py",
    "node": "run by test_examples.py",
    "php": "run by test_examples.py",
    "pip": "run by .ci/install",
    "pipx": "run by .ci/install",
    "pytest": ELSEWHERE,
    "python3": ELSEWHERE,
    "sudo": "not run: it changes a setting of the kernel and the hosts file of the machine",
    "uvx": "run by .ci/install",
}
"""Programs of console blocks: where they run, or why they do not. What `mock-klarna` gets is parsed below."""


def named(found: list[Block]) -> pytest.MarkDecorator:
    """Run a test once for each block."""
    return pytest.mark.parametrize("block", found, ids=lambda block: block.name)


def commands_of(block: Block) -> list[list[str]]:
    """Return the commands of a console block as words, without variables in front and without the bodies of requests."""
    code = re.sub(r" > \S+", "", re.sub(r"'[^']*'", "''", block.code.replace("\\\n", " ")))
    found = [command.split() for line in code.splitlines() for command in re.split(r"&&|\|", line)]
    return [[word for word in words if not re.match(r"[A-Z_]+=", word)] for words in found if words]


@named(blocks("console"))
def test_every_command_line_is_accepted(block: Block) -> None:
    for words in commands_of(block):
        program = words[0].rpartition("/")[2]
        if program == "docker" and words[1] in ("run", "exec"):
            parser().parse_args(words[words.index("mock-klarna") + 1 :] or ["serve"])
        elif program == "mock-klarna":
            parser().parse_args(words[1:])
        else:
            assert program in OTHER_PROGRAMS


@pytest.mark.process
@named([block for block in blocks("console") if block.code.startswith("curl ") and "--cacert" not in block.code])
def test_every_curl_command_succeeds(block: Block, sandbox: Sandbox, tmp_path: Any) -> None:
    urls = {"place_order": f"{sandbox.shop}/klarna/place-order", "terms": f"{sandbox.shop}/terms"}
    curl.requested("POST", f"{sandbox.klarna}/instantshopping/v1/buttons", {"merchant_urls": urls})
    placing = f'"{sandbox.shop}/klarna/place-order?then=place_unchecked"'
    code = re.sub(rf'"{sandbox.shop}/(klarna/place-order)?"', placing, sandbox.replaced(block.code))
    if "PURCHASE_ID" in code:
        _, _, order = curl.requested("POST", f"{sandbox.klarna}/_mock/orders", {"cart": "se-battery-pack"})
        code = code.replace("PURCHASE_ID", order["purchase_id"])
    if "/_mock/faults" in code:
        code = code.replace("K123:secret", "faults:secret")  # the shop may still send orders of K123
    printed = curl.run(code, str(tmp_path))
    if "PURCHASE_ID" in block.code:
        assert order["purchase_id"] in (tmp_path / "purchase.html").read_text(encoding="utf-8")
        assert json.loads((tmp_path / "purchase.har").read_bytes())["log"]["version"] == "1.2"
    elif "/_mock/purchases" in code:
        assert curl.decided(sandbox.klarna, printed)["state"] == "placed"
    if "/_mock/faults" in code:
        _, _, body = curl.requested("GET", f"{sandbox.klarna}/_mock/faults", user="faults:secret")
        assert [fault["times"] for fault in body["faults"]] == [2, 1]


@named([block for block in blocks("yaml") if "\nsteps:" not in block.code and not block.code.startswith("-")])
def test_every_workflow_and_compose_file_is_one(block: Block) -> None:
    document = yaml.safe_load(block.code)
    for job in document.get("jobs", {}).values():
        assert job["runs-on"]
        assert all(step.keys() & {"run", "uses"} for step in job["steps"])
    assert document.get("jobs") or document.get("services") or document["purchase"]["script"]


@named(blocks("yaml", containing="\nsteps:"))
def test_every_scenario_passes(block: Block, command: Command, sandbox: Sandbox, tmp_path: Any) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(patient(block.code))
    ran = command(
        "run",
        scenario,
        "--url",
        sandbox.klarna,
        "--var",
        f"shop={sandbox.shop}",
        "--merchant",
        f"{MERCHANT}:{PASSWORD}",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@named([block for block in blocks("yaml") if block.code.startswith("- ")])
def test_every_list_of_steps_is_valid(block: Block, command: Command, tmp_path: Any) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(f"name: Steps of a page\nsteps:\n{block.code}")
    ran = command("check", scenario)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@named(blocks("python", containing="def test_"))
def test_every_test_passes(block: Block, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(block.code)
    pytester.runpytest_inprocess(plugins=[pytest_plugin]).assert_outcomes(passed=block.code.count("def test_"))


@named(blocks("python", containing="from mock_klarna"))
def test_every_program_runs_and_its_coroutines_too(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(block.code, names)
    if "async def main" in block.code:
        asyncio.run(names["main"]())
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+ \[\]\n", capsys.readouterr().out)


@named(blocks("python", containing="def mock_klarna_merchant"))
def test_the_fixtures_of_a_conftest_are_used(
    block: Block, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(block.code)
    pytester.makepyfile(
        "def test_it(mock_klarna, mock_klarna_settings):\n"
        "    assert mock_klarna.credentials == ('K123', 'secret') and mock_klarna_settings.strict"
    )
    pytester.runpytest_inprocess(plugins=[pytest_plugin]).assert_outcomes(passed=1)


@named(blocks("toml"))
def test_every_configuration_file_has_settings(block: Block, tmp_path: Any) -> None:
    (tmp_path / "mock-klarna.toml").write_text(block.code)
    assert len(settings_in_file(str(tmp_path / "mock-klarna.toml"))) == block.code.count(" = ")


@pytest.mark.process
@named(blocks("html"))
def test_the_library_of_every_page_is_served(block: Block, sandbox: Sandbox) -> None:
    (url,) = re.findall(r'src="([^"]+)"', sandbox.replaced(block.code))
    assert "InstantShopping" in curl.run(f"curl {url}")


@named(blocks("js"))
def test_every_redirection_of_a_browser_leads_to_the_emulator(block: Block) -> None:
    ((hosts, address),) = re.findall(r'replace\("([^"]+)", "([^"]+)"\)', block.code)
    assert f'"{hosts}/**"' in block.code
    assert address == "http://localhost:8080"


@named(blocks("json"))
def test_every_error_body_is_a_problem_document(block: Block) -> None:
    body = json.loads(block.code)
    assert body.keys() == {"type", "title", "status", "detail", "where", "hint", "errors"}
    assert all(
        problem.keys() == {"path", "json_path", "rule", "value", "expected", "formula"} for problem in body["errors"]
    )


def test_every_python_block_is_a_test_a_program_or_the_merchant_of_the_readme() -> None:
    tested = ("def test_", "from mock_klarna", "HTTPServer")
    assert all(any(text in block.code for text in tested) for block in blocks("python"))
