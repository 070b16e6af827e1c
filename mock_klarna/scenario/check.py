"""Checking a scenario without playing it: its shape, its steps, its variables, its carts and shoppers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from mock_klarna import resources
from mock_klarna.scenario.model import TOGETHER, Fault
from mock_klarna.scenario.runner import BUILT_IN
from mock_klarna.scenario.source import Source
from mock_klarna.scenario.steps import STEPS, cart_names, choice, is_file
from mock_klarna.scenario.variables import filled_where_known, mentions
from mock_klarna.shoppers import COUNTRIES, shopper_descriptions
from mock_klarna.validation.explain import Explainer, value_at
from mock_klarna.validation.schemas import Catalogue, SchemaValidator, load

Json = dict[str, Any]
DOCUMENT = "scenario.json"
_MATCHER = "matcher.json"


@dataclass
class Checker:
    """Holds scenarios against `schemas/scenario.json` and against what exists; compiled once for many files."""

    @cached_property
    def _catalogue(self) -> Catalogue:
        schemas = resources.schemas()
        own = {name: orjson.loads((schemas / name).read_bytes()) for name in (DOCUMENT, _MATCHER)}
        return Catalogue({**load(schemas).documents, **own})

    @cached_property
    def _schemas(self) -> SchemaValidator:
        return SchemaValidator(self._catalogue)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self._catalogue, self._schemas)

    @cached_property
    def _shoppers(self) -> Mapping[str, str]:
        return shopper_descriptions(None)

    def faults(self, file: Path, source: Source, given: Mapping[str, Any]) -> list[Fault]:
        """Return everything that is wrong with a scenario that is to be played with the variables of `given`."""
        data = source.data
        told = list(self._shape(data, given))
        if isinstance(data, dict):
            told += self._steps(data.get("steps"), "steps", _known(data, given), file)
        faults = [Fault(file, source.place(path), message, hint) for path, message, hint in told]
        return sorted(faults, key=lambda fault: (fault.place.line, fault.place.column))

    def _shape(self, data: Any, given: Mapping[str, Any], prefix: str = "") -> "Iterator[_Told]":
        defaults = data.get("vars") if isinstance(data, dict) else None
        values = {**(defaults if isinstance(defaults, dict) else {}), **given}
        known = {name: value for name, value in values.items() if value is not None}
        whole = filled_where_known(data, known)
        if not self._schemas.schema(DOCUMENT).is_valid(whole):
            for problem in self._explainer.problems(DOCUMENT, whole):
                sent = value_at(whole, problem.path)
                if not any(mentions(sent)):
                    said = _WORDS.get(problem.rule, "is not right")
                    yield prefix + problem.path, f"{problem.path or 'the file'} {said}", f"expected {problem.expected}"

    def _steps(self, entries: Any, path: str, known: set[str], file: Path) -> "Iterator[_Told]":
        """Look at what the schema cannot know; what it does not allow anyway is passed over here."""
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            here = f"{path}[{index}]"
            if not isinstance(entry, dict):
                continue
            names = [name for name in entry if name not in TOGETHER]
            if len(names) != 1:
                named = " and ".join(names) if names else "no step"
                yield here, f"a step names one thing to do, this one names {named}", choice(here, STEPS)
                continue
            yield from self._step(names[0], entry, here, known, file)
            known |= {entry["as"]} if isinstance(entry.get("as"), str) else set()

    def _step(self, name: str, entry: Json, here: str, known: set[str], file: Path) -> "Iterator[_Told]":
        wish = entry[name]
        if name == "repeat" and isinstance(wish, dict):
            yield from self._repeated(wish, f"{here}.repeat.steps", known, file)
        else:
            yield from _unknown_variables(entry, here, known)
        if name in ("purchase", "purchases") and isinstance(wish, dict):
            yield from self._wants(wish, f"{here}.{name}", file)

    def _repeated(self, wish: Json, path: str, known: set[str], file: Path) -> "Iterator[_Told]":
        steps = wish.get("steps")
        if steps:
            yield from self._shape({"name": "repeat", "steps": steps}, {}, path.removesuffix("steps"))
        yield from self._steps(steps, path, known | {"turn"}, file)

    def _wants(self, wish: Json, here: str, file: Path) -> "Iterator[_Told]":
        cart, shopper = wish.get("cart"), wish.get("shopper")
        if isinstance(cart, str) and not any(mentions(cart)):
            if is_file(cart):
                if not (file.parent / cart).is_file():
                    yield f"{here}.cart", f"there is no file {cart}", "a path from the folder of the scenario"
            elif cart not in cart_names():
                yield f"{here}.cart", f"no cart is called {cart!r}", choice(cart, cart_names())
        if isinstance(shopper, str) and not any(mentions(shopper)) and shopper not in self._shoppers:
            yield f"{here}.shopper", f"no shopper is called {shopper!r}", self._shopper_choice(shopper)

    def _shopper_choice(self, wrong: str) -> str:
        """Return who of the country that a name begins with was probably meant, or which countries there are."""
        country, dash, _ = wrong.partition("-")
        there = [name for name in self._shoppers if dash and name.startswith(f"{country}-")]
        return choice(wrong, there) if there else f"expected a country and an ending, {_COUNTRIES}"


_COUNTRIES = "such as se-approved, for " + ", ".join(COUNTRIES)
_WORDS = {"required": "is missing", "additionalProperties": "is not known here"}
_Told = tuple[str, str, str]
"""A path in the file, what is wrong there, and what would be right."""


def _known(data: Json, given: Mapping[str, Any]) -> set[str]:
    own = data.get("vars")
    return {*(own if isinstance(own, dict) else ()), *given, *BUILT_IN}


def _unknown_variables(value: Any, here: str, known: set[str]) -> Iterator[_Told]:
    """Find texts that mention variables which neither the file nor an earlier step gives."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _unknown_variables(part, f"{here}.{name}", known)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _unknown_variables(part, f"{here}[{index}]", known)
    else:
        for name in mentions(value):
            if name not in known:
                yield here, f"${{{name}}} is not known here", choice(name, known)
