"""Check a scenario without running it: its members, its steps, its variables, its carts and shoppers."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from mock_klarna import resources
from mock_klarna.scenario.model import COMMON_MEMBERS, FileError
from mock_klarna.scenario.runner import BUILT_IN_VARIABLES
from mock_klarna.scenario.source import Source
from mock_klarna.scenario.steps import STEPS, is_cart_file, suggestion
from mock_klarna.scenario.variables import referenced_variables, substitute_known
from mock_klarna.shoppers import COUNTRIES, shopper_descriptions
from mock_klarna.validation.explain import Explainer, value_at
from mock_klarna.validation.schemas import Catalogue, SchemaValidator, load

Json = dict[str, Any]
_SCENARIO_SCHEMA = "scenario.json"
_MATCHER_SCHEMA = "matcher.json"
_MESSAGES = {"required": "is missing", "additionalProperties": "is unknown"}
_COUNTRIES = "such as se-approved, for " + ", ".join(COUNTRIES)


class _Finding(NamedTuple):
    """Something wrong: the path in the file, what is wrong, and what to do."""

    path: str
    message: str
    hint: str


class Checker:
    """Checks scenarios against `schemas/scenario.json`, and that what they name exists; compiled once for many files."""

    @cached_property
    def _catalogue(self) -> Catalogue:
        schemas = resources.schemas()
        own = {name: orjson.loads((schemas / name).read_bytes()) for name in (_SCENARIO_SCHEMA, _MATCHER_SCHEMA)}
        return Catalogue({**load(schemas).documents, **own})

    @cached_property
    def _validator(self) -> SchemaValidator:
        return SchemaValidator(self._catalogue)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self._catalogue, self._validator)

    @cached_property
    def _shoppers(self) -> Mapping[str, str]:
        return shopper_descriptions(None)

    def errors(self, file: Path, source: Source, variables: Mapping[str, Any]) -> list[FileError]:
        """Return all errors of a scenario that will be run with `variables`, in the order of their lines."""
        data = source.data
        findings = list(self._schema_findings(data, variables))
        if isinstance(data, dict):
            findings += self._step_findings(data.get("steps"), "steps", _defined_variables(data, variables), file)
        errors = [FileError(file, source.place(path), message, hint) for path, message, hint in findings]
        return sorted(errors, key=lambda error: (error.place.line, error.place.column))

    def _schema_findings(self, data: Any, variables: Mapping[str, Any], prefix: str = "") -> Iterator[_Finding]:
        """Return what breaks the schema once the known variables are filled in; values of unknown ones are not checked."""
        defaults = data.get("vars") if isinstance(data, dict) else None
        values = {**(defaults if isinstance(defaults, dict) else {}), **variables}
        known = {name: value for name, value in values.items() if value is not None}
        filled = substitute_known(data, known)
        if self._validator.schema(_SCENARIO_SCHEMA).is_valid(filled):
            return
        for problem in self._explainer.problems(_SCENARIO_SCHEMA, filled):
            if not any(referenced_variables(value_at(filled, problem.path))):
                message = f"{problem.path or 'the file'} {_MESSAGES.get(problem.rule, 'is invalid')}"
                yield _Finding(prefix + problem.path, message, f"expected {problem.expected}")

    def _step_findings(self, entries: Any, path: str, variables: set[str], file: Path) -> Iterator[_Finding]:
        """Return what the schema cannot express; entries that break the schema anyway are skipped."""
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            here = f"{path}[{index}]"
            if not isinstance(entry, dict):
                continue
            names = [name for name in entry if name not in COMMON_MEMBERS]
            if len(names) != 1:
                found = " and ".join(names) if names else "none"
                yield _Finding(here, f"a step has exactly one step name, found {found}", suggestion(here, STEPS))
                continue
            yield from self._findings_of_step(names[0], entry, here, variables, file)
            variables |= {entry["as"]} if isinstance(entry.get("as"), str) else set()

    def _findings_of_step(
        self, name: str, entry: Json, path: str, variables: set[str], file: Path
    ) -> Iterator[_Finding]:
        args = entry[name]
        if name == "repeat" and isinstance(args, dict):
            yield from self._repeat_findings(args, f"{path}.repeat.steps", variables, file)
        else:
            yield from _unknown_variables(entry, path, variables)
        if name in ("purchase", "purchases", "order") and isinstance(args, dict):
            yield from self._cart_and_shopper_findings(args, f"{path}.{name}", file)

    def _repeat_findings(self, args: Json, path: str, variables: set[str], file: Path) -> Iterator[_Finding]:
        steps = args.get("steps")
        if steps:
            yield from self._schema_findings({"name": "repeat", "steps": steps}, {}, path.removesuffix("steps"))
        yield from self._step_findings(steps, path, variables | {"turn"}, file)

    def _cart_and_shopper_findings(self, args: Json, path: str, file: Path) -> Iterator[_Finding]:
        cart, shopper = args.get("cart"), args.get("shopper")
        if isinstance(cart, str) and not any(referenced_variables(cart)):
            if is_cart_file(cart):
                if not (file.parent / cart).is_file():
                    yield _Finding(f"{path}.cart", f"no such file: {cart}", "paths start at the scenario's folder")
            elif cart not in resources.cart_names():
                yield _Finding(f"{path}.cart", f"unknown cart {cart!r}", suggestion(cart, resources.cart_names()))
        if isinstance(shopper, str) and not any(referenced_variables(shopper)) and shopper not in self._shoppers:
            yield _Finding(f"{path}.shopper", f"unknown shopper {shopper!r}", self._shopper_hint(shopper))

    def _shopper_hint(self, name: str) -> str:
        """Return a suggestion among the shoppers of the country that a name starts with, or the countries."""
        country, dash, _ = name.partition("-")
        of_country = [known for known in self._shoppers if dash and known.startswith(f"{country}-")]
        return suggestion(name, of_country) if of_country else f"expected a country and an ending, {_COUNTRIES}"


def _defined_variables(data: Json, variables: Mapping[str, Any]) -> set[str]:
    own = data.get("vars")
    return {*(own if isinstance(own, dict) else ()), *variables, *BUILT_IN_VARIABLES}


def _unknown_variables(value: Any, path: str, variables: set[str]) -> Iterator[_Finding]:
    """Return a finding for each text that refers to a variable which neither the file nor an earlier step defines."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _unknown_variables(part, f"{path}.{name}", variables)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _unknown_variables(part, f"{path}[{index}]", variables)
    else:
        for name in referenced_variables(value):
            if name not in variables:
                yield _Finding(path, f"unknown variable {name!r}", suggestion(name, variables))
