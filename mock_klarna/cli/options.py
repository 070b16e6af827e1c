"""Settings as command-line flags."""

import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import Field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mock_klarna.errors import did_you_mean
from mock_klarna.settings import PREFIX, Settings, SettingsError, flag_of, from_environment, parsed, setting_fields


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting; the help names the default and the environment variable."""
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
    """Return the settings of flags over environment over `defaults`; raises `SettingsError` naming the flag."""
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
    """Return a sentence for each variable that looks like a setting's and is none, with the name that was probably meant."""
    known = [setting.name.upper() for setting in setting_fields()]
    for name in environ:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            yield f"{name} is no setting and is ignored" + _meant(name, known)


def _meant(name: str, known: list[str]) -> str:
    near = did_you_mean(name.removeprefix(PREFIX), known, PREFIX)
    return near and f"; {near}"


def address(flag: str, url: str, *schemes: str) -> SplitResult:
    """Return the parts of a server's address; raises `SettingsError`, which names the flag, for what is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme in (schemes or ("http", "https")) and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise SettingsError(f"{flag}: {url!r} is no URL of a server; give http://HOST:PORT, such as http://127.0.0.1:8080")
