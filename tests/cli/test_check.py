"""`check` counts valid and invalid files and prints each error with its place."""

from pathlib import Path

import pytest

from tests.commands import Command

VALID = "name: x\nsteps:\n  - pause: 0\n"


def test_valid_files_exit_0(command: Command, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(VALID)
    result = command("check", tmp_path)
    assert (result.returncode, result.stdout) == (0, "1 file valid\n")
    (tmp_path / "two.yaml").write_text(VALID)
    assert command("check", tmp_path).stdout == "2 files valid\n"
    assert command("check", tmp_path / "one.yaml", tmp_path, tmp_path / "one.yaml").stdout == "2 files valid\n"


def test_an_invalid_file_exits_2_with_an_annotation_for_github(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "valid.yaml").write_text(VALID)
    (tmp_path / "invalid.yaml").write_text("name: x\nsteps:\n  - purchas: {}\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = command("check", tmp_path)
    assert result.returncode == 2
    assert "invalid.yaml:3:5: steps[0].purchas is unknown" in result.stderr
    assert "::error file=" in result.stdout
    assert result.stdout.endswith("1 file valid, 1 invalid\n")


def test_a_folder_without_files_exits_2(command: Command, tmp_path: Path) -> None:
    result = command("check", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"mock-klarna: {tmp_path}: nothing to check; give a folder with scenarios" in result.stderr
