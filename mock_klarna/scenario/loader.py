"""Find, read and load scenario files: those of paths on the command line, and stored ones by name."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.errors import MockKlarnaError, UnknownName, did_you_mean
from mock_klarna.scenario.model import FileError, InvalidFiles, Scenario
from mock_klarna.scenario.scenario_check import declared_variables, scenario_errors
from mock_klarna.scenario.source import Place, Source, UnreadableFile, parse
from mock_klarna.scenario.steps import suggestion
from mock_klarna.scenario.variables import read_texts

_SUFFIXES = (".yaml", ".yml")


def stored_folder() -> Path:
    """Return the folder of the scenarios that are part of the package."""
    return resources.fixtures() / "scenarios"


def stored_files(*folders: Path) -> dict[str, Path]:
    """Return the files of the stored scenarios and of other folders by name; those of later folders replace earlier ones."""
    return {file.stem: file for folder in (stored_folder(), *folders) for file in _walk(folder, _SUFFIXES, None)}


def find_files(paths: Iterable[str]) -> list[Path]:
    """Return the scenario files of paths, each once: a file, all files below a folder, or a stored scenario by its name.

    Raises `MockKlarnaError` for a path without scenarios, and for a folder that cannot be read.
    """
    return each_once(file for path in paths for file in _find_files(path))


def each_once(files: Iterable[Path]) -> list[Path]:
    """Return files without those that are named a second time."""
    found: dict[str, Path] = {}
    for file in files:
        found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def is_there(path: Path, kind: Callable[[Path], bool] = Path.exists) -> bool:
    """Return whether a path exists, and is a file or a folder where `kind` asks for that.

    Raises `MockKlarnaError` for a path that the system cannot look up, such as one in a folder that cannot be read.
    """
    try:
        return kind(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MockKlarnaError(f"cannot look it up: {reason}", where=str(path), hint="give a path that exists") from None


def _find_files(path: str) -> list[Path]:
    file_or_folder = Path(path)
    if is_there(file_or_folder, Path.is_file):
        return [file_or_folder]
    if file_or_folder.is_dir():
        if files := files_below(file_or_folder, _SUFFIXES):
            return files
        raise MockKlarnaError("no scenarios in this folder", where=path, hint="their files end in .yaml")
    stored = stored_files()
    if path in stored:
        return [stored[path]]
    hint = (
        did_you_mean(path, stored) or f"`mock-klarna run --list` prints the names of all {len(stored)} stored scenarios"
    )
    raise MockKlarnaError("no such file, folder or stored scenario", where=path, hint=hint)


def files_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files below a folder whose names end in one of the suffixes, in their order.

    Raises `MockKlarnaError` for a folder that cannot be read: what is in it would be left out.
    """
    return _walk(folder, suffixes, _refuse_folder)


def _walk(folder: Path, suffixes: Collection[str], on_error: Callable[[OSError], None] | None) -> list[Path]:
    walked = os.walk(folder, onerror=on_error)
    return sorted(Path(parent, name) for parent, _, names in walked for name in names if Path(name).suffix in suffixes)


def _refuse_folder(error: OSError) -> None:
    hint = "make it readable, or give other paths"
    raise MockKlarnaError(f"cannot read the folder: {error.strerror}", where=str(error.filename), hint=hint)


def load_scenarios(
    files: Iterable[Path],
    variables: Mapping[str, Any],
    *,
    texts: Mapping[str, str] = {},
    require_values: bool = True,
) -> list[Scenario]:
    """Return the checked scenarios of files, which will be run with `variables` and with those of `texts` (`read_texts`).

    With `require_values` every variable without a default has to be among them. Raises `InvalidFiles` with the errors of all
    files.
    """
    errors, scenarios = list[FileError](), list[Scenario]()
    for file in files:
        scenario, file_errors = _load(file, variables, texts)
        errors += file_errors
        if scenario:
            scenarios.append(scenario)
            errors += _missing_values(scenario, {**variables, **texts}) if require_values else ()
    if errors:
        raise InvalidFiles(errors)
    return scenarios


def _load(
    file: Path, variables: Mapping[str, Any], texts: Mapping[str, str]
) -> tuple[Scenario | None, list[FileError]]:
    source, errors = read_source(file)
    if source is None:
        return None, errors
    errors = scenario_errors(file, source, {**variables, **read_texts(texts, declared_variables(source))})
    return (None if errors else Scenario(file.stem, file, source)), errors


def read_source(file: Path) -> tuple[Source | None, list[FileError]]:
    """Return the data of a file with places, or why it cannot be read."""
    try:
        return parse(file.read_text("utf-8")), []
    except UnreadableFile as error:
        return None, [FileError(file, error.place, error.message, error.hint)]
    except UnicodeDecodeError as error:
        return None, [FileError(file, Place(1, 1), f"not UTF-8: {error.reason}", "save the file as UTF-8")]
    except OSError as error:
        return None, [FileError(file, Place(1, 1), f"cannot read the file: {error.strerror}", "give a readable file")]


def _missing_values(scenario: Scenario, variables: Mapping[str, Any]) -> Iterator[FileError]:
    for name, default in scenario.variables.items():
        if default is None and variables.get(name) is None:
            place = scenario.source.place(f"vars.{name}")
            yield FileError(scenario.file, place, f"the variable {name} has no value", f"--var {name}=VALUE")


def load_stored(name: str, folders: list[Path], variables: Mapping[str, Any]) -> Scenario:
    """Return a checked stored scenario that will be run with `variables`.

    Raises `UnknownName` for an unknown name, `MockKlarnaError` for an unknown variable or one without a value, and
    `InvalidFiles` for a scenario with errors.
    """
    stored = stored_files(*folders)
    if name not in stored:
        raise UnknownName(f"unknown scenario {name!r}", where="name", hint=suggestion(name, stored))
    scenario = _load_without_folder_names(stored[name], variables)
    known = scenario.variables
    for unknown in sorted(variables.keys() - known):
        raise MockKlarnaError(f"unknown variable {unknown!r}", where="vars", hint=suggestion(unknown, known))
    for missing in (each for each in known if known[each] is None and variables.get(each) is None):
        hint = f'{{"vars": {{"{missing}": …}}}} in the body'
        raise MockKlarnaError(f"the variable {missing} has no value", where="vars", hint=hint)
    return scenario


def _load_without_folder_names(file: Path, variables: Mapping[str, Any]) -> Scenario:
    """Load a scenario whose errors are answered over HTTP, where folders of the server must not appear."""
    try:
        return load_scenarios([file], variables, require_values=False)[0]
    except InvalidFiles as invalid:
        raise InvalidFiles(replace(error, file=Path(error.file.name)) for error in invalid.errors) from None


def describe_stored(folders: list[Path]) -> list[dict[str, Any]]:
    """Return name, title, description and variables of each stored scenario, or its errors."""
    return [{"name": name, **_describe(file)} for name, file in stored_files(*folders).items()]


def _describe(file: Path) -> dict[str, Any]:
    try:
        scenario = _load_without_folder_names(file, {})
    except InvalidFiles as invalid:
        return {"errors": [str(error) for error in invalid.errors]}
    return {"title": scenario.title, "description": scenario.description, "vars": scenario.variables}
