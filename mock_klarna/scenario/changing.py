"""Changing an order before it is posted: `{"order_lines[0].total_tax_amount": 1}`, null to leave a member out."""

import copy
import re
from collections.abc import Mapping
from typing import Any

from mock_klarna.scenario.scenario import Impossible

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def changed(body: Any, changes: Mapping[str, Any]) -> Any:
    """Return a copy of a body with the members at some paths replaced, or left out where the new value is null.

    Raises `Impossible` for a path that leads nowhere.
    """
    copied = copy.deepcopy(body)
    for path, value in changes.items():
        _change(copied, path, value)
    return copied


def _change(body: Any, path: str, value: Any) -> None:
    steps = [int(index) if index else name for index, name in _STEP.findall(path)]
    try:
        for step in steps[:-1]:
            body = body[step]
        _put(body, steps[-1], value)
    except (LookupError, TypeError):
        raise Impossible(f"the order has nothing at {path}", where="change", right="a path into it") from None


def _put(holder: Any, step: str | int, value: Any) -> None:
    if value is not None:
        holder[step] = value
    elif isinstance(holder, dict):
        holder.pop(step, None)
    else:
        del holder[step]
