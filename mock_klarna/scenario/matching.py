"""Holding what happened against what was expected: a part is enough, and everything that differs is told."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MATCHERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "contains": lambda wanted, found: found is not None and str(wanted) in (found if _is_many(found) else str(found)),
    "matches": lambda wanted, found: isinstance(found, str) and re.search(str(wanted), found) is not None,
    "at_least": lambda wanted, found: _is_number(found) and found >= wanted,
    "at_most": lambda wanted, found: _is_number(found) and found <= wanted,
    "not": lambda wanted, found: any(differences(wanted, found)),
}
"""An object of only these names describes a value: `{contains: 23800}`, `{at_least: 1}`, `{not: null}`."""


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Return what differs, a sentence each; nothing when `found` has all that is `wanted`.

    Objects may have more members than wanted, and null is wanted of a member that is not there. A list has to have every
    wanted entry in this order, and may have others between them; an empty one has to be empty.
    """
    if isinstance(wanted, dict) and wanted and wanted.keys() <= MATCHERS.keys():
        if not all(MATCHERS[name](limit, found) for name, limit in wanted.items()):
            yield _said(path, f"{_matcher(wanted)}", found)
    elif isinstance(wanted, dict) and isinstance(found, dict):
        for name, part in wanted.items():
            yield from differences(part, found.get(name), f"{path}.{name}" if path else name)
    elif isinstance(wanted, list) and isinstance(found, list) and wanted:
        yield from _missing_entries(wanted, found, path)
    elif wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        yield _said(path, shown(wanted), found)


def _missing_entries(wanted: list[Any], found: list[Any], path: str) -> Iterator[str]:
    if len(wanted) == len(found):
        for index, part in enumerate(wanted):
            yield from differences(part, found[index], f"{path}[{index}]")
        return
    left = iter(found)
    for part in wanted:
        if all(any(differences(part, entry)) for entry in left):
            yield _said(path, f"an entry with {shown(part)}", found)


def _said(path: str, wanted: str, found: Any) -> str:
    return f"{path or 'it'}: expected {wanted}, was {shown(found)}"


def _matcher(wanted: Mapping[str, Any]) -> str:
    return " and ".join(f"{name.replace('_', ' ')} {shown(limit)}" for name, limit in wanted.items())


def shown(value: Any) -> str:
    """Return a value as a reader can take it in: null as `nothing`, objects in one line, long ones cut."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{name}: {shown(part)}" for name, part in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(shown, value)) + "]"
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _is_many(value: Any) -> bool:
    return isinstance(value, str | list | dict)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
