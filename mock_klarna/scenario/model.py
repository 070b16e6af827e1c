"""A scenario as it was read from its file, its steps, and the errors that a file or a step can have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario.source import Place, Source

Json = dict[str, Any]
COMMON_MEMBERS = ("as", "status", "answer")
"""Members that every step may have beside its name: a variable for its result, and the expected HTTP answer."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, its arguments as in the file, and its path in the file (`steps[0]`).

    Later steps find its result in the variable `save_as`. `expected_status` and `expected_answer` are compared with the HTTP
    answer.
    """

    name: str
    args: Any
    path: str
    save_as: str | None = None
    expected_status: int | None = None
    expected_answer: Any = None


def parse_step(entry: Mapping[str, Any], path: str) -> Step:
    """Return the step of an entry in the file."""
    name = next(name for name in entry if name not in COMMON_MEMBERS)
    return Step(name, entry[name], path, entry.get("as"), entry.get("status"), entry.get("answer"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: its name (that of the file, without ending), its file and the file's data with places."""

    name: str
    file: Path
    source: Source = field(repr=False)

    @property
    def data(self) -> Json:
        """The content of the file."""
        content: Json = self.source.data
        return content

    @property
    def title(self) -> str:
        """The `name` in the file, for people."""
        return str(self.data["name"])

    @property
    def description(self) -> str:
        """The `description` in the file, or an empty text."""
        return str(self.data.get("description") or "").strip()

    @property
    def variables(self) -> Json:
        """The variables with their defaults; None means that a value is required."""
        return dict(self.data.get("vars") or {})

    @property
    def steps(self) -> list[Json]:
        """The steps as they are in the file."""
        return list(self.data["steps"])


@dataclass(frozen=True, slots=True)
class FileError:
    """One error in a file: where, what is wrong, and what to do."""

    file: Path
    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`file:line:column: message; hint`."""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.place.line}:{self.place.column}: {self.message}{hint}"


class InvalidFiles(MockKlarnaError):
    """Files that cannot be run; `errors` lists everything that is wrong with them."""

    def __init__(self, errors: Iterable[FileError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


class StepError(MockKlarnaError):
    """A step cannot be executed as it is written."""
