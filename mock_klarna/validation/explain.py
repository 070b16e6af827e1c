"""Explains why a body is invalid: each violation as a problem with its path and the expected value.

This is the slow half of validation: `jsonschema` is imported for the first invalid body.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cache, cached_property
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mock_klarna.domain.countries import canonical
from mock_klarna.domain.sums import LINE_RULES, ORDER_RULES
from mock_klarna.errors import Problem, did_you_mean
from mock_klarna.validation.json_body import path_text
from mock_klarna.validation.normalize import leniencies
from mock_klarna.validation.schemas import Catalogue, Parts, SchemaValidator

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator
    from referencing import Registry

_SOURCE = re.compile(r"\s*\((?:klarna\.md|guide|protocol|seed|C-\d)[^()]*\)")


def without_sources(text: str) -> str:
    """Return a sentence without its sources in brackets, such as `(guide, step 3)`."""
    return _SOURCE.sub("", text)


_TYPES = {
    "object": "an object",
    "array": "a list",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "null": "null",
}


def words(parts: Parts, *, strict: bool = True) -> str:
    """Return the expected value in words: `x-expected` of the schema, its enum, or its type and limits.

    Unless `strict`, they include the numbers that are converted to text.
    """
    converted = {name for part in parts for name in leniencies(part.schema, strict=strict)}
    or_number = next((text for name, text in _ACCEPTED_NUMBERS.items() if name in converted), "")
    return _own_words_of(parts) + or_number


def _own_words_of(parts: Parts) -> str:
    own = _first(parts, "x-expected")
    if own:
        return str(own)
    if choices := _first(parts, "enum"):
        return one_of(choices)
    kinds = _first(parts, "type") or "object"
    named = " or ".join(_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    return named + _limits(parts)


_ACCEPTED_NUMBERS = {"number_as_id": ", or a whole number from 0", "number_as_text": ", or a number"}
"""What conversions accept beside text."""


def presence(parts: Parts, *, strict: bool = True) -> str:
    """Return the expected value of a required member that is missing."""
    description = without_sources(str(_first(parts, "description") or "")).rstrip(".")
    return words(parts, strict=strict) + (f" ({description})" if description else "")


def one_of(choices: Sequence[Any]) -> str:
    """Return the allowed values in words."""
    return "one of " + ", ".join(map(str, choices)) if len(choices) > 1 else str(choices[0])


def broken(keyword: str, limit: Any, sent: Any) -> str:
    """Return the expected value for a keyword of a schema that a value violates."""
    describe = _KEYWORDS.get(keyword)
    return describe(limit, sent) if describe else f"a value that satisfies {keyword} {limit}"


def _first(parts: Parts, keyword: str) -> Any:
    return next((part.schema[keyword] for part in parts if keyword in part.schema), None)


def _limits(parts: Parts) -> str:
    low, high = _first(parts, "minimum"), _first(parts, "maximum")
    longest = _first(parts, "maxLength")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f" of at most {longest} characters" if longest is not None else ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


_KEYWORDS: Mapping[str, Callable[[Any, Any], str]] = MappingProxyType(
    {
        "enum": lambda limit, sent: one_of(limit),
        "const": lambda limit, sent: "true" if limit is True else str(limit),
        "minimum": lambda limit, sent: f"at least {limit}",
        "maximum": lambda limit, sent: f"at most {limit}",
        "exclusiveMinimum": lambda limit, sent: f"more than {limit}",
        "minLength": lambda limit, sent: f"at least {_count(limit, 'character', 'characters')}",
        "maxLength": lambda limit, sent: f"at most {limit} characters ({len(sent)} were sent)",
        "minItems": lambda limit, sent: f"at least {_count(limit, 'entry', 'entries')}",
        "maxItems": lambda limit, sent: f"at most {limit} entries ({len(sent)} were sent)",
        "pattern": lambda limit, sent: f"text that matches {limit}",
    }
)


Json = dict[str, Any]
Steps = Sequence[str | int]
_UNKNOWN = frozenset({"additionalProperties", "unevaluatedProperties"})
_OWN_WORDS = frozenset({"pattern", "not", "enum"})
_LENGTHS = frozenset({"minLength", "maxLength"})
"""Rules that say nothing new about a text that does not have the expected form."""
_FEW = 2
"""Alternatives up to which the first one counts as missing; of more, the object that has none of them is not valid."""
_MAX_PROBLEMS = 500
_LONG_LIST = 100


NOT_CHECKED = Problem(
    "", "size", None, "a shorter body: this one has more values than are checked, and the rest was not"
)
"""The problem of a body of which only a part was checked."""
_MAX_WORK = 20_000
_work: ContextVar[list[int]] = ContextVar("work")


class _TooMuchWorkError(Exception):
    """The values that are explained have been used up."""


def _count_work() -> None:
    left = _work.get()
    left[0] -= 1
    if left[0] < 0:
        raise _TooMuchWorkError


def _light_keywords(original: Mapping[str, Any]) -> dict[str, Any]:
    """Return `type` and `enum` without their messages for containers: those contain the whole value, which may be large."""
    from jsonschema.exceptions import ValidationError

    def type_(validator: Any, types: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
        if not any(validator.is_type(instance, kind) for kind in ([types] if isinstance(types, str) else types)):
            yield ValidationError("")

    def enum(validator: Any, values: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, dict | list):
            yield ValidationError("")
        else:
            yield from original["enum"](validator, values, instance, schema)

    return {"type": type_, "enum": enum}


class Explainer:
    """Explains invalid bodies by the schemas of one catalogue; `schemas` skips the valid entries of long lists quickly."""

    def __init__(self, catalogue: Catalogue, schemas: SchemaValidator, *, strict: bool = False) -> None:
        self._catalogue = catalogue
        self._strict = strict
        self._schemas = schemas
        self._validator = cache(self._compiled)

    def problems(self, document: str, body: Any) -> list[Problem]:
        """Return each violation of the schema `document` once, at most a few hundred.

        The last one is `NOT_CHECKED` if the body has more values than can be checked in a short time.
        """
        errors = self._validator(document).iter_errors(body)
        found = (problem for error in errors for problem in self._problems_of(document, error))
        problems: list[Problem] = []
        work = _work.set([_MAX_WORK])
        try:
            problems.extend(islice(_once(found), _MAX_PROBLEMS))
        except _TooMuchWorkError:
            problems.append(NOT_CHECKED)
        finally:
            _work.reset(work)
        formless = {problem.path for problem in problems if problem.rule in _OWN_WORDS}
        return [problem for problem in problems if problem.rule not in _LENGTHS or problem.path not in formless]

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
        """A validator that descends only into the invalid entries of a long list: 10,000 lines would take seconds."""
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend

        keywords = {"items": self._items, **_light_keywords(Draft202012Validator.VALIDATORS)}
        sparing: type[Validator] = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]
        descend = sparing.descend  # type: ignore[attr-defined]

        def counted(validator: Any, *args: Any, **options: Any) -> "Iterator[ValidationError]":
            _count_work()
            yield from descend(validator, *args, **options)

        sparing.descend = counted  # type: ignore[attr-defined]
        return sparing

    def _items(self, validator: Any, schema: Any, instance: Any, _: Any) -> "Iterator[ValidationError]":
        entries = instance if isinstance(instance, list) else ()
        sparing = len(entries) > _LONG_LIST and "$ref" in schema
        for index, entry in enumerate(entries):
            _count_work()
            if not sparing or not self._schemas.accepts_entry(schema["$ref"], entry):
                yield from validator.descend(entry, schema, path=index)

    def _problems_of(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        if error.validator == "required":
            yield from self._missing(document, error)
        elif error.validator in _UNKNOWN:
            yield from self._unknown(document, error)
        elif error.validator in ("anyOf", "oneOf"):
            yield from self._no_branch(document, error)
        elif not _is_type_error(error):
            yield self._broken(document, error)

    def _missing(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        demanded: Any = error.validator_value
        body: Any = error.instance
        for name in demanded:
            if name not in body:
                steps = [*error.absolute_path, name]
                yield Problem(
                    path_text(steps),
                    "required",
                    None,
                    presence(self._catalogue.at(document, steps), strict=self._strict),
                )

    def _unknown(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        known = list(self._catalogue.members(self._catalogue.at(document, list(error.absolute_path))))
        body: Any = error.instance
        for name, value in body.items():
            if name not in known:
                hint = f"{did_you_mean(name, known)} known: {', '.join(known)}".lstrip()
                yield Problem(path_text([*error.absolute_path, name]), "additionalProperties", value, hint)

    def _no_branch(self, document: str, error: "ValidationError") -> Iterator[Problem]:
        if fitting := _fitting(error):
            for inner in fitting:
                yield from self._problems_of(document, inner)
            return
        expected = _own_words(error) or "another value"
        branches: Any = list(error.context or ())
        if 1 <= len(branches) <= _FEW and branches[0].validator == "required":
            path = path_text([*error.absolute_path, branches[0].validator_value[0]])
            yield Problem(path, "required", None, expected)
        else:
            yield Problem(path_text(error.absolute_path), str(error.validator), error.instance, expected)

    def _broken(self, document: str, error: "ValidationError") -> Problem:
        own = self._own_words(document, error)
        expected = own + _suggestion(error) if own else self._expected(document, error)
        return Problem(path_text(error.absolute_path), str(error.validator), error.instance, expected)

    def _own_words(self, document: str, error: "ValidationError") -> str:
        """Return `x-expected` of the schema of a broken keyword that cannot be put in words."""
        own = _own_words(error) if error.validator in _OWN_WORDS else ""
        if not own or own != _own_words_of(parts := self._catalogue.at(document, list(error.absolute_path))):
            return own
        return words(parts, strict=self._strict) + _missing_half(error)

    def _expected(self, document: str, error: "ValidationError") -> str:
        if error.validator == "type":
            return words(self._catalogue.at(document, list(error.absolute_path)), strict=self._strict)
        return broken(str(error.validator), error.validator_value, error.instance) + _suggestion(error)


def _once(problems: Iterable[Problem]) -> Iterator[Problem]:
    seen = set()
    for problem in problems:
        if (problem.path, problem.rule) not in seen:
            seen.add((problem.path, problem.rule))
            yield problem


def _is_type_error(error: "ValidationError") -> bool:
    """Return whether a text with choices is no text at all, which is an error of its own."""
    schema: Any = error.schema
    return error.validator == "enum" and schema.get("type") == "string" and not isinstance(error.instance, str)


def _own_words(error: "ValidationError") -> str:
    schema: Any = error.schema
    return str(schema.get("x-expected", "")) if isinstance(schema, dict) else ""


def _fitting(error: "ValidationError") -> list["ValidationError"]:
    """Return the errors of the one branch that allows a value of this type, if there is exactly one."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [inner for inner in branches.values() if not any(_misses(fault) for fault in inner)]
    return fitting[0] if len(fitting) == 1 else []


