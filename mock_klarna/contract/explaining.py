"""Why a body breaks its schema: every fault as a problem with its path and with what would be right.

This is the slow half of validation; `jsonschema` is imported when the first body is refused.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from mock_klarna.contract import wording
from mock_klarna.contract.catalogue import Catalogue
from mock_klarna.contract.verdict import Verdict
from mock_klarna.domain.problems import Problem

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from referencing import Registry

Json = dict[str, Any]
Steps = Sequence[str | int]
_UNKNOWN = frozenset({"additionalProperties", "unevaluatedProperties"})
_SAID = frozenset({"pattern", "not"})
_MOST_PROBLEMS = 500
_LONGEST_NAME = 80
_LONG_LIST = 100


def path_text(steps: Steps) -> str:
    """Return a place in Klarna's form: `order_lines[0].name`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:_LONGEST_NAME]}" for step in steps)
    return text.removeprefix(".")


class Explainer:
    """Explains refusals by the schemas of one catalogue; `verdict` spares it the right entries of long lists."""

    def __init__(self, catalogue: Catalogue, verdict: Verdict) -> None:
        self._catalogue = catalogue
        self._verdict = verdict
        self._validator = cache(self._compiled)

    def problems(self, document: str, body: Any) -> list[Problem]:
        """Return what breaks the schema `document`, each fault once; of a hopeless body only the first few hundred."""
        errors = self._validator(document).iter_errors(body)
        told = (problem for error in errors for problem in self._told(document, error))
        return list(islice(_once(told), _MOST_PROBLEMS))

    def _compiled(self, document: str) -> "Validator":
        return self._sparing(self._contents[document], registry=self._registry)

    @cached_property
    def _contents(self) -> dict[str, Json]:
        # without its $schema, a referenced document is explained by the validator that refers to it
        documents = self._catalogue.documents.items()
        return {
            path: {name: value for name, value in document.items() if name != "$schema"} for path, document in documents
        }

    @cached_property
    def _registry(self) -> "Registry[Any]":
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        contents = self._contents.values()
        return Registry().with_resources((found["$id"], DRAFT202012.create_resource(found)) for found in contents)

    @cached_property
    def _sparing(self) -> "type[Validator]":
        """A validator that looks at a long list's wrong entries only: to explain 10,000 lines for one takes seconds."""
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend

        sparing: type[Validator] = extend(Draft202012Validator, {"items": self._items})  # type: ignore[no-untyped-call]
        return sparing

    def _items(self, validator: Any, schema: Any, instance: Any, _: Any) -> "Iterator[ValidationError]":
        entries = instance if isinstance(instance, list) else ()
        sparing = len(entries) > _LONG_LIST and "$ref" in schema
        for index, entry in enumerate(entries):
            if not sparing or not self._verdict.accepts_entry(schema["$ref"], entry):
                yield from validator.descend(entry, schema, path=index)

    def _told(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        if error.validator == "required":
            yield from self._missing(document, error)
        elif error.validator in _UNKNOWN:
            yield from self._unknown(document, error)
        elif error.validator in ("anyOf", "oneOf"):
            yield from self._no_branch(document, error)
        else:
            yield self._broken(document, error)

    def _missing(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        demanded: Any = error.validator_value
        body: Any = error.instance
        for name in demanded:
            if name not in body:
                steps = [*error.absolute_path, name]
                yield Problem(path_text(steps), "required", None, wording.presence(self._catalogue.at(document, steps)))

    def _unknown(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        known = list(self._catalogue.members(self._catalogue.at(document, list(error.absolute_path))))
        body: Any = error.instance
        for name, value in body.items():
            if name not in known:
                expected = f"no such member; {_near(name, known)}{wording.one_of(known)}"
                yield Problem(path_text([*error.absolute_path, name]), "additionalProperties", value, expected)

    def _no_branch(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        if fitting := _fitting(error):
            for inner in fitting:
                yield from self._told(document, inner)
            return
        expected = _said(error) or "another value"
        first: Any = next(iter(error.context or ()), None)
        if first is not None and first.validator == "required":
            path = path_text([*error.absolute_path, first.validator_value[0]])
            yield Problem(path, "required", None, expected)
        else:
            yield Problem(path_text(error.absolute_path), str(error.validator), error.instance, expected)

    def _broken(self, document: str, error: "ValidationError") -> Problem:
        expected = (error.validator in _SAID and _said(error)) or self._expected(document, error)
        return Problem(path_text(error.absolute_path), str(error.validator), error.instance, expected)

    def _expected(self, document: str, error: "ValidationError") -> str:
        if error.validator == "type":
            return wording.words(self._catalogue.at(document, list(error.absolute_path)))
        return wording.broken(str(error.validator), error.validator_value, error.instance) + _meant(error)


def _once(problems: Iterable[Problem]) -> Iterator[Problem]:
    seen = set()
    for problem in problems:
        if (problem.path, problem.rule) not in seen:
            seen.add((problem.path, problem.rule))
            yield problem


def _said(error: "ValidationError") -> str:
    schema: Any = error.schema
    return str(schema.get("x-expected", "")) if isinstance(schema, dict) else ""


def _fitting(error: "ValidationError") -> list["ValidationError"]:
    """Return the faults of the one branch that takes a value of this type, if there is such a branch."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [inner for inner in branches.values() if not any(_misses(fault) for fault in inner)]
    return fitting[0] if len(fitting) == 1 else []


def _misses(fault: "ValidationError") -> bool:
    return not fault.relative_path and fault.validator in ("type", "required")


def _meant(error: "ValidationError") -> str:
    """Return which of the words that are possible was probably meant, if one is like the word that came."""
    choices, sent = error.validator_value, error.instance
    if error.validator != "enum" or not isinstance(choices, list) or not isinstance(sent, str):
        return ""
    near = difflib.get_close_matches(sent[:_LONGEST_NAME], map(str, choices), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name[:_LONGEST_NAME], known, n=1)
    return f"did you mean {near[0]}? known: " if near else "known: "
