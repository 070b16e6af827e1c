"""Compare actual JSON with expected JSON: the expected part is enough, and every difference is reported."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mock_klarna.domain.journal_text import value_text

MATCHERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "contains": lambda expected, actual: _contains(actual, expected),
    "matches": lambda expected, actual: isinstance(actual, str) and re.search(str(expected), actual) is not None,
    "at_least": lambda expected, actual: _is_number(actual) and actual >= expected,
    "at_most": lambda expected, actual: _is_number(actual) and actual <= expected,
    "not": lambda expected, actual: any(differences(expected, actual)),
}
"""Functions of `(expected, actual)`. An object with only these names is a matcher: `{contains: 23800}`, `{not: null}`."""


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """Return the differences, one text each; none when `actual` has everything that is `expected`.

    Objects may have more members than expected, and an expected null matches a missing member. A list has to have every
    expected entry in this order, and may have others between them; an expected empty list matches an empty list only.
    """
    if isinstance(expected, dict) and expected and expected.keys() <= MATCHERS.keys():
        if not all(MATCHERS[name](value, actual) for name, value in expected.items()):
            yield _difference(path, _matcher_text(expected), actual)
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for name, part in expected.items():
            yield from differences(part, actual.get(name), f"{path}.{name}" if path else name)
    elif isinstance(expected, list) and isinstance(actual, list) and expected:
        yield from _list_differences(expected, actual, path)
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield _difference(path, value_text(expected), actual)


def _list_differences(expected: list[Any], actual: list[Any], path: str) -> Iterator[str]:
    if len(expected) == len(actual):
        for index, part in enumerate(expected):
            yield from differences(part, actual[index], f"{path}[{index}]")
        return
    remaining = iter(actual)
    for part in expected:
        if all(any(differences(part, entry)) for entry in remaining):
            yield _difference(path, f"an entry with {value_text(part)}", actual)


def _difference(path: str, expected: str, actual: Any) -> str:
    return f"{path or 'value'}: expected {expected}, was {value_text(actual)}"


def _matcher_text(matcher: Mapping[str, Any]) -> str:
    return " and ".join(f"{name.replace('_', ' ')} {value_text(value)}" for name, value in matcher.items())


def _contains(actual: Any, expected: Any) -> bool:
    if actual is None:
        return False
    if isinstance(actual, list):
        return any(not any(differences(expected, entry)) for entry in actual)
    return str(expected) in (actual if isinstance(actual, str | dict) else str(actual))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
