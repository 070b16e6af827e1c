"""The names that users import from `mock_klarna`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mock_klarna


def _printed(code: str) -> str:
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root)
    return done.stdout


@pytest.mark.process
def test_importing_the_package_imports_no_large_module() -> None:
    code = "import json, sys, mock_klarna; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(_printed(code)))
    assert "mock_klarna" in loaded
    assert not loaded & {"aiohttp", "asyncio", "faker", "jsonschema", "jsonschema_rs", "orjson", "ssl", "yaml"}


@pytest.mark.parametrize("name", mock_klarna.__all__)
def test_every_public_name_can_be_imported_and_is_listed(name: str) -> None:
    assert getattr(mock_klarna, name) is not None
    assert name in dir(mock_klarna)


def test_an_unknown_name_raises_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sevre'"):
        mock_klarna.sevre  # noqa: B018
