"""Telling what came of a run: on the terminal, in files, in GitHub Actions."""

import argparse
import os
from pathlib import Path

from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.scenario import github
from mock_klarna.scenario.junit import junit
from mock_klarna.scenario.report import Report


def in_github() -> bool:
    """Tell whether this runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def tell(report: Report, *, verbose: bool) -> None:
    """Print how a scenario went; `verbose` shows the timeline of one that held too."""
    print(f"{'ok' if report.held else 'FAILED':6}  {report.scenario.title}  ({report.seconds:.2f} s)")
    shown = report.timeline if report.held and verbose else report.details()
    for line in shown:
        print(f"        {line}")
    if not report.held and in_github():
        print(github.failure(report))


def write(arguments: argparse.Namespace, reports: list[Report], began: float, seconds: float) -> None:
    """Write the reports that were asked for; raises `MockKlarnaError` where a file cannot be written."""
    if arguments.junit:
        _save(arguments.junit, junit(reports, began, seconds))
    if arguments.transcript:
        told = [
            f"{report.scenario.title}\n" + "".join(f"  {line}\n" for line in report.transcript) for report in reports
        ]
        _save(arguments.transcript, "\n".join(told).encode())
    if in_github() and os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
            file.write(github.step_summary(reports, seconds))


def _save(path: str, content: bytes) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    except OSError as fault:
        raise MockKlarnaError(
            f"cannot write: {fault.strerror}", where=path, right="a place that can be written"
        ) from None
