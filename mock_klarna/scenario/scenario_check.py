"""Check a scenario without running it: its members, its steps, its variables, its carts, shipping options and shoppers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

from mock_klarna.domain.session import merge
from mock_klarna.errors import did_you_mean
from mock_klarna.scenario.model import COMMON_MEMBERS, FileError, Json, StepError
from mock_klarna.scenario.runner import BUILT_IN_VARIABLES
from mock_klarna.scenario.schema import Finding, scenario_schema
from mock_klarna.scenario.source import Source
from mock_klarna.scenario.steps import STEPS, load_cart, suggestion
from mock_klarna.scenario.variables import referenced_variables, substitute_known
from mock_klarna.shoppers import COUNTRIES, shopper_descriptions

_PURCHASE_STEPS = ("purchase", "purchases", "order")
_COUNTRIES = "such as se-approved, for " + ", ".join(COUNTRIES)
_LEAST_REFUSAL = 400
_WITHOUT_ANSWER = frozenset({"use_button", "repeat", "pause", *(name for name in STEPS if name.startswith("expect_"))})
"""Steps that send no request, so that there is no answer to compare."""


def scenario_errors(file: Path, source: Source, variables: Mapping[str, Any]) -> list[FileError]:
    """Return all errors of a scenario that will be run with `variables`, in the order of their lines."""
    data = source.data
    own = declared_variables(source)
    values = {**own, **variables}
    check = _StepCheck(file, {name: value for name, value in values.items() if value is not None})
    findings = list(scenario_schema().findings(data, check.values))
    if isinstance(data, dict):
        findings += [finding for name in own for finding in _built_in(name, f"vars.{name}")]
        findings += check.findings(data.get("steps"), "steps", {*values, *BUILT_IN_VARIABLES})
    errors = [FileError(file, source.place(path), message, hint) for path, message, hint in findings]
    return sorted(errors, key=lambda error: (error.place.line, error.place.column))


def declared_variables(source: Source) -> Json:
    """Return the variables of a file with their defaults; none if the file does not have them as it should."""
    declared = source.data.get("vars") if isinstance(source.data, dict) else None
    return declared if isinstance(declared, dict) else {}


@cache
def _shoppers() -> Mapping[str, str]:
    return shopper_descriptions(None)


@dataclass(frozen=True, slots=True)
class _StepCheck:
    """Finds in the steps of a file what the schema cannot express; `values` are the variables whose values are known."""

    file: Path
    values: Mapping[str, Any]

    def findings(self, entries: Any, path: str, variables: set[str]) -> Iterator[Finding]:
        """Return what is wrong with steps, where `variables` are defined; entries that break the schema anyway are skipped."""
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            here = f"{path}[{index}]"
            if not isinstance(entry, dict):
                continue
            names = [name for name in entry if name not in COMMON_MEMBERS]
            if len(names) != 1:
                found = " and ".join(names) if names else "none"
                yield Finding(here, f"a step has exactly one step name, found {found}", suggestion(here, STEPS))
                continue
            yield from self._findings_of_step(names[0], entry, here, variables)
            yield from _built_in(entry.get("as"), f"{here}.as")
            variables |= {entry["as"]} if isinstance(entry.get("as"), str) else set()

    def _findings_of_step(self, name: str, entry: Json, path: str, variables: set[str]) -> Iterator[Finding]:
        args = entry[name]
        if name == "repeat" and isinstance(args, dict):
            without_steps = {**entry, name: {each: args[each] for each in args if each != "steps"}}
            yield from _unknown_variables(without_steps, path, variables)
            yield from self._repeat_findings(args.get("steps"), f"{path}.repeat.steps", variables)
        else:
            yield from _unknown_variables(entry, path, variables)
        for member in ("status", "answer"):
            if member in entry and name in _WITHOUT_ANSWER:
                inside = scenario_schema().has_member(name, member)
                hint = f"write {member} inside {name}" if inside else "leave it out"
                yield Finding(f"{path}.{member}", f"{member} has no effect beside {name}", hint)
        has_purchase = isinstance(args, dict) and scenario_schema().has_member(name, "of")
        purchase = args.get("of") if has_purchase else None
        if _is_known_text(purchase) and purchase not in variables:
            yield Finding(f"{path}.{name}.of", f"unknown variable {purchase!r}", suggestion(purchase, variables))
        if name in _PURCHASE_STEPS and isinstance(args, dict):
            yield from self._purchase_findings(
                substitute_known(args, self.values), f"{path}.{name}", entry.get("status")
            )

    def _repeat_findings(self, steps: Any, path: str, variables: set[str]) -> Iterator[Finding]:
        if isinstance(steps, list) and steps:
            yield from scenario_schema().findings_in_steps(steps, path, self.values)
        inner = variables | {"turn"}
        yield from self.findings(steps, path, inner)
        variables.update(inner - {"turn"})  # results of repeated steps can be used after them

    def _purchase_findings(self, args: Json, path: str, status: Any) -> Iterator[Finding]:
        """Return what is wrong with the names in a purchase; options may be unknown where a refusal is expected."""
        shopper = args.get("shopper")
        if _is_known_text(shopper) and shopper not in _shoppers():
            yield Finding(f"{path}.shopper", f"unknown shopper {shopper!r}", _shopper_hint(shopper))
        try:
            options = self._page_options(args)
        except StepError as error:
            yield Finding(f"{path}.cart", error.message, error.hint)
            return
        option, known = args.get("shipping_option"), _shipping_options(options)
        is_refused = isinstance(status, int) and status >= _LEAST_REFUSAL
        if _is_known_text(option) and known and option not in known and not is_refused:
            hint = f"{did_you_mean(option, known)} the page has {', '.join(known)}".lstrip()
            yield Finding(f"{path}.shipping_option", f"unknown shipping option {option!r}", hint)

    def _page_options(self, args: Json) -> Json:
        """Return the options of the page that are known before the run; raises `StepError` for a wrong cart."""
        cart, page = args.get("cart"), args.get("page")
        options = load_cart(cart, self.file.parent) if _is_known_text(cart) else {}
        return merge(options, page if isinstance(page, dict) else {})


def _shipping_options(options: Json) -> list[str]:
    """Return the ids of a page's shipping options; none if the button key may have them, or if they are not known."""
    offered = options.get("shipping_options")
    ids = [each.get("id") if isinstance(each, dict) else None for each in offered] if isinstance(offered, list) else []
    return [each for each in ids if isinstance(each, str)] if all(map(_is_known_text, ids)) else []


def _is_known_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and not any(referenced_variables(value))


def _shopper_hint(name: str) -> str:
    """Return a suggestion among the shoppers of the country that a name starts with, or the countries."""
    country, dash, _ = name.partition("-")
    of_country = [known for known in _shoppers() if dash and known.startswith(f"{country}-")]
    return suggestion(name, of_country) if of_country else f"expected a country and an ending, {_COUNTRIES}"


def _built_in(name: Any, path: str) -> Iterator[Finding]:
    """Return a finding for a variable whose name every scenario has for a variable of its own."""
    if name in BUILT_IN_VARIABLES:
        yield Finding(path, f"{name} is a variable of every scenario", "use another name")


def _unknown_variables(value: Any, path: str, variables: Iterable[str]) -> Iterator[Finding]:
    """Return a finding for each text that refers to a variable which neither the file nor an earlier step defines."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _unknown_variables(part, f"{path}.{name}", variables)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _unknown_variables(part, f"{path}[{index}]", variables)
    else:
        for name in dict.fromkeys(referenced_variables(value)):
            if name not in variables:
                yield Finding(path, f"unknown variable {name!r}", suggestion(name, variables))
