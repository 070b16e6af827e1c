"""The result of a scenario, and its forms: text, JSON, JUnit XML, and annotations and summaries for GitHub Actions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from mock_klarna.domain.time import moment
from mock_klarna.errors import xml_text
from mock_klarna.scenario.model import FileError, Scenario
from mock_klarna.scenario.source import Place


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that failed: its name, its place in the file, what was expected, and what happened."""

    step: str
    place: Place
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Export:
    """A purchase as the server exports it: an HTML page and an HTTP Archive."""

    html: str
    har: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one scenario. `duration` is in real seconds; `transcript` is the same for every run with the same seed.

    `exports` are the purchases of a scenario that failed, if they were asked for, and `files` the paths that they were written to.
    """

    scenario: Scenario
    merchant: str
    duration: float
    failure: Failure | None = None
    timeline: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all steps passed."""
        return self.failure is None

    def message(self) -> str:
        """Return the failure in one line; empty if the scenario passed."""
        if self.failure is None:
            return ""
        return f"{self.failure.step}: expected {self.failure.expected}; actual: {self.failure.actual}"

    def location(self) -> str:
        """Return `file:line:column` of the step that failed, or the file if none did."""
        file = str(self.scenario.file)
        return f"{file}:{self.failure.place.line}:{self.failure.place.column}" if self.failure else file

    def details(self) -> Iterator[str]:
        """Return the failure in several lines: the step, what was expected, what happened, and the timeline."""
        if self.failure is None:
            return
        yield f"{self.location()}: {self.failure.step}"
        yield f"expected  {self.failure.expected}"
        yield f"actual    {self.failure.actual}"
        for path in self.files:
            yield f"exported  {path}"
        yield f"timeline of merchant {self.merchant}:"
        yield from self.timeline or ["(nothing happened)"]

    def as_json(self) -> dict[str, Any]:
        """Return the report as the sandbox answers it over HTTP."""
        failure = self.failure
        return {
            "name": self.scenario.name,
            "title": self.scenario.title,
            "merchant": self.merchant,
            "passed": self.passed,
            "duration_seconds": round(self.duration, 3),
            "failure": failure
            and {
                "step": failure.step,
                "line": failure.place.line,
                "column": failure.place.column,
                "expected": failure.expected,
                "actual": failure.actual,
            },
            "timeline": self.timeline,
        }


def summary(reports: Sequence[Report], duration: float) -> str:
    """Return the counts in one line: `74 passed, 1 failed in 3.2 s`."""
    passed = sum(report.passed for report in reports)
    failed = len(reports) - passed
    counts = [f"{passed} passed"] if passed or not failed else []
    counts += [f"{failed} failed"] if failed else []
    return f"{', '.join(counts)} in {duration:.1f} s"


def github_failure_annotation(report: Report) -> str:
    """Return the GitHub annotation of a scenario that failed."""
    assert report.failure is not None
    place, title = report.failure.place, f"{report.scenario.title}: {report.failure.step}"
    return _annotation(str(report.scenario.file), place, title, report.message())


def github_file_annotation(error: FileError) -> str:
    """Return the GitHub annotation of an error in a file."""
    text = f"{error.message}; {error.hint}" if error.hint else error.message
    return _annotation(str(error.file), error.place, "invalid file", text)


def _annotation(file: str, place: Place, title: str, text: str) -> str:
    position = f"file={_escape_property(file)},line={place.line},col={place.column}"
    return f"::error {position},title={_escape_property(title)}::{_escape_message(text)}"


def _escape_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")


def github_summary(reports: Sequence[Report], duration: float) -> str:
    """Return a Markdown table of all scenarios, followed by the details of those that failed."""
    rows = [
        f"| {'✅' if report.passed else '❌'} | {_table_cell(report.scenario.title)} | {report.duration:.2f} s |"
        for report in reports
    ]
    table = ["| | scenario | time |", "|---|---|---|", *rows]
    return "\n".join(["### mock-klarna", "", summary(reports, duration), "", *table, "", *_details(reports)]) + "\n"


def _table_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _details(reports: Iterable[Report]) -> list[str]:
    failed = (report for report in reports if not report.passed)
    return [f"#### {report.scenario.title}\n\n~~~\n" + "\n".join(report.details()) + "\n~~~\n" for report in failed]


def json_report(reports: Sequence[Report], started: float, duration: float) -> bytes:
    """Return a JSON document with the counts and every scenario; times as in `junit`."""
    failed = sum(not report.passed for report in reports)
    document = {
        "passed": len(reports) - failed,
        "failed": failed,
        "started_at": moment(started),
        "duration_seconds": round(duration, 3),
        "scenarios": [
            {"file": _json_text(str(each.scenario.file)), **each.as_json(), "exported": [*map(_json_text, each.files)]}
            for each in reports
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _json_text(path: str) -> str:
    """Return a path with the bytes replaced that are not UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def junit(reports: Sequence[Report], started: float, duration: float, host: str = "localhost") -> bytes:
    """Return a JUnit XML document; `started` is when the run started in seconds since 1970, `duration` its real seconds."""
    root = ET.Element("testsuites", _junit_counts(reports, duration))
    by_folder = sorted(reports, key=lambda report: str(report.scenario.file.parent))
    timestamp = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for folder, group in groupby(by_folder, key=lambda report: str(report.scenario.file.parent)):
        cases = list(group)
        counts = {"name": xml_text(folder), **_junit_counts(cases, duration), "skipped": "0"}
        suite = ET.SubElement(root, "testsuite", {**counts, "timestamp": timestamp, "hostname": host})
        for report in cases:
            _add_junit_case(suite, report)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _junit_counts(reports: Sequence[Report], run_duration: float) -> dict[str, str]:
    """Return the counts of a suite; scenarios run at once, so together they took no longer than the run."""
    failed = sum(not report.passed for report in reports)
    duration = min(run_duration, sum(report.duration for report in reports))
    return {"tests": str(len(reports)), "failures": str(failed), "errors": "0", "time": f"{duration:.3f}"}


def _add_junit_case(suite: ET.Element, report: Report) -> None:
    names = {"name": xml_text(report.scenario.title), "classname": xml_text(report.scenario.name)}
    case = ET.SubElement(suite, "testcase", {**names, "time": f"{report.duration:.3f}"})
    if not report.passed:
        failure = ET.SubElement(case, "failure", {"message": xml_text(report.message()), "type": "expectation"})
        failure.text = xml_text("\n".join(report.details()))
        if report.files:  # GitLab and Jenkins show such files beside the failure
            ET.SubElement(case, "system-out").text = xml_text(
                "\n".join(f"[[ATTACHMENT|{path}]]" for path in report.files)
            )
