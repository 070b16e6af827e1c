"""Reads files as `certify FILE` does."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mock_klarna.certify import sources
from mock_klarna.web.operations import OPERATIONS

Read = Callable[[dict[str, Any] | str], sources.Source]


def operations() -> Iterable[tuple[str, str, str]]:
    """Return Klarna's endpoints, and those of the sandbox."""
    return [(one.method, one.path, one.name) for one in OPERATIONS]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes a file and reads it as a source."""

    def of(content: dict[str, Any] | str) -> sources.Source:
        file = tmp_path / "traffic"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return sources.read(str(file), operations)

    return of