def _misses(fault: "ValidationError") -> bool:
    return not fault.relative_path and fault.validator in ("type", "required")


def _suggestion(error: "ValidationError") -> str:
    """Return the allowed value that was probably meant, if one is similar."""
    choices, sent = error.validator_value, error.instance
    if error.validator != "enum" or not isinstance(choices, list) or not isinstance(sent, str):
        return ""
    near = did_you_mean(sent, map(str, choices))
    return near and f"; {near}"


_LOCALE = re.compile(r"\^\((.*)\)-\((.*)\)")
_CODES = re.compile(r"([A-Za-z]{2})[-_]([A-Za-z]{2})\b.*", re.DOTALL)


def _missing_half(error: "ValidationError") -> str:
    """Return which half of a locale does not exist, or the locale that was probably meant."""
    schema, sent = error.schema, error.instance
    known = _LOCALE.match(str(error.validator_value))
    codes = _CODES.fullmatch(sent) if isinstance(sent, str) else None
    if not (isinstance(schema, dict) and "locale" in leniencies(schema) and known and codes):
        return ""
    language, country = codes[1].lower(), canonical(codes[2])
    wrong = [f"{language} is no language of ISO 639-1"] if language not in known[1].split("|") else []
    wrong += [f"{country} is no country of ISO 3166"] if country not in known[2].split("|") else []
    return f"; {' and '.join(wrong)}" if wrong else f"; did you mean {language}-{country}?"


