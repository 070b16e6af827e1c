"""What schemathesis has to know: ids that exist, waits that do not wait, and that null means "not set" (protocol 13)."""

import os
import random
from typing import Any

import schemathesis

from tests.fuzz.pool import Pool

_POOL = Pool(os.environ["FUZZ_URL"], os.environ["FUZZ_CREDENTIALS"])
_KNOWN_AMONG = 5
_WAITS = {
    "create_purchase": ("body", "wait"),
    "get_purchase": ("query", "wait"),
    "journal": ("query", "wait"),
    "sdk_wait": ("query", "seconds"),
}
"""By operation: where it says how long to wait."""


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out bodies with null: a schema has no way to say that null is taken for a member that is not there."""
    return not _has_null(case.body)


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
            if known is not None and random.randrange(_KNOWN_AMONG):
                case.path_parameters[name] = known
    where, name = _WAITS.get(case.operation.definition.raw.get("operationId"), ("", ""))
    if where and parts.get(where, True):
        _hurry(case, where, name)


def _hurry(case: Any, where: str, name: str) -> None:
    if where == "query":
        case.query = {**(case.query or {}), name: 0}
    elif isinstance(case.body, dict):
        case.body[name] = 0
