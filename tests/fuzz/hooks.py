"""What schemathesis has to know: ids that exist, waits that do not wait, and that null means "not set" (protocol 13)."""

import os
import random
from typing import Any

import schemathesis

from tests.fuzz import refusals
from tests.fuzz.pool import Pool

__all__ = ["before_call", "filter_case", "refusals"]

_CHANCE = random.Random(os.environ["FUZZ_SEED"])
_POOL = Pool(os.environ["FUZZ_URL"], os.environ["FUZZ_CREDENTIALS"], _CHANCE)
_KNOWN_AMONG = 5
_WAITS = ("wait", "seconds")
_LONGEST_WAIT = 600


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out what is meant to be wrong and has a null: no schema of a member says that null is taken for its absence."""
    return not (case.meta is not None and case.meta.generation.mode.is_negative and _has_null(case.body))


def _has_null(part: Any) -> bool:
    if isinstance(part, dict):
        return any(map(_has_null, part.values()))
    return any(map(_has_null, part)) if isinstance(part, list) else part is None


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Put ids that exist where ids are right, four times out of five, and let nothing wait."""
    parts = {place.value: info.mode.is_positive for place, info in case.meta.components.items()}
    if parts.get("path", False):
        for name in list(case.path_parameters or {}):
            known = _POOL.get(name)
            if known is not None and _CHANCE.randrange(_KNOWN_AMONG):
                case.path_parameters[name] = known
    _hurry(case.query)
    if case.operation.definition.raw.get("operationId") == "create_purchase" and isinstance(case.body, dict):
        case.body.setdefault("wait", 0)
        _hurry(case.body)


def _hurry(part: Any) -> None:
    """Have a request that would wait not wait; one that would be refused for its wait stays as it is."""
    for name in _WAITS if isinstance(part, dict) else ():
        first = part[name][0] if isinstance(part.get(name), list) and part[name] else part.get(name)
        if _is_wait(first):
            part[name] = 0


def _is_wait(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and 0 <= float(value) <= _LONGEST_WAIT
    except (TypeError, ValueError):
        return False
