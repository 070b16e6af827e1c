"""The scenarios that a server offers: they are asked for by name, and nobody is told where they lie."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mock_klarna.domain.errors import MockKlarnaError, UnknownName
from mock_klarna.scenario.files import loaded, stored_names
from mock_klarna.scenario.scenario import Scenario, WrongFiles
from mock_klarna.scenario.shopping import choice


def offered(name: str, folders: list[Path], given: Mapping[str, Any]) -> Scenario:
    """Return a checked scenario that is to be played with the variables of `given`.

    Raises `UnknownName` for one that is not stored, `MockKlarnaError` for a variable that it does not have or that has no
    value, and `WrongFiles` for one that cannot be played.
    """
    names = stored_names(*folders)
    if name not in names:
        raise UnknownName(f"no scenario is called {name!r}", where="name", right=choice(name, names))
    scenario = _checked(names[name], given)
    own = scenario.variables
    for stranger in sorted(given.keys() - own):
        raise MockKlarnaError(f"the scenario has no variable {stranger}", where="vars", right=choice(stranger, own))
    for lacking in (each for each in own if own[each] is None and given.get(each) is None):
        right = f'{{"vars": {{"{lacking}": …}}}} in the body'
        raise MockKlarnaError(f"the variable {lacking} has no value", where="vars", right=right)
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
