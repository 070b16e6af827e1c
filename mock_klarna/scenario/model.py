"""A scenario as it was read from its file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario.source import Place, Source

Json = dict[str, Any]
TOGETHER = ("as", "status", "answer")
"""What a step may have beside its name: a name for what it gives, and what is to be answered."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what it wishes, its place in the file, and what stands beside it.

    `keep` is the name under which later steps find what it gave; `status` and `answer` are what it expects to be answered.
    """

    name: str
    wish: Any
    path: str
    keep: str | None = None
    status: int | None = None
    answer: Any = None


def step_of(entry: Mapping[str, Any], path: str) -> Step:
    """Return a step from its entry in the file."""
    name = next(name for name in entry if name not in TOGETHER)
    return Step(name, entry[name], path, entry.get("as"), entry.get("status"), entry.get("answer"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: what it is called, the variables it takes (None for those that have to be given), and its steps."""

    name: str
    file: Path
    source: Source = field(repr=False)

    @property
    def data(self) -> Json:
        """The file's contents."""
        held: Json = self.source.data
        return held

    @property
    def title(self) -> str:
        """The scenario's name in words."""
        return str(self.data["name"])

    @property
    def description(self) -> str:
        """What it is about; empty when it does not say."""
        return str(self.data.get("description") or "").strip()

    @property
    def variables(self) -> Json:
        """The variables with their defaults; None stands for one that has to be given."""
        return dict(self.data.get("vars") or {})

    @property
    def steps(self) -> list[Json]:
        """The steps as they stand in the file."""
        return list(self.data["steps"])


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a file: where, what, and what would be right."""

    file: Path
    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`file:line:column: what is wrong; what would be right`."""
        remedy = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.place.line}:{self.place.column}: {self.message}{remedy}"


class Impossible(MockKlarnaError):
    """A step that cannot be played as it is written: nothing was expected yet, and nothing can come of it."""


class WrongFiles(MockKlarnaError):
    """Files that cannot be played; `faults` holds all that is wrong with them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
