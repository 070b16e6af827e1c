"""Reports as JUnit XML, as GitHub annotations and as a summary."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mock_klarna.scenario.loader import load_scenarios
from mock_klarna.scenario.model import FileError, Scenario
from mock_klarna.scenario.report import (
    Failure,
    Report,
    github_failure_annotation,
    github_file_annotation,
    github_summary,
    junit,
    summary,
)
from mock_klarna.scenario.source import Place
from tests.scenario.conftest import BUTTON, WriteScenario

FAILURE = Failure("place", Place(5, 3), "success", "answered 400: 5 % <b>\x07\nsecond line")


@pytest.fixture
def scenario(write_scenario: WriteScenario) -> Scenario:
    """A scenario with everything in its name that reports have to escape."""
    file = write_scenario(BUTTON, name="x")
    file.write_text(file.read_text().replace("A scenario of a test", "'Ten % off: a, b | <c> & d'"), "utf-8")
    return load_scenarios([file], {})[0]


@pytest.fixture
def reports(scenario: Scenario) -> list[Report]:
    """One that passed and one that failed."""
    return [Report(scenario, "m", 0.25), Report(scenario, "m", 0.5, FAILURE, ["+0.000s  shop → Klarna"])]


def test_junit_counts_scenarios_and_failures(reports: list[Report]) -> None:
    root = ET.fromstring(junit(reports, 1_700_000_000.0, 2.0))
    (suite,) = root
    assert root.attrib == {"tests": "2", "failures": "1", "errors": "0", "time": "0.750"}
    assert (
        suite.attrib.items() >= {"tests": "2", "failures": "1", "errors": "0", "skipped": "0", "time": "0.750"}.items()
    )
    assert suite.get("timestamp") == "2023-11-14T22:13:20"
    assert suite.get("name") == str(reports[0].scenario.file.parent)


def test_junit_scenarios_at_the_same_time_take_no_longer_than_the_run(reports: list[Report]) -> None:
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


def test_junit_has_a_suite_for_each_folder(reports: list[Report], tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "y.yaml"
    file.write_text(reports[0].scenario.file.read_text())
    other = Report(load_scenarios([file], {})[0], "m", 0.1)
    suites = ET.fromstring(junit([reports[0], other, reports[1]], 0.0, 2.0)).findall("testsuite")
    assert [(suite.get("name"), suite.get("tests")) for suite in suites] == [
        (str(tmp_path), "2"),
        (str(file.parent), "1"),
    ]


def test_a_github_annotation_has_the_line_of_the_failed_step(reports: list[Report]) -> None:
    line = github_failure_annotation(reports[1])
    assert line.startswith(f"::error file={reports[1].scenario.file},line=5,col=3,title=Ten %25 off%3A a%2C b")
    assert "\n" not in line
    assert "5 %25 <b>" in line


def test_a_github_annotation_has_the_line_of_an_error_in_a_file() -> None:
    error = FileError(Path("a,b.yaml"), Place(3, 4), "no such step", "known are: x")
    assert (
        github_file_annotation(error)
        == "::error file=a%2Cb.yaml,line=3,col=4,title=invalid file::no such step; known are: x"
    )


def test_the_github_summary_has_a_table_and_the_details_of_failures(reports: list[Report]) -> None:
    text = github_summary(reports, 1.0)
    assert "1 passed, 1 failed in 1.0 s" in text
    assert "| ✅ | Ten % off: a, b \\| <c> & d | 0.25 s |" in text
    assert text.count("+0.000s  shop → Klarna") == 1


def test_the_summary_counts_passed_and_failed_scenarios(reports: list[Report]) -> None:
    assert summary(reports[:1], 0.5) == "1 passed in 0.5 s"
    assert summary(reports[1:], 0.5) == "1 failed in 0.5 s"
    assert summary([*reports, reports[0]], 3.21) == "2 passed, 1 failed in 3.2 s"
