"""Reports as JUnit XML: a suite for each folder, a case for each scenario."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from xml.etree import ElementTree as ET

from mock_klarna.scenario.report import Report

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
