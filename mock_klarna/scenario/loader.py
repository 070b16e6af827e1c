"""Finding and loading scenario files, and checking the files that belong to them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.errors import MockKlarnaError, UnknownName
from mock_klarna.scenario.check import Checker
from mock_klarna.scenario.model import Fault, Scenario, WrongFiles
from mock_klarna.scenario.source import Place, Source, Unreadable, read
from mock_klarna.scenario.steps import choice

_SUFFIXES = (".yaml", ".yml", ".json")


def stored() -> Path:
    """Return the folder of the scenarios that ship with the package."""
    return resources.fixtures() / "scenarios"


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
        raise MockKlarnaError("no scenario is in this folder", where=path, hint="files that end in .yaml")
    names = stored_names()
    if path in names:
        return [names[path]]
    hint = "a path, or a stored scenario; " + choice(path, names)
    raise MockKlarnaError("there is no such file or folder", where=path, hint=hint)


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
        return None, [Fault(file, fault.place, fault.message, fault.hint)]
    except UnicodeDecodeError as fault:
        return None, [Fault(file, Place(1, 1), f"this is not UTF-8: {fault.reason}", "text in UTF-8")]
    except OSError as fault:
        return None, [Fault(file, Place(1, 1), f"this cannot be read: {fault.strerror}", "a readable file")]


def _not_given(scenario: Scenario, given: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in scenario.variables.items():
        if value is None and given.get(name) is None:
            place = scenario.source.place(f"vars.{name}")
            yield Fault(scenario.file, place, f"the variable {name} has no value", f"--var {name}=VALUE")


def offered(name: str, folders: list[Path], given: Mapping[str, Any]) -> Scenario:
    """Return a checked scenario that is to be played with the variables of `given`.

    Raises `UnknownName` for one that is not stored, `MockKlarnaError` for a variable that it does not have or that has no
    value, and `WrongFiles` for one that cannot be played.
    """
    names = stored_names(*folders)
    if name not in names:
        raise UnknownName(f"no scenario is called {name!r}", where="name", hint=choice(name, names))
    scenario = _checked(names[name], given)
    own = scenario.variables
    for stranger in sorted(given.keys() - own):
        raise MockKlarnaError(f"the scenario has no variable {stranger}", where="vars", hint=choice(stranger, own))
    for lacking in (each for each in own if own[each] is None and given.get(each) is None):
        hint = f'{{"vars": {{"{lacking}": …}}}} in the body'
        raise MockKlarnaError(f"the variable {lacking} has no value", where="vars", hint=hint)
    return scenario


def _checked(file: Path, given: Mapping[str, Any]) -> Scenario:
    try:
        return loaded([file], given, needs=False)[0]
    except WrongFiles as wrong:
        raise WrongFiles(replace(fault, file=Path(file.name)) for fault in wrong.faults) from None


def described(folders: list[Path]) -> list[dict[str, Any]]:
    """Return what a list says of each scenario; a file that is wrong is listed with what is wrong with it."""
    return [{"name": name, **_described(file)} for name, file in stored_names(*folders).items()]


def _described(file: Path) -> dict[str, Any]:
    try:
        scenario = _checked(file, {})
    except WrongFiles as wrong:
        return {"faults": [str(fault) for fault in wrong.faults]}
    return {"title": scenario.title, "description": scenario.description, "vars": scenario.variables}
