"""`check` finds out whether a file has a scenario, a cart or shoppers, and reports what is wrong with it."""

import json
from pathlib import Path

import pytest

from mock_klarna import resources
from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario.check_files import check_paths

CART = json.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_text("utf-8"))


def errors_of(text: str, tmp_path: Path, name: str) -> list[str]:
    """The errors of a file with this text, each as `line:column: message; hint`."""
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return [str(error).removeprefix(f"{file}:") for error in check_paths([str(file)])[1]]


def test_a_wrong_tax_in_a_cart_is_reported_with_its_line_and_the_correct_amount(tmp_path: Path) -> None:
    wrong = {**CART, "order_lines": [{**CART["order_lines"][0], "total_tax_amount": 1}]}
    (error,) = errors_of(json.dumps(wrong, indent=2), tmp_path, "cart.json")
    assert error.startswith("18:7: order_lines[0].total_tax_amount")
    assert "23800" in error


def test_an_invalid_address_of_a_shopper_is_reported_with_its_place(tmp_path: Path) -> None:
    wrong = {"somebody": {"billing_address": {"given_name": 5}}}
    errors = errors_of(json.dumps(wrong, indent=1), tmp_path, "shoppers.json")
    assert [error.partition(" ")[0] for error in errors] == ["2:2:", "4:4:"]
    assert "no description" in errors[0]


def test_a_file_of_an_unknown_kind_is_an_error_if_its_path_is_given(tmp_path: Path) -> None:
    assert "not a scenario, a cart or a file of shoppers" in errors_of('{"a": 1}', tmp_path, "other.json")[0]


def test_files_of_an_unknown_kind_in_a_folder_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "cart.json").write_text(json.dumps(CART))
    (tmp_path / "other.json").write_text('{"a": 1}')
    assert check_paths([str(tmp_path)]) == ([tmp_path / "cart.json"], [])


def test_a_folder_with_only_files_of_an_unknown_kind_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "shopper.json").write_text('{"billing_adress": {"given_name": "Alice"}}')
    ((file,), (error,)) = check_paths([str(tmp_path)])
    assert file == error.file == tmp_path / "shopper.json"
    assert "a file of shoppers has names with a billing_address each" in error.hint


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MockKlarnaError, match="nothing to check; give a folder with scenarios"):
        check_paths([str(tmp_path)])


def test_a_shopper_needs_an_address(tmp_path: Path) -> None:
    (error,) = errors_of('{"somebody": {"description": "Pays."}}', tmp_path, "shoppers.json")
    assert error.startswith("1:2: somebody has no billing_address")


@pytest.mark.parametrize("paths", [[], [str(resources.fixtures())]], ids=["no path", "the folder of all fixtures"])
def test_all_stored_files_are_valid(paths: list[str]) -> None:
    files, errors = check_paths(paths)
    assert errors == []
    assert len(files) > 60


def test_a_path_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(MockKlarnaError, match="no such file or folder"):
        check_paths(["/nowhere/at/all"])


def test_a_file_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "bytes.yaml"
    file.write_bytes(b"name: \xff\xfe\n")
    assert "not UTF-8" in str(check_paths([str(file)])[1][0])


def test_a_json_file_with_steps_is_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_text('{"name": "x",\n "steps": [{"purchase": {"cart": "none"}}]}')
    assert [error.place.line for error in check_paths([str(file)])[1]] == [2]
