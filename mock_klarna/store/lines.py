"""What the lines of a log are: the first one, and how one is read."""

from typing import Any

import orjson

Line = dict[str, Any]
VERSION = 1
"""Raised whenever an older file could not be read any more."""
HEAD: Line = {"mock_klarna_store": VERSION}
"""The first line of every file."""


def parsed(raw: bytes) -> Line | None:
    """Return a line that is whole, or None."""
    if not raw.endswith(b"\n"):
        return None
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return line if isinstance(line, dict) else None
