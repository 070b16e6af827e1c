"""Finding and loading scenario files, and checking the files that belong to them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mock_klarna import bundle
from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.scenario.checking import Checker
from mock_klarna.scenario.reading import Place, Source, Unreadable, read
from mock_klarna.scenario.scenario import Fault, Scenario, WrongFiles
from mock_klarna.scenario.shopping import choice

_SUFFIXES = (".yaml", ".yml", ".json")


def stored() -> Path:
    """Return the folder of the scenarios that ship with the package."""
    return bundle.fixtures() / "scenarios"


def stored_names(*folders: Path) -> dict[str, Path]:
    """Return the files of the stored scenarios, and of other folders, by name; a later folder's goes over an earlier's."""
    return {file.stem: file for folder in (stored(), *folders) for file in _scenario_files(folder)}


def _scenario_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in _SUFFIXES[:2]) if folder.is_dir() else []


def found(paths: Iterable[str]) -> list[Path]:
    """Return the scenario files that paths stand for: a file, all of a folder, or a stored scenario by its name.

    Raises `MockKlarnaError` for a path that leads to none.
    """
    return [file for path in paths for file in _found(path)]


def _found(path: str) -> list[Path]:
    there = Path(path)
    if there.is_file():
        return [there]
    if there.is_dir():
        if files := _scenario_files(there):
            return files
        raise MockKlarnaError("no scenario is in this folder", where=path, right="files that end in .yaml")
    names = stored_names()
    if path in names:
        return [names[path]]
    right = "a path, or a stored scenario; " + choice(path, names)
    raise MockKlarnaError("there is no such file or folder", where=path, right=right)


def loaded(files: Iterable[Path], given: Mapping[str, Any], *, needs: bool = True) -> list[Scenario]:
    """Return checked scenarios, with the variables of `given` over their own; with `needs`, every variable has to be given.

    Raises `WrongFiles` with everything that is wrong with any of them.
    """
    faults, scenarios = list[Fault](), list[Scenario]()
    for file in files:
        scenario, wrong = _load(file, given)
        faults += wrong
        if scenario:
            scenarios.append(scenario)
            faults += _not_given(scenario, given) if needs else ()
    if faults:
        raise WrongFiles(faults)
    return scenarios


@cache
def _checker() -> Checker:
    """Return the checker of this process: what it compiles ships with the package and stays as it is."""
    return Checker()


def _load(file: Path, given: Mapping[str, Any]) -> tuple[Scenario | None, list[Fault]]:
    source, faults = source_of(file)
    if source is None:
        return None, faults
    faults = _checker().faults(file, source, given)
    return (None if faults else Scenario(file.stem, file, source)), faults


def source_of(file: Path) -> tuple[Source | None, list[Fault]]:
    """Return a file's data with places, or why it cannot be read."""
    try:
        return read(file.read_text("utf-8")), []
    except Unreadable as fault:
        return None, [Fault(file, fault.place, fault.message, fault.right)]
    except UnicodeDecodeError as fault:
        return None, [Fault(file, Place(1, 1), f"this is not UTF-8: {fault.reason}", "text in UTF-8")]
    except OSError as fault:
        return None, [Fault(file, Place(1, 1), f"this cannot be read: {fault.strerror}", "a readable file")]


def _not_given(scenario: Scenario, given: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in scenario.variables.items():
        if value is None and given.get(name) is None:
            place = scenario.source.place(f"vars.{name}")
            yield Fault(scenario.file, place, f"the variable {name} has no value", f"--var {name}=VALUE")
