"""Scenario files are found by path or name, and loaded if they are valid."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario import loader
from mock_klarna.scenario.check_files import check_paths
from mock_klarna.scenario.model import InvalidFiles


def test_a_variable_without_a_value_is_reported_at_its_declaration(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\nvars:\n  shop: null\nsteps: [{pause: 0}]\n")
    with pytest.raises(InvalidFiles, match=r"x\.yaml:3:3: the variable shop has no value; --var shop=VALUE"):
        loader.load_scenarios([file], {})
    assert loader.load_scenarios([file], {"shop": "http://x"})[0].name == "x"


def test_scenarios_are_found_once_by_file_folder_and_stored_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "a.yml", "deep/c.yaml", "cart.json"):
        (tmp_path / name).write_text("name: x\nsteps: [{pause: 0}]\n")
    found = loader.find_files([str(tmp_path), str(tmp_path / "b.yaml"), "accepted"])
    assert [file.name for file in found] == ["a.yml", "b.yaml", "c.yaml", "accepted.yaml"]


@pytest.mark.parametrize(
    ("path", "message"), [("acepted", "did you mean accepted?"), ("/nowhere.yaml", "no such file")]
)
def test_an_unknown_scenario_is_an_error_with_a_suggestion(path: str, message: str) -> None:
    with pytest.raises(MockKlarnaError) as caught:
        loader.find_files([path])
    assert message in str(caught.value)


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MockKlarnaError, match="no scenarios in this folder"):
        loader.find_files([str(tmp_path)])


@pytest.mark.parametrize("find", [loader.find_files, check_paths])
@pytest.mark.parametrize("folder", ["", "locked"])
def test_a_folder_that_cannot_be_read_is_an_error_also_inside_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, find: Callable[[list[str]], Any], folder: str
) -> None:
    (tmp_path / "a.yaml").write_text("name: x\nsteps: [{pause: 0}]\n")
    (tmp_path / "locked").mkdir()
    locked, scandir = tmp_path / folder, os.scandir

    def refuse(path: str) -> Any:  # root may read every folder
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(MockKlarnaError) as refused:
        find([str(tmp_path)])
    reason = "cannot read the folder: Permission denied; make it readable, or give other paths"
    assert str(refused.value) == f"{locked}: {reason}"
