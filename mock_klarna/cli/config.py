"""The configuration file: `mock-klarna.toml`, or the table `[tool.mock-klarna]` in `pyproject.toml`."""

from collections.abc import Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any, Final

from mock_klarna.errors import did_you_mean
from mock_klarna.settings import SettingsError, parsed, setting_fields, validated

FILE: Final = "mock-klarna.toml"
PROJECT_FILE: Final = "pyproject.toml"
_TABLE = "mock-klarna"


def settings_in_file(path: str | None = None) -> dict[str, Any]:
    """Return the settings of a configuration file, by default the one in the current folder, by their names.

    Without a path, `mock-klarna.toml` is read if it exists, else `pyproject.toml` if it has the table `[tool.mock-klarna]`.
    Raises `SettingsError` for a file that cannot be read, an unknown name and a value that is not allowed.
    """
    if path is None:
        path = next((name for name in (FILE, PROJECT_FILE) if Path(name).is_file()), None)
    if path is None:
        return {}
    known = {setting.name: setting for setting in setting_fields()}
    values = {}
    for key, value in _content(Path(path)).items():
        name = key.replace("-", "_")
        if name not in known:
            raise SettingsError(f"{path}: unknown setting {key}; {_remedy(key, value, [*known])}")
        values[name] = _value(known[name], value, f"{path}: {key}")
    return values


def _content(file: Path) -> Mapping[str, Any]:
    import tomllib

    try:
        text = file.read_bytes()
        if file.name == PROJECT_FILE and _TABLE.encode() not in text:  # it need not be valid
            return {}
        content = tomllib.loads(text.decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot read the file: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8: {error.reason}; save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from None
    if file.name != PROJECT_FILE:
        return content
    tools = content.get("tool", {})
    table = tools.get(_TABLE, {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"{file}: tool.{_TABLE} is not a table; write [tool.{_TABLE}] above the settings")
    return table


def _remedy(key: str, value: Any, known: list[str]) -> str:
    if key == "tool":
        return f"only {PROJECT_FILE} has the table [tool.{_TABLE}], here the settings are at the top of the file"
    if isinstance(value, dict):
        return "the settings are at the top of the file, without a table"
    near = did_you_mean(key.replace("_", "-"), [name.replace("_", "-") for name in known])
    return near or "the names are those of the flags that `mock-klarna serve --help` lists"


def _value(setting: Field[Any], value: Any, source: str) -> Any:
    if isinstance(value, str) and isinstance(setting.default, tuple):
        return parsed(setting, value, source)
    return validated(setting, tuple(value) if isinstance(value, list) else value, source, "list")
