"""Checking files of any kind that belong to scenarios: scenarios, carts, shoppers."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario.check import Checker
from mock_klarna.scenario.loader import source_of
from mock_klarna.scenario.model import Fault
from mock_klarna.scenario.source import Place, Source
from mock_klarna.validation import Validator

_SUFFIXES = (".yaml", ".yml", ".json")
_CART_MARKS = {"purchase_country", "order_lines", "items", "shipping_options"}
_SHOPPER_MARKS = {"billing_address", "shipping_address", "customer", "description"}
_KINDS = "steps make a scenario, order_lines a cart, names with a billing_address each are shoppers"
STORED = ("scenarios", "carts", "shoppers")
"""The folders of `fixtures/` that are checked when no path is given."""


def checked(paths: Iterable[str]) -> tuple[list[Path], list[Fault]]:
    """Return the files that were checked, and everything that is wrong with them.

    Raises `MockKlarnaError` for a path where there is nothing to check.
    """
    checker, files, faults = Checker(), list[Path](), list[Fault]()
    for path in list(paths) or [str(resources.fixtures() / name) for name in STORED]:
        for file, told in _checked(checker, Path(path)).items():
            files.append(file)
            faults += told
    return files, faults


def _checked(checker: Checker, path: Path) -> dict[Path, list[Fault]]:
    """Return what is wrong with each file of a path; of a folder's files those of another kind count only if there is no else."""
    found = {file: _told(checker, file) for file in _files(path)}
    if not found:
        hint = "a folder with scenarios (.yaml), carts or shoppers (.json) in it"
        raise MockKlarnaError("there is nothing to check", where=str(path), hint=hint)
    ours = {file: told for file, told in found.items() if told is not None}
    return ours or {file: [Fault(file, Place(1, 1), "this is no scenario, cart or shoppers", _KINDS)] for file in found}


def _told(checker: Checker, file: Path) -> list[Fault] | None:
    source, wrong = source_of(file)
    return wrong if source is None else _faults(checker, file, source)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise MockKlarnaError("there is no such file or folder", where=str(path), hint="a path that exists")
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)


def _faults(checker: Checker, file: Path, source: Source) -> list[Fault] | None:
    """Return what is wrong with a file, or None for one of another kind that only happens to lie in the folder."""
    data = source.data
    if file.suffix != ".json" or (isinstance(data, dict) and "steps" in data):
        return checker.faults(file, source, {})
    if isinstance(data, dict) and _CART_MARKS & data.keys():
        return list(_wrong_page(file, source, data))
    if isinstance(data, dict) and _are_shoppers(list(data.values())):
        return [fault for name, shopper in data.items() for fault in _wrong_shopper(file, source, name, shopper)]
    return None


def _are_shoppers(data: list[Any]) -> bool:
    """Tell whether these are meant as shoppers: objects, one of which has a shopper's members."""
    return all(isinstance(one, dict) for one in data) and any(not _SHOPPER_MARKS.isdisjoint(one) for one in data)


def _wrong_shopper(file: Path, source: Source, name: str, shopper: dict[str, Any]) -> Iterator[Fault]:
    if "billing_address" not in shopper:
        yield Fault(
            file, source.place(name), f"{name} has no billing_address", "an address, in which members may be left out"
        )
    if not isinstance(shopper.get("description"), str):
        yield Fault(file, source.place(name), f"{name} has no description", "a sentence that says what becomes of it")
    yield from _wrong_page(file, source, shopper, f"{name}.")


@cache
def _validator() -> Validator:
    return Validator()


def _wrong_page(file: Path, source: Source, body: dict[str, Any], prefix: str = "") -> Iterator[Fault]:
    """Find what is wrong with what a page gives `load()`; the addresses and the customer of a shopper are part of that."""
    _, problems = _validator().check("page", body)
    for problem in problems:
        formula = f" ({problem.formula})" if problem.formula else ""
        place = source.place(f"{prefix}{problem.path}")
        yield Fault(file, place, f"{prefix}{problem.path} is not right", f"expected {problem.expected}{formula}")
