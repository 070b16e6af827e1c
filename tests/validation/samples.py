"""Bodies for the tests: the guide's own, and changed copies of them."""

import copy
import json
import re
from typing import Any

from mock_klarna import resources

Path = str


def sample(name: str) -> Any:
    """Return a fixture by its name without ending, such as `guide/se-order`."""
    return json.loads((resources.fixtures() / f"{name}.json").read_bytes())


def _steps(path: Path) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in re.findall(r"\w+", path)]


def at(body: Any, path: Path) -> Any:
    """Return the value at a path such as `order_lines[0].name`."""
    for step in _steps(path):
        body = body[step]
    return body


def changed(body: Any, path: Path, value: Any) -> Any:
    """Return a copy of the body with another value at a path."""
    copied = copy.deepcopy(body)
    *way, last = _steps(path)
    inner = copied
    for step in way:
        inner = inner[step]
    inner[last] = value
    return copied


def without(body: Any, path: Path) -> Any:
    """Return a copy of the body that lacks a member."""
    copied = changed(body, path, None)
    *way, last = _steps(path)
    inner = copied
    for step in way:
        inner = inner[step]
    del inner[last]
    return copied