_STEP = re.compile(r'\[(\d+)\]|\[""\]|([^.\[]+)')
_ENUMERABLE = 1000
_PRESENCE, _TYPE, _RANGE, _LINE, _ORDER = range(5)


def in_order(body: Any, problems: Iterable[Problem]) -> list[Problem]:
    """Return problems by presence, type, range, line sums, order sums, then as the body has them (klarna.md §10)."""
    return sorted(problems, key=lambda problem: (_rank(problem.rule), _place(body, problem.path)))


def value_at(body: Any, path: str) -> Any:
    """Return the value at a path in Klarna's form, or None."""
    for step in path_steps(path):
        body = _inside(body, step)
    return body


def _rank(rule: str) -> int:
    ranks = {"required": _PRESENCE, "type": _TYPE}
    return ranks.get(rule, _LINE if rule in LINE_RULES else _ORDER if rule in ORDER_RULES else _RANGE)


def _place(body: Any, path: str) -> tuple[int, ...]:
    place = []
    for step in path_steps(path):
        place.append(step if isinstance(step, int) else _index(body, step))
        body = _inside(body, step)
    return tuple(place)


def path_steps(path: str) -> list[str | int]:
    """Return the names and indexes of a path in Klarna's form: the opposite of `path_text`."""
    return [int(index) if index else name for index, name in _STEP.findall(path)]


def _inside(body: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return body[step] if isinstance(body, list) and step < len(body) else None
    return body.get(step) if isinstance(body, dict) else None


def _index(body: Any, name: str) -> int:
    """Return the position of a member; those that are missing come after all others."""
    if not isinstance(body, dict) or len(body) > _ENUMERABLE or name not in body:
        return _ENUMERABLE
    return list(body).index(name)
