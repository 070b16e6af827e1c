"""Variables: `${name}` in any text of a step, `${name.member}` for a part of what an earlier step gave."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mock_klarna.scenario.model import Impossible

_MENTION = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_-]*)((?:\.[A-Za-z0-9_-]+|\[\d+\])*)\}")
_STEP = re.compile(r"[A-Za-z0-9_-]+")


class UnknownVariable(Impossible):
    """A text mentions a variable that nobody gave, or a member that it does not have."""


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a value with all variables filled in; text that is nothing but a variable becomes its value, of any type.

    Raises `UnknownVariable`.
    """
    if isinstance(value, str):
        return _text(value, variables)
    if isinstance(value, list):
        return [filled(part, variables) for part in value]
    if isinstance(value, dict):
        return {name: filled(part, variables) for name, part in value.items()}
    return value


def filled_where_known(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a value with those texts filled in whose variables are all known; the others stay as they are."""
    if isinstance(value, list):
        return [filled_where_known(part, variables) for part in value]
    if isinstance(value, dict):
        return {name: filled_where_known(part, variables) for name, part in value.items()}
    try:
        return filled(value, variables)
    except UnknownVariable:
        return value


def mentions(value: Any) -> Iterator[str]:
    """Return the names of the variables that a value mentions anywhere in it."""
    if isinstance(value, str):
        yield from (found.group(1) for found in _MENTION.finditer(value))
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from mentions(part)


def _text(text: str, variables: Mapping[str, Any]) -> Any:
    whole = _MENTION.fullmatch(text)
    if whole:
        return _looked_up(whole, variables)
    return _MENTION.sub(lambda found: str(_looked_up(found, variables)), text)


def _looked_up(found: re.Match[str], variables: Mapping[str, Any]) -> Any:
    name, members = found.groups()
    if name not in variables:
        raise UnknownVariable(f"${{{name}}} is not known", hint="known are " + ", ".join(sorted(variables)))
    value = variables[name]
    for step in _STEP.findall(members):
        value = _member(value, step, found.group(0))
    return value


def _member(value: Any, step: str, mention: str) -> Any:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    there = ", ".join(value) if isinstance(value, dict) else f"{len(value)} entries" if isinstance(value, list) else ""
    raise UnknownVariable(f"{mention} has no member {step}", hint=f"there are {there}" if there else "")


_PATH_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def changed(body: Any, changes: Mapping[str, Any]) -> Any:
    """Return a copy of a body with the members at some paths replaced, or left out where the new value is null.

    Raises `Impossible` for a path that leads nowhere.
    """
    copied = copy.deepcopy(body)
    for path, value in changes.items():
        _change(copied, path, value)
    return copied


def _change(body: Any, path: str, value: Any) -> None:
    steps = [int(index) if index else name for index, name in _PATH_STEP.findall(path)]
    try:
        for step in steps[:-1]:
            body = body[step]
        _put(body, steps[-1], value)
    except (LookupError, TypeError):
        raise Impossible(f"the order has nothing at {path}", where="change", hint="a path into it") from None


def _put(holder: Any, step: str | int, value: Any) -> None:
    if value is not None:
        holder[step] = value
    elif isinstance(holder, dict):
        holder.pop(step, None)
    else:
        del holder[step]
