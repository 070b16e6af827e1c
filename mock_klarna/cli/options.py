"""Settings and addresses as command-line options."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mock_klarna.allowed_values import SEVERAL, Allowed, integer, number
from mock_klarna.cli.config import FILE, PROJECT_FILE, settings_in_file
from mock_klarna.errors import did_you_mean
from mock_klarna.settings import (
    GROUPS,
    PREFIX,
    SERVER,
    Settings,
    SettingsError,
    flag_of,
    from_environment,
    is_service_variable,
    parsed,
    setting_fields,
    value_from,
    variable_of,
    variable_with_value,
)

SHORT_FLAGS: Mapping[str, str] = {"verbose": "-v", "quiet": "-q"}
"""Short forms of the flags of settings and commands, by the name of the long one."""
_SAID_BY_METAVAR = ("a path", "a text in UTF-8", "true or false")
"""Allowed values that the help does not repeat."""


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add an option for every setting, in groups; the help names allowed values, default and environment variable."""
    groups = {name: parser.add_argument_group(name) for name in GROUPS}
    add_config(groups[SERVER])
    for setting in setting_fields():
        facts = "; ".join([*_allowed(setting), *_default(setting), variable_of(setting.name)])
        _add(groups[setting.metadata["group"]], setting, f"{setting.metadata['help']} [{facts}]".replace("%", "%%"))


def add_config(parser: Any) -> None:
    """Add the option that names a configuration file."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=f"read settings from this file [default {FILE}, else [tool.mock-klarna] in {PROJECT_FILE}]",
    )


def value_of(allowed: Allowed) -> Callable[[str], Any]:
    """Return the argparse `type` of an option that is no setting; a refusal names the allowed values."""

    def read(text: str) -> Any:
        try:
            return allowed.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not {error}") from None

    return read


PORT = value_of(integer(0, 65535))
SECONDS = value_of(number(0, 86400))


def short_flag(name: str) -> tuple[str, ...]:
    """Return the short form of a flag, if it has one."""
    return (SHORT_FLAGS[name],) if name in SHORT_FLAGS else ()


def _add(group: Any, setting: Field[Any], text: str) -> None:
    flags, name = (*short_flag(setting.name), flag_of(setting.name)), f"setting_{setting.name}"
    if isinstance(setting.default, bool):
        group.add_argument(*flags, dest=name, action=argparse.BooleanOptionalAction, default=None, help=text)
        return
    action = "append" if setting.metadata["repeat"] else "store"
    group.add_argument(*flags, dest=name, action=action, metavar=setting.metadata["metavar"], help=text)


def _allowed(setting: Field[Any]) -> Iterator[str]:
    each, several, _ = setting.metadata["allowed"].partition(SEVERAL)
    if each not in _SAID_BY_METAVAR and each != setting.metadata["metavar"]:
        yield each
    if several:
        yield "can be repeated"


def _default(setting: Field[Any]) -> Iterator[str]:
    shown = setting.default if not isinstance(setting.default, bool) else str(setting.default).lower()
    if shown not in ("", ()):
        yield f"default {shown:.10g}" if isinstance(shown, float) else f"default {shown}"


def settings_from(arguments: argparse.Namespace, **defaults: Any) -> Settings:
    """Return the settings: options, then environment variables, then `defaults`, then the configuration file.

    `defaults` are those of the command. Raises `SettingsError`.
    """
    given = {}
    for setting in setting_fields():
        value = getattr(arguments, f"setting_{setting.name}", None)
        if value is not None:
            given[setting.name] = _value(setting, value)
    for name, other in (("quiet", "verbose"), ("verbose", "quiet")):
        if given.get(name):  # precedes the opposite of it in the environment or in the file
            given.setdefault(other, False)
    in_file = settings_in_file(arguments.config).items()
    fallback = {name: value for name, value in in_file if variable_with_value(name, os.environ) is None}
    fallback |= {name: value for name, value in defaults.items() if not _is_set(variable_of(name))}
    return from_environment(os.environ, {**fallback, **given})


def setting_sources(arguments: argparse.Namespace) -> dict[str, str]:
    """Return where `settings_from` finds the values of settings, by their names: `flag`, `environment` or `file`."""
    names = [setting.name for setting in setting_fields()]
    sources = dict.fromkeys(settings_in_file(arguments.config), "file")
    sources |= {name: "environment" for name in names if variable_with_value(name, os.environ)}
    return sources | {name: "flag" for name in names if getattr(arguments, f"setting_{name}", None) is not None}


def setting_value(name: str, config: str | None) -> Any:
    """Return a setting from its variable, the configuration file or its default, for commands without an option for it."""
    setting = next(setting for setting in setting_fields() if setting.name == name)
    in_file = settings_in_file(config)
    if name in in_file and variable_with_value(name, os.environ) is None:
        return in_file[name]
    return value_from(os.environ, setting)


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


def require_username(flag: str, name: str, hint: str) -> None:
    """Raise `SettingsError`, which names the option, for a name with a colon: there the username of credentials ends."""
    if ":" in name:
        raise SettingsError(f"{flag}: {name!r} contains a colon, at which a username ends; {hint}")


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
