"""Check files of every kind: scenarios, carts and shoppers."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario.loader import each_once, files_below, is_there, read_source
from mock_klarna.scenario.model import FileError
from mock_klarna.scenario.scenario_check import scenario_errors
from mock_klarna.scenario.source import Place, Source
from mock_klarna.validation import Validator

STORED_FOLDERS = ("scenarios", "carts", "shoppers")
"""The folders of `fixtures/` that are checked when no path is given."""
_SUFFIXES = (".yaml", ".yml", ".json")
_CART_MEMBERS = {"purchase_country", "order_lines", "items", "shipping_options"}
_SHOPPER_MEMBERS = {"billing_address", "shipping_address", "customer", "description"}
_KINDS_HINT = "a scenario has steps, a cart has order_lines, a file of shoppers has names with a billing_address each"


def check_paths(paths: Iterable[str]) -> tuple[list[Path], list[FileError]]:
    """Return the files that were checked, and all their errors; without paths the stored files are checked.

    Raises `MockKlarnaError` for a path without files, and for a folder that cannot be read.
    """
    results: dict[Path, list[FileError]] = {}
    for path in list(paths) or [str(resources.fixtures() / name) for name in STORED_FOLDERS]:
        results |= _check_path(Path(path))
    files = each_once(results)
    return files, [error for file in files for error in results[file]]


def _check_path(path: Path) -> dict[Path, list[FileError]]:
    """Return the errors of each file of a path; files of an unknown kind are ignored unless there are no others."""
    results = {file: _check_file(file) for file in _files(path)}
    if not results:
        hint = "give a folder with scenarios (.yaml), carts or shoppers (.json)"
        raise MockKlarnaError("nothing to check", where=str(path), hint=hint)
    known = {file: errors for file, errors in results.items() if errors is not None}
    return known or {
        file: [FileError(file, Place(1, 1), "not a scenario, a cart or a file of shoppers", _KINDS_HINT)]
        for file in results
    }


def _files(path: Path) -> list[Path]:
    if not is_there(path):
        raise MockKlarnaError("no such file or folder", where=str(path), hint="give a path that exists")
    return [path] if path.is_file() else files_below(path, _SUFFIXES)


def _check_file(file: Path) -> list[FileError] | None:
    """Return the errors of a file, or None for a file of an unknown kind."""
    source, errors = read_source(file)
    if source is None:
        return errors
    data = source.data
    if file.suffix != ".json" or (isinstance(data, dict) and "steps" in data):
        return scenario_errors(file, source, {})
    if isinstance(data, dict) and _CART_MEMBERS & data.keys():
        return list(_page_errors(file, source, data))
    if isinstance(data, dict) and _are_shoppers(list(data.values())):
        return [error for name, shopper in data.items() for error in _shopper_errors(file, source, name, shopper)]
    return None


def _are_shoppers(values: list[Any]) -> bool:
    """Return whether all values are objects, at least one of them with a member of shoppers."""
    return all(isinstance(each, dict) for each in values) and any(
        not _SHOPPER_MEMBERS.isdisjoint(each) for each in values
    )


def _shopper_errors(file: Path, source: Source, name: str, shopper: dict[str, Any]) -> Iterator[FileError]:
    if "billing_address" not in shopper:
        hint = "add an address; its members are optional"
        yield FileError(file, source.place(name), f"{name} has no billing_address", hint)
    if not isinstance(shopper.get("description"), str):
        hint = "add a sentence that says what happens to this shopper's purchases"
        yield FileError(file, source.place(name), f"{name} has no description", hint)
    yield from _page_errors(file, source, shopper, f"{name}.")


@cache
def _validator() -> Validator:
    return Validator()


def _page_errors(file: Path, source: Source, body: dict[str, Any], prefix: str = "") -> Iterator[FileError]:
    """Return what is wrong with the options of a page's `load()`; addresses and customer of a shopper are part of them."""
    _, problems = _validator().check("page", body)
    for problem in problems:
        formula = f" ({problem.formula})" if problem.formula else ""
        path = f"{prefix}{problem.path}"
        yield FileError(file, source.place(path), f"{path} is invalid", f"expected {problem.expected}{formula}")
