"""The schema of scenario files: what breaks it, in words, in a file and in a step whose variables are filled in."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import orjson

from mock_klarna import resources
from mock_klarna.domain.journal_text import value_text
from mock_klarna.errors import UNKNOWN, Problem
from mock_klarna.scenario.matching import MATCHERS
from mock_klarna.scenario.variables import referenced_variables, substitute_known
from mock_klarna.validation.explain import Explainer, path_steps, value_at
from mock_klarna.validation.schemas import Catalogue, SchemaValidator, load

_SCENARIO = "scenario.json"
_MATCHER = "matcher.json"
_MESSAGES = {"required": "is missing", "additionalProperties": "is unknown"}
_MAX_MEMBERS = 20
_LONGEST_VALUE = 40


class Finding(NamedTuple):
    """Something wrong: the path in the file, what is wrong, and what to do."""

    path: str
    message: str
    hint: str


class ScenarioSchema:
    """`schemas/scenario.json`, compiled."""

    def __init__(self) -> None:
        schemas = resources.schemas()
        own = {name: orjson.loads((schemas / name).read_bytes()) for name in (_SCENARIO, _MATCHER)}
        self._catalogue = Catalogue({**load(schemas).documents, **own})
        self._validator = SchemaValidator(self._catalogue)
        self._explainer = Explainer(self._catalogue, self._validator)

    def findings(self, data: Any, variables: Mapping[str, Any]) -> Iterator[Finding]:
        """Return what is wrong with the data of a file, one finding for each place; the steps in `repeat` are not part of it.

        `variables` are filled in first; values that refer to other variables are not checked.
        """
        filled = substitute_known(data, variables)
        if not self._validator.schema(_SCENARIO).is_valid(filled):
            yield from self._schema_findings(filled)
        yield from _pattern_findings(filled)

    def has_member(self, step: str, name: str) -> bool:
        """Return whether the arguments of a step have a member, other than as part of a body that the server checks."""
        return name in self._catalogue.members(self._catalogue.at(_SCENARIO, ["steps", 0, step]))

    def _schema_findings(self, filled: Any) -> Iterator[Finding]:
        places: dict[str, list[Problem]] = {}
        for problem in self._explainer.problems(_SCENARIO, filled):
            if not any(referenced_variables(value_at(filled, problem.path))):
                places.setdefault(problem.path, []).append(problem)
        for path, problems in places.items():
            hint = "; ".join(dict.fromkeys(map(self._expected, problems)))
            yield Finding(path, _message(problems[0]), hint if problems[0].rule in UNKNOWN else f"expected {hint}")

    def findings_in_steps(self, entries: Any, path: str, variables: Mapping[str, Any]) -> Iterator[Finding]:
        """Return what is wrong with a list of steps, which is at `path` in its file."""
        for found in self.findings({"name": "steps", "steps": entries}, variables):
            place = path + found.path.removeprefix("steps")
            yield Finding(place, place + found.message.removeprefix(found.path), found.hint)

    def _expected(self, problem: Problem) -> str:
        """Return what would be right; where an object should be, also its members, unless there are many."""
        members = self._catalogue.members(self._catalogue.at(_SCENARIO, path_steps(problem.path)))
        if problem.rule != "type" or not 0 < len(members) <= _MAX_MEMBERS:
            return problem.expected
        return f"{problem.expected} (members: {', '.join(members)})"


def _pattern_findings(value: Any, path: str = "") -> Iterator[Finding]:
    """Yield a finding for each matcher whose regular expression cannot be read; steps in `repeat` are checked by themselves."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _pattern_findings(part, f"{path}[{index}]")
    elif isinstance(value, dict):
        pattern = value.get("matches")
        if isinstance(pattern, str) and value.keys() <= MATCHERS.keys() and not any(referenced_variables(pattern)):
            try:
                re.compile(pattern)
            except (re.error, RecursionError, OverflowError) as error:
                place = f"{path}.matches"
                yield Finding(place, f"{place} is invalid: {pattern!r}", f"expected a regular expression: {error}")
        for name, part in value.items():
            if name != "repeat":
                yield from _pattern_findings(part, f"{path}.{name}" if path else name)


@cache
def scenario_schema() -> ScenarioSchema:
    """Return the schema of this process, which is compiled once."""
    return ScenarioSchema()


def _message(problem: Problem) -> str:
    text = f"{problem.path or 'the file'} {_MESSAGES.get(problem.rule, 'is invalid')}"
    return text if problem.rule in _MESSAGES or isinstance(problem.value, dict | list) else f"{text}: {_shown(problem)}"


def _shown(problem: Problem) -> str:
    value = problem.value
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…")
    return "null" if value is None else value_text(value)
