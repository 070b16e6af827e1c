"""What came of playing a scenario, in words and as JSON."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from xml.etree import ElementTree as ET

from mock_klarna.scenario.model import Fault, Scenario
from mock_klarna.scenario.source import Place


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that did not hold: where it stands, what was expected, what happened instead."""

    step: str
    place: Place
    expected: str
    happened: str


@dataclass(frozen=True, slots=True)
class Report:
    """One scenario as it was played. `seconds` is real time; `transcript` is the same for every run with the same seed."""

    scenario: Scenario
    merchant: str
    seconds: float
    failure: Failure | None = None
    timeline: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every expectation came true."""
        return self.failure is None

    def message(self) -> str:
        """Return what went wrong in one line; empty when all held."""
        if self.failure is None:
            return ""
        return f"{self.failure.step}: expected {self.failure.expected}; instead: {self.failure.happened}"

    def where(self) -> str:
        """Return `file:line:column` of the step that failed, or the file when none did."""
        file = str(self.scenario.file)
        return f"{file}:{self.failure.place.line}:{self.failure.place.column}" if self.failure else file

    def details(self) -> Iterator[str]:
        """Return a failure in lines: the step, what was expected, what happened instead, and the timeline."""
        if self.failure is None:
            return
        yield f"{self.where()}: {self.failure.step}"
        yield f"expected  {self.failure.expected}"
        yield f"instead   {self.failure.happened}"
        yield f"timeline of merchant {self.merchant}:"
        yield from self.timeline or ["(nothing happened)"]

    def as_json(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        failure = self.failure
        return {
            "name": self.scenario.name,
            "title": self.scenario.title,
            "merchant": self.merchant,
            "held": self.held,
            "seconds": round(self.seconds, 3),
            "failure": failure
            and {
                "step": failure.step,
                "line": failure.place.line,
                "column": failure.place.column,
                "expected": failure.expected,
                "happened": failure.happened,
            },
            "timeline": self.timeline,
        }


def summary(reports: list[Report], seconds: float) -> str:
    """Return the last line of a run."""
    held = sum(report.held for report in reports)
    return f"{held} of {len(reports)} scenarios held, in {seconds:.2f} s"


_ROWS = {True: "✅", False: "❌"}


def failure(report: Report) -> str:
    """Return the annotation of a scenario that failed; raises AssertionError for one that held."""
    assert report.failure is not None
    place, title = report.failure.place, f"{report.scenario.title}: {report.failure.step}"
    return _annotation(str(report.scenario.file), place.line, place.column, title, report.message())


def fault(wrong: Fault) -> str:
    """Return the annotation of a fault in a file."""
    text = f"{wrong.message}; {wrong.hint}" if wrong.hint else wrong.message
    return _annotation(str(wrong.file), wrong.place.line, wrong.place.column, "wrong scenario", text)


def _annotation(file: str, line: int, column: int, title: str, text: str) -> str:
    return f"::error file={_value(file)},line={line},col={column},title={_value(title)}::{_text(text)}"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(reports: list[Report], seconds: float) -> str:
    """Return a table of all scenarios in Markdown, with the details of those that failed below it."""
    rows = [f"| {_ROWS[report.held]} | {_cell(report.scenario.title)} | {report.seconds:.2f} s |" for report in reports]
    table = ["| | scenario | time |", "|---|---|---|", *rows]
    return "\n".join(["### mock-klarna", "", summary(reports, seconds), "", *table, "", *_blocks(reports)]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _blocks(reports: Iterable[Report]) -> list[str]:
    failed = (report for report in reports if not report.held)
    return [f"#### {report.scenario.title}\n\n~~~\n" + "\n".join(report.details()) + "\n~~~\n" for report in failed]


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(reports: Sequence[Report], started: float, seconds: float, host: str = "localhost") -> bytes:
    """Return the XML document; `started` is when the run began, seconds in UTC, `seconds` how long all of it took."""
    whole = ET.Element("testsuites", _counts(reports, seconds))
    by_folder = sorted(reports, key=lambda report: str(report.scenario.file.parent))
    for folder, group in groupby(by_folder, key=lambda report: str(report.scenario.file.parent)):
        cases = list(group)
        moment = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        named = {"name": folder, **_counts(cases, seconds), "skipped": "0", "timestamp": moment, "hostname": host}
        suite = ET.SubElement(whole, "testsuite", named)
        for report in cases:
            _case(suite, report)
    ET.indent(whole)
    return bytes(ET.tostring(whole, encoding="utf-8", xml_declaration=True))


def _counts(reports: Sequence[Report], most: float) -> dict[str, str]:
    """Return what a suite says of its cases, which were played at once: together they took no longer than the run."""
    held = [report.held for report in reports]
    seconds = min(most, sum(report.seconds for report in reports))
    return {"tests": str(len(held)), "failures": str(held.count(False)), "errors": "0", "time": f"{seconds:.3f}"}


def _case(suite: ET.Element, report: Report) -> None:
    named = {"name": report.scenario.title, "classname": report.scenario.name, "time": f"{report.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", named)
    if not report.held:
        failure = ET.SubElement(case, "failure", {"message": _clean(report.message()), "type": "expectation"})
        failure.text = _clean("\n".join(report.details()))


def _clean(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return _NOT_XML.sub("�", text)
