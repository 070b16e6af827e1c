import json
import subprocess
import sys
from pathlib import Path

import pytest

import mock_klarna


def _printed(python: Path | str, *arguments: str, cwd: Path) -> str:
    done = subprocess.run([python, *arguments], check=True, capture_output=True, text=True, cwd=cwd)
    return done.stdout.strip()


def test_the_installed_package_reads_its_own_data(installed: Path, tmp_path: Path) -> None:
    code = "from mock_klarna import resources; print(resources.schemas(), resources.fixtures(), sep='\\n')"
    for folder in _printed(installed, "-c", code, cwd=tmp_path).splitlines():
        assert Path(folder).is_relative_to(installed.parents[1])
        assert any(Path(folder).iterdir())


def test_the_installed_package_runs_as_a_module(installed: Path, tmp_path: Path) -> None:
    assert mock_klarna.__version__ in _printed(installed, "-m", "mock_klarna", "--version", cwd=tmp_path)


def test_the_installed_package_runs_as_a_command(installed: Path, tmp_path: Path) -> None:
    command = installed.with_name("mock-klarna")
    assert mock_klarna.__version__ in _printed(command, "--version", cwd=tmp_path)


def test_importing_the_package_imports_nothing_heavy(root: Path) -> None:
    code = "import json, sys, mock_klarna; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(_printed(sys.executable, "-c", code, cwd=root)))
    assert "mock_klarna" in loaded
    assert not loaded & {"aiohttp", "asyncio", "faker", "jsonschema", "jsonschema_rs", "orjson", "ssl", "yaml"}


@pytest.mark.parametrize("name", mock_klarna.__all__)
def test_every_public_name_can_be_reached_and_is_listed(name: str) -> None:
    assert getattr(mock_klarna, name) is not None
    assert name in dir(mock_klarna)


def test_an_unknown_name_is_refused_as_any_module_would() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sevre'"):
        mock_klarna.sevre  # noqa: B018
