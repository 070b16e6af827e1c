"""Checking files of any kind that belong to scenarios: scenarios, carts, shoppers."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mock_klarna import bundle
from mock_klarna.contract import Contract
from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.scenario.checking import Checker
from mock_klarna.scenario.files import source_of
from mock_klarna.scenario.reading import Place, Source
from mock_klarna.scenario.scenario import Fault

_SUFFIXES = (".yaml", ".yml", ".json")
_CART_MARKS = {"purchase_country", "order_lines", "items", "shipping_options"}
STORED = ("scenarios", "carts", "shoppers")
"""The folders of `fixtures/` that are checked when no path is given."""


def checked(paths: Iterable[str]) -> tuple[list[Path], list[Fault]]:
    """Return the files that were checked, and everything that is wrong with them; raises `MockKlarnaError` for no file."""
    checker, files, faults = Checker(), list[Path](), list[Fault]()
    for path in list(paths) or [str(bundle.fixtures() / name) for name in STORED]:
        for file in _files(Path(path)):
            source, wrong = source_of(file)
            told = wrong if source is None else _faults(checker, file, source, alone=file == Path(path))
            if told is not None:
                files.append(file)
                faults += told
    return files, faults


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise MockKlarnaError("there is no such file or folder", where=str(path), right="a path that exists")
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)


def _faults(checker: Checker, file: Path, source: Source, *, alone: bool) -> list[Fault] | None:
    """Return what is wrong with a file, or None for one of another kind that only happens to lie in the folder."""
    data = source.data
    if file.suffix != ".json" or (isinstance(data, dict) and "steps" in data):
        return checker.faults(file, source, {})
    if isinstance(data, dict) and _CART_MARKS & data.keys():
        return list(_wrong_page(file, source, data))
    if isinstance(data, dict) and data and all(_is_shopper(one) for one in data.values()):
        return [fault for name, shopper in data.items() for fault in _wrong_shopper(file, source, name, shopper)]
    return [Fault(file, Place(1, 1), "this is no scenario, cart or shoppers", "one of them")] if alone else None


def _is_shopper(data: Any) -> bool:
    return isinstance(data, dict) and "billing_address" in data


def _wrong_shopper(file: Path, source: Source, name: str, shopper: dict[str, Any]) -> Iterator[Fault]:
    if not isinstance(shopper.get("description"), str):
        yield Fault(file, source.place(name), f"{name} has no description", "a sentence that says what becomes of it")
    yield from _wrong_page(file, source, shopper, f"{name}.")


@cache
def _contract() -> Contract:
    return Contract()


def _wrong_page(file: Path, source: Source, body: dict[str, Any], prefix: str = "") -> Iterator[Fault]:
    """Find what is wrong with what a page gives `load()`; the addresses and the customer of a shopper are part of that."""
    _, problems = _contract().check("page", body)
    for problem in problems:
        formula = f" ({problem.formula})" if problem.formula else ""
        place = source.place(f"{prefix}{problem.path}")
        yield Fault(file, place, f"{prefix}{problem.path} is not right", f"expected {problem.expected}{formula}")
