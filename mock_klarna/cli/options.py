"""Settings and addresses as command-line options."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import Field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mock_klarna.errors import did_you_mean
from mock_klarna.settings import (
    PREFIX,
    Settings,
    SettingsError,
    flag_of,
    from_environment,
    is_service_variable,
    parsed,
    setting_fields,
    variable_of,
)


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
    fallback = {name: value for name, value in defaults.items() if not _is_set(variable_of(name))}
    return from_environment(os.environ, {**fallback, **given})


def _is_set(variable: str) -> bool:
    value = os.environ.get(variable)
    return bool(value) and not is_service_variable(variable, value or "")


def _value(setting: Field[Any], value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return tuple(part for text in value for part in parsed(setting, text, flag_of(setting.name)))
    return parsed(setting, value, flag_of(setting.name))


def warn_about_variables(environ: Mapping[str, str]) -> None:
    """Print a warning for each environment variable with the prefix of settings that is ignored, on standard error.

    Those of Kubernetes and of Docker's links are named in one line.
    """
    for warning in _warnings({name: value for name, value in environ.items() if name.startswith(PREFIX)}):
        print(f"mock-klarna: {warning}", file=sys.stderr)


def _warnings(environ: Mapping[str, str]) -> Iterator[str]:
    of_services = [name for name, value in environ.items() if is_service_variable(name, value)]
    if of_services:
        yield f"{', '.join(of_services)} ignored: set by Kubernetes or Docker for a service, not a setting"
    known = [setting.name.upper() for setting in setting_fields()]
    for name in environ:
        if name.removeprefix(PREFIX) not in known and name not in of_services:
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
