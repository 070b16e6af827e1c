import subprocess
from pathlib import Path

import pytest

import mock_klarna

pytestmark = pytest.mark.process


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
