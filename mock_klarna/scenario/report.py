"""What came of playing a scenario, in words and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mock_klarna.scenario.reading import Place
from mock_klarna.scenario.scenario import Scenario


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
