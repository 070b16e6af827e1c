"""In which order problems are told, and where in a body they stand."""

import re
from collections.abc import Iterable
from typing import Any

from mock_klarna.domain.problems import Problem
from mock_klarna.domain.sums import LINE_RULES, ORDER_RULES

_STEP = re.compile(r"\[(\d+)\]|([^.\[]+)")
_ENUMERABLE = 1000
_PRESENCE, _TYPE, _RANGE, _LINE, _ORDER = range(5)


def in_order(body: Any, problems: Iterable[Problem]) -> list[Problem]:
    """Return problems by presence, type, range, line sums, order sums, then as the body has them (protocol 10)."""
    return sorted(problems, key=lambda problem: (_rank(problem.rule), _place(body, problem.path)))


def value_at(body: Any, path: str) -> Any:
    """Return what stands at a path in Klarna's form, or None where nothing does."""
    for step in _steps(path):
        body = _inside(body, step)
    return body


def _rank(rule: str) -> int:
    ranks = {"required": _PRESENCE, "type": _TYPE}
    return ranks.get(rule, _LINE if rule in LINE_RULES else _ORDER if rule in ORDER_RULES else _RANGE)


def _place(body: Any, path: str) -> tuple[int, ...]:
    place = []
    for step in _steps(path):
        place.append(step if isinstance(step, int) else _index(body, step))
        body = _inside(body, step)
    return tuple(place)


def _steps(path: str) -> list[str | int]:
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
