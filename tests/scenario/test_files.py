"""Finding scenario files, and loading those that can be played."""

from pathlib import Path

import pytest

from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario import loader
from mock_klarna.scenario.model import WrongFiles


def test_a_variable_without_a_value_is_told_where_it_is_declared(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\nvars:\n  shop: null\nsteps: [{pause: 0}]\n")
    with pytest.raises(WrongFiles, match=r"x\.yaml:3:3: the variable shop has no value; --var shop=VALUE"):
        loader.loaded([file], {})
    assert loader.loaded([file], {"shop": "http://x"})[0].name == "x"


def test_scenarios_are_found_by_file_folder_and_stored_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "a.yml", "deep/c.yaml", "cart.json"):
        (tmp_path / name).write_text("name: x\nsteps: [{pause: 0}]\n")
    found = loader.found([str(tmp_path), str(tmp_path / "b.yaml"), "accepted"])
    assert [file.name for file in found] == ["a.yml", "b.yaml", "c.yaml", "b.yaml", "accepted.yaml"]


@pytest.mark.parametrize(("path", "said"), [("acepted", "did you mean accepted?"), ("/nowhere.yaml", "no such file")])
def test_a_scenario_that_is_not_there_is_named_with_what_there_is(path: str, said: str) -> None:
    with pytest.raises(MockKlarnaError) as caught:
        loader.found([path])
    assert said in str(caught.value)


def test_a_folder_without_scenarios_is_named(tmp_path: Path) -> None:
    with pytest.raises(MockKlarnaError, match="no scenario is in this folder"):
        loader.found([str(tmp_path)])
