"""Variables of a scenario: `${name}` in any text of a step, `${name.member}` for a part of an earlier result."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mock_klarna.scenario.model import Json, StepError
from mock_klarna.scenario.source import UnreadableFile, parse
from mock_klarna.validation import set_at

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_-]*)((?:\.[A-Za-z0-9_-]+|\[\d+\])*)\}")
_REFERENCE_MEMBER = re.compile(r"[A-Za-z0-9_-]+")


class UnknownVariable(StepError):
    """A text refers to a variable that does not exist, or to a member that the variable does not have."""


def read_texts(texts: Mapping[str, str], defaults: Mapping[str, Any]) -> Json:
    """Return the values of variables that were given as text, such as those of a command line, by their names.

    A variable whose default is text is text. Any other is read as the file has it: `5` is a number, `"5"` is text.
    """
    return {name: _read_text(text, defaults.get(name)) for name, text in texts.items()}


def _read_text(text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    try:
        value = parse(text).data
    except UnreadableFile:
        return text
    is_other_container = isinstance(value, dict | list) and not isinstance(value, type(default))
    return text if value is None or is_other_container else value


def substitute(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a value with all variables filled in; a text that is one reference becomes the variable's value, of any type.

    Raises `UnknownVariable`.
    """
    if isinstance(value, str):
        return _substitute_text(value, variables)
    if isinstance(value, list):
        return [substitute(part, variables) for part in value]
    if isinstance(value, dict):
        return {name: substitute(part, variables) for name, part in value.items()}
    return value


def substitute_known(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a value with the variables filled in that exist; texts that refer to others stay as they are."""
    if isinstance(value, list):
        return [substitute_known(part, variables) for part in value]
    if isinstance(value, dict):
        return {name: substitute_known(part, variables) for name, part in value.items()}
    try:
        return substitute(value, variables)
    except UnknownVariable:
        return value


def referenced_variables(value: Any) -> Iterator[str]:
    """Return the names of the variables that a value refers to, at any depth."""
    if isinstance(value, str):
        yield from (found.group(1) for found in _REFERENCE.finditer(value))
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from referenced_variables(part)


def _substitute_text(text: str, variables: Mapping[str, Any]) -> Any:
    only_reference = _REFERENCE.fullmatch(text)
    if only_reference:
        return _look_up(only_reference, variables)
    return _REFERENCE.sub(lambda found: _as_text(_look_up(found, variables)), text)


def _as_text(value: Any) -> str:
    """Return a value as it is written inside a text: as JSON, text without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _look_up(reference: re.Match[str], variables: Mapping[str, Any]) -> Any:
    name, members = reference.groups()
    if name not in variables:
        raise UnknownVariable(f"unknown variable {name!r}", hint="known: " + ", ".join(sorted(variables)))
    value = variables[name]
    for member in _REFERENCE_MEMBER.findall(members):
        value = _member(value, member, reference.group(0))
    return value


def _member(value: Any, member: str, reference: str) -> Any:
    if isinstance(value, dict) and member in value:
        return value[member]
    if isinstance(value, list) and re.fullmatch("[0-9]{1,9}", member) and int(member) < len(value):
        return value[int(member)]
    if isinstance(value, dict):
        hint = "known: " + ", ".join(value)
    else:
        hint = f"it has {len(value)} entries" if isinstance(value, list) else ""
    raise UnknownVariable(f"{reference} has no member {member}", hint=hint)


def with_changes(body: Any, changes: Mapping[str, Any]) -> Any:
    """Return a copy of a body with the members at some paths replaced, or removed where the new value is null.

    Raises `StepError` for a path that does not exist.
    """
    changed = copy.deepcopy(body)
    for path, value in changes.items():
        try:
            set_at(changed, path, value)
        except LookupError:
            hint = "give a path that exists"
            raise StepError(f"the order has no member {path}", where="change", hint=hint) from None
    return changed
