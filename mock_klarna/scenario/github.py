"""Reports as GitHub Actions shows them: annotations on the lines of a scenario, and the summary of a step."""

from collections.abc import Iterable

from mock_klarna.scenario.report import Report, summary
from mock_klarna.scenario.scenario import Fault

_ROWS = {True: "✅", False: "❌"}


def failure(report: Report) -> str:
    """Return the annotation of a scenario that failed; raises AssertionError for one that held."""
    assert report.failure is not None
    place, title = report.failure.place, f"{report.scenario.title}: {report.failure.step}"
    return _annotation(str(report.scenario.file), place.line, place.column, title, report.message())


def fault(wrong: Fault) -> str:
    """Return the annotation of a fault in a file."""
    text = f"{wrong.message}; {wrong.right}" if wrong.right else wrong.message
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
