"""Settings and addresses as command-line options."""

import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import Field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mock_klarna.errors import did_you_mean
from mock_klarna.settings import PREFIX, Settings, SettingsError, flag_of, from_environment, parsed, setting_fields


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add an option for every setting; the help names the default and the environment variable."""
    group = parser.add_argument_group("settings")
    for setting in setting_fields():
        text = f"{setting.metadata['help']} ({_default(setting)}{PREFIX}{setting.name.upper()})"
        _add(group, setting, text.replace("%", "%%"))


def _add(group: Any, setting: Field[Any], text: str) -> None:
    flag, name = flag_of(setting.name), f"setting_{setting.name}"
    if isinstance(setting.default, bool):
        group.add_argument(flag, dest=name, action=argparse.BooleanOptionalAction, default=None, help=text)
        return
    action = "append" if setting.metadata["repeat"] else "store"
    group.add_argument(flag, dest=name, action=action, metavar=setting.metadata["metavar"], help=text)


def _default(setting: Field[Any]) -> str:
    shown = setting.default if not isinstance(setting.default, bool) else str(setting.default).lower()
    return f"default {shown}; " if shown not in ("", ()) else ""


def settings_from(arguments: argparse.Namespace, **defaults: Any) -> Settings:
    """Return the settings: options override environment variables, which override `defaults`; raises `SettingsError`."""
    given = {}
    for setting in setting_fields():
        value = getattr(arguments, f"setting_{setting.name}", None)
        if value is not None:
            given[setting.name] = _value(setting, value)
    fallback = {name: value for name, value in defaults.items() if not os.environ.get(PREFIX + name.upper())}
    return from_environment(os.environ, {**fallback, **given})


def _value(setting: Field[Any], value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return tuple(part for text in value for part in parsed(setting, text, flag_of(setting.name)))
    return parsed(setting, value, flag_of(setting.name))


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Return a warning for each environment variable with the prefix of settings that is not a setting."""
    known = [setting.name.upper() for setting in setting_fields()]
    for name in environ:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            yield f"unknown setting {name} is ignored" + _suggestion(name, known)


def _suggestion(name: str, known: list[str]) -> str:
    near = did_you_mean(name.removeprefix(PREFIX), known, PREFIX)
    return near and f"; {near}"


def server_address(flag: str, url: str, *schemes: str) -> SplitResult:
    """Return the parts of a server's URL; raises `SettingsError`, which names the option, for an invalid one."""
    try:
        parts = urlsplit(url)
        if parts.scheme in (schemes or ("http", "https")) and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise SettingsError(
        f"{flag}: {url!r} is not the URL of a server; give http://HOST:PORT, such as http://127.0.0.1:8080"
    )
