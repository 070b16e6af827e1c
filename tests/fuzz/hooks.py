"""Hooks of schemathesis: ids that exist, no waiting, and null means "not set" (klarna.md §13)."""

import os
import random
from typing import Any

import schemathesis

from tests.fuzz import refusals
from tests.fuzz.pool import Pool

__all__ = ["before_call", "filter_case", "refusals"]

_CHANCE = random.Random(os.environ["FUZZ_SEED"])
_POOL = Pool(os.environ["FUZZ_URL"], os.environ["FUZZ_CREDENTIALS"], _CHANCE)
_ONE_UNKNOWN_IN = 5
_WAITS = ("wait", "seconds")
_MAX_WAIT = 600


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def filter_case(_context: Any, case: Any) -> bool:
    """Skip invalid bodies that have a null: the server reads null as "not set", which the schemas of the members do not say."""
    return not (case.meta is not None and case.meta.generation.mode.is_negative and _has_null(case.body))


def _has_null(part: Any) -> bool:
    if isinstance(part, dict):
        return any(map(_has_null, part.values()))
    return any(map(_has_null, part)) if isinstance(part, list) else part is None


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Replace four of five valid ids by ids that exist, and remove waiting."""
    parts = {place.value: info.mode.is_positive for place, info in case.meta.components.items()}
    if parts.get("path", False):
        for name in list(case.path_parameters or {}):
            known = _POOL.get(name)
            if known is not None and _CHANCE.randrange(_ONE_UNKNOWN_IN):
                case.path_parameters[name] = known
    _without_waiting(case.query)
    if case.operation.definition.raw.get("operationId") == "create_purchase" and isinstance(case.body, dict):
        case.body.setdefault("wait", 0)
        _without_waiting(case.body)


def _without_waiting(part: Any) -> None:
    """Set valid waiting times to 0; invalid ones stay as they are."""
    for name in _WAITS if isinstance(part, dict) else ():
        first = part[name][0] if isinstance(part.get(name), list) and part[name] else part.get(name)
        if _is_wait(first):
            part[name] = 0


def _is_wait(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and 0 <= float(value) <= _MAX_WAIT
    except (TypeError, ValueError):
        return False
