"""Reports in JUnit XML, in GitHub Actions, and over HTTP."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mock_klarna.client import Client
from mock_klarna.scenario import report as github
from mock_klarna.scenario.loader import load_scenarios
from mock_klarna.scenario.model import Fault, Scenario
from mock_klarna.scenario.report import Failure, Report, junit, summary
from mock_klarna.scenario.runner import RunOptions
from mock_klarna.scenario.source import Place
from mock_klarna.server import serve
from mock_klarna.settings import Settings
from tests.scenario.conftest import BUTTON

Written = Callable[..., Path]
FAILURE = Failure("place", Place(5, 3), "success", "answered 400: 5 % <b>\x07\nsecond line")


@pytest.fixture
def scenario(written: Written) -> Scenario:
    """A scenario with everything in its name that reports have to escape."""
    file = written(BUTTON, name="x")
    file.write_text(file.read_text().replace("A scenario of a test", "'Ten % off: a, b | <c> & d'"), "utf-8")
    return load_scenarios([file], {})[0]


@pytest.fixture
def reports(scenario: Scenario) -> list[Report]:
    """One that held and one that did not."""
    return [Report(scenario, "m", 0.25), Report(scenario, "m", 0.5, FAILURE, ["+0.000s  shop → Klarna"])]


def test_junit_counts_what_was_played(reports: list[Report]) -> None:
    root = ET.fromstring(junit(reports, 1_700_000_000.0, 2.0))
    (suite,) = root
    assert root.attrib == {"tests": "2", "failures": "1", "errors": "0", "time": "0.750"}
    assert (
        suite.attrib.items() >= {"tests": "2", "failures": "1", "errors": "0", "skipped": "0", "time": "0.750"}.items()
    )
    assert suite.get("timestamp") == "2023-11-14T22:13:20"
    assert suite.get("name") == str(reports[0].scenario.file.parent)


def test_scenarios_that_were_played_at_once_took_no_longer_than_the_run(reports: list[Report]) -> None:
    root = ET.fromstring(junit(reports, 0.0, 0.6))
    assert (root.get("time"), root[0].get("time")) == ("0.600", "0.600")
    assert [case.get("time") for case in root[0]] == ["0.250", "0.500"]


def test_a_junit_failure_has_the_message_and_the_timeline(reports: list[Report]) -> None:
    cases = ET.fromstring(junit(reports, 0.0, 2.0)).findall("./testsuite/testcase")
    assert [(case.get("name"), case.get("time"), len(case)) for case in cases] == [
        ("Ten % off: a, b | <c> & d", "0.250", 0),
        ("Ten % off: a, b | <c> & d", "0.500", 1),
    ]
    (failure,) = cases[1]
    assert failure.tag == "failure"
    assert "expected success" in str(failure.get("message"))
    assert "+0.000s  shop → Klarna" in str(failure.text)
    assert "5 % <b>�" in str(failure.text)


def test_scenarios_of_several_folders_make_several_suites(reports: list[Report], tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "y.yaml"
    file.write_text(reports[0].scenario.file.read_text())
    other = Report(load_scenarios([file], {})[0], "m", 0.1)
    suites = ET.fromstring(junit([reports[0], other, reports[1]], 0.0, 2.0)).findall("testsuite")
    assert [(suite.get("name"), suite.get("tests")) for suite in suites] == [
        (str(tmp_path), "2"),
        (str(file.parent), "1"),
    ]


def test_github_marks_the_line_of_the_step_that_failed(reports: list[Report]) -> None:
    line = github.failure(reports[1])
    assert line.startswith(f"::error file={reports[1].scenario.file},line=5,col=3,title=Ten %25 off%3A a%2C b")
    assert "\n" not in line
    assert "5 %25 <b>" in line


def test_github_marks_the_line_of_a_wrong_file() -> None:
    wrong = Fault(Path("a,b.yaml"), Place(3, 4), "no such step", "known are: x")
    assert (
        github.fault(wrong) == "::error file=a%2Cb.yaml,line=3,col=4,title=wrong scenario::no such step; known are: x"
    )


def test_the_step_summary_is_a_table_with_the_details_of_what_failed(reports: list[Report]) -> None:
    text = github.step_summary(reports, 1.0)
    assert "1 of 2 scenarios held, in 1.00 s" in text
    assert "| ✅ | Ten % off: a, b \\| <c> & d | 0.25 s |" in text
    assert text.count("+0.000s  shop → Klarna") == 1


def test_the_summary_counts(reports: list[Report]) -> None:
    assert summary([reports[0]], 0.5) == "1 of 1 scenarios held, in 0.50 s"


def asked(url: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async def ask() -> tuple[int, Any]:
        async with Client(url) as client:
            answer = await client.send(method, path, body)
            return answer.status, answer.body

    return asyncio.run(ask())


def test_stored_scenarios_are_listed_over_http(options: RunOptions) -> None:
    status, body = asked(options.url, "GET", "/_mock/scenarios")
    by_name = {scenario["name"]: scenario for scenario in body["scenarios"]}
    assert status == 200
    assert by_name["accepted"]["title"] == "A shopper buys with express shipping"
    assert by_name["accepted"]["vars"] == {"shop": None}


def test_a_stored_scenario_is_played_over_http(options: RunOptions) -> None:
    status, report = asked(options.url, "POST", "/_mock/scenarios/dead-merchant/run", {"seed": 5})
    assert status == 200
    assert (report["passed"], report["failure"], report["name"]) == (True, None, "dead-merchant")
    assert "refused" in "\n".join(report["timeline"])


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("acepted", None, 404, "did you mean accepted?"),
        ("accepted", None, 400, "the variable shop has no value"),
        ("accepted", {"vars": {"shp": "x"}}, 400, "the scenario has no variable shp"),
        ("accepted", {"vars": {"shp": "x"}}, 400, "did you mean shop?"),
        ("accepted", {"var": {}}, 400, "did you mean vars?"),
        ("accepted", {"vars": [1]}, 400, "an object"),
    ],
)
def test_a_wrong_wish_to_play_is_explained(path: str, body: Any, status: int, said: str, options: RunOptions) -> None:
    found, answer = asked(options.url, "POST", f"/_mock/scenarios/{path}/run", body)
    assert found == status
    assert said in str(answer)


def test_who_asks_over_http_is_told_what_to_put_into_the_body(options: RunOptions) -> None:
    _, answer = asked(options.url, "POST", "/_mock/scenarios/accepted/run")
    assert answer == {
        "error": "the variable shop has no value",
        "where": "vars",
        "hint": '{"vars": {"shop": …}} in the body',
    }


async def test_nobody_is_told_where_on_the_server_a_scenario_lies(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("name: x\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running, Client(running.url) as client:
        listed = await client.ask("GET", "/_mock/scenarios")
        answer = await client.send("POST", "/_mock/scenarios/wrong/run")
    assert answer.body["error"].startswith("wrong.yaml:1:1: steps is missing; expected")
    assert str(tmp_path) not in f"{listed} {answer.body}"


async def test_a_server_offers_the_scenarios_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: Mine own\nsteps:\n  {BUTTON}\n")
    (tmp_path / "accepted.yaml").write_text(f"name: Another one\nsteps:\n  {BUTTON}\n")
    (tmp_path / "wrong.yaml").write_text("name: x\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running, Client(running.url) as client:
        listed = {one["name"]: one for one in (await client.ask("GET", "/_mock/scenarios"))["scenarios"]}
        assert listed["accepted"]["title"] == "Another one"
        assert "steps is missing" in listed["wrong"]["faults"][0]
        assert (await client.ask("POST", "/_mock/scenarios/mine/run"))["passed"]
        assert (await client.send("POST", "/_mock/scenarios/wrong/run")).status == 400


async def test_callers_of_the_same_scenario_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: Mine own\nsteps:\n  {BUTTON}\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running:
        for caller in ("ann", "bob"):
            async with Client(running.url, caller) as client:
                report = await client.ask("POST", "/_mock/scenarios/mine/run")
                assert (report["passed"], report["merchant"]) == (True, f"{caller}-mine")
        async with Client(running.url, "ann-mine") as client:
            assert (await client.ask("GET", "/_mock/journal?name=create_button"))["entries"]


async def test_where_only_listed_credentials_are_accepted_a_scenario_is_played_with_the_callers(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"name: Mine own\nsteps:\n  {BUTTON}\n")
    settings = Settings(port=0, scenarios=str(tmp_path), credentials=("shop:secret",))
    async with serve(settings) as running, Client(running.url, "shop", "secret") as client:
        report = await client.ask("POST", "/_mock/scenarios/mine/run")
    assert (report["passed"], report["merchant"]) == (True, "shop")


async def test_a_scenario_that_fails_is_reported_over_http(tmp_path: Path) -> None:
    expectation = "- expect_event: {name: purchase_placed, within: 0}"
    (tmp_path / "fails.yaml").write_text(f"name: Fails\nsteps:\n  {BUTTON}\n  {expectation}\n")
    async with serve(Settings(port=0, scenarios=str(tmp_path))) as running, Client(running.url) as client:
        report = await client.ask("POST", "/_mock/scenarios/fails/run", {"merchant": "http-tester:pw"})
    assert (report["passed"], report["merchant"]) == (False, "http-tester")
    assert report["failure"]["step"] == "expect_event"
    assert report["failure"]["line"] == 4
    assert report["failure"]["actual"] == "there was no purchase_placed"
