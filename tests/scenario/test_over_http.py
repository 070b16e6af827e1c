"""Scenarios are listed and run by the sandbox's own endpoints."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mock_klarna.client import Client
from mock_klarna.scenario.runner import RunOptions
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from tests.scenario.conftest import BUTTON


def send(url: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async def send_and_close() -> tuple[int, Any]:
        async with Client(url) as client:
            answer = await client.send(method, path, body)
            return answer.status, answer.body

    return asyncio.run(send_and_close())


def test_stored_scenarios_are_listed(run_options: RunOptions) -> None:
    status, body = send(run_options.url, "GET", "/_mock/scenarios")
    by_name = {scenario["name"]: scenario for scenario in body["scenarios"]}
    assert status == 200
    assert by_name["accepted"]["title"] == "A shopper buys with express shipping"
    assert by_name["accepted"]["vars"] == {"shop": None}


def test_a_stored_scenario_can_be_run(run_options: RunOptions) -> None:
    status, report = send(run_options.url, "POST", "/_mock/scenarios/dead-merchant/run", {"seed": 5})
    assert status == 200
    assert (report["passed"], report["failure"], report["name"]) == (True, None, "dead-merchant")
    assert "refused" in "\n".join(report["timeline"])


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("acepted", None, 404, "did you mean accepted?"),
        ("accepted", None, 400, "the variable shop has no value"),
        ("accepted", {"vars": {"shp": "x"}}, 400, "unknown variable 'shp'"),
        ("accepted", {"vars": {"shp": "x"}}, 400, "did you mean shop?"),
        ("accepted", {"var": {}}, 400, "did you mean vars?"),
        ("accepted", {"vars": [1]}, 400, "an object"),
    ],
)
def test_an_invalid_request_to_run_a_scenario_has_an_explanation(
    path: str, body: Any, status: int, message: str, run_options: RunOptions
) -> None:
    answered, answer = send(run_options.url, "POST", f"/_mock/scenarios/{path}/run", body)
    assert answered == status
    assert message in str(answer)


def test_the_hint_for_a_missing_variable_shows_the_request_body(run_options: RunOptions) -> None:
    _, answer = send(run_options.url, "POST", "/_mock/scenarios/accepted/run")
    assert answer == {
        "type": "https://mock-klarna.example/problems/invalid-request",
        "title": "Invalid request",
        "status": 400,
        "detail": "the variable shop has no value",
        "where": "vars",
        "hint": '{"vars": {"shop": …}} in the body',
    }


async def test_errors_have_no_folders_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("name: x\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running, Client(running.url) as client:
        listed = await client.ask("GET", "/_mock/scenarios")
        answer = await client.send("POST", "/_mock/scenarios/wrong/run")
    assert answer.body["detail"].startswith("wrong.yaml:1:1: steps is missing; expected")
    assert str(tmp_path) not in f"{listed} {answer.body}"


async def test_scenarios_of_a_folder_are_listed_and_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: Mine own\nsteps:\n  {BUTTON}\n")
    (tmp_path / "accepted.yaml").write_text(f"name: Another one\nsteps:\n  {BUTTON}\n")
    (tmp_path / "wrong.yaml").write_text("name: x\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running, Client(running.url) as client:
        listed = {one["name"]: one for one in (await client.ask("GET", "/_mock/scenarios"))["scenarios"]}
        assert listed["accepted"]["title"] == "Another one"
        assert "steps is missing" in listed["wrong"]["errors"][0]
        assert (await client.ask("POST", "/_mock/scenarios/mine/run"))["passed"]
        assert (await client.send("POST", "/_mock/scenarios/wrong/run")).status == 400


async def test_each_caller_runs_a_scenario_as_a_merchant_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: Mine own\nsteps:\n  {BUTTON}\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running:
        for caller in ("ann", "bob"):
            async with Client(running.url, caller) as client:
                report = await client.ask("POST", "/_mock/scenarios/mine/run")
                assert (report["passed"], report["merchant"]) == (True, f"{caller}-mine")
        async with Client(running.url, "ann-mine") as client:
            assert (await client.ask("GET", "/_mock/journal?name=create_button"))["entries"]


async def test_with_configured_credentials_a_scenario_runs_as_its_caller(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: Mine own\nsteps:\n  {BUTTON}\n")
    settings = Settings(port=0, scenarios=str(tmp_path), credentials=("shop:secret",))
    async with serve(settings) as running, Client(running.url, "shop", "secret") as client:
        report = await client.ask("POST", "/_mock/scenarios/mine/run")
    assert (report["passed"], report["merchant"]) == (True, "shop")


async def test_a_failed_scenario_is_reported(tmp_path: Path) -> None:
    expectation = "- expect_event: {name: purchase_placed, within: 0}"
    (tmp_path / "fails.yaml").write_text(f"name: Fails\nsteps:\n  {BUTTON}\n  {expectation}\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running, Client(running.url) as client:
        report = await client.ask("POST", "/_mock/scenarios/fails/run", {"merchant": "http-tester:pw"})
    assert (report["passed"], report["merchant"]) == (False, "http-tester")
    assert report["failure"]["step"] == "expect_event"
    assert report["failure"]["line"] == 4
    assert report["failure"]["actual"] == "there was no purchase_placed"
