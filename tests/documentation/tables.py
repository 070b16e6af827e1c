"""The README's tables as the code has them; `python -m tests.documentation.tables` writes them into the README."""

import argparse
import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.cli.main import COMMANDS
from mock_klarna.settings import flag_of, setting_fields
from mock_klarna.web.operation import Operation
from mock_klarna.web.operations import OPERATIONS

Json = dict[str, Any]
README = Path(__file__).parents[2] / "README.md"
_TABLE = re.compile(r"(<!-- table: (\w+) -->\n\n)(.*?)(\n\n)", re.DOTALL)


def commands() -> str:
    """Return the table of commands: a row for each module of the command line."""
    rows = []
    for command in COMMANDS:
        head = (import_module(f"mock_klarna.cli.{command}").__doc__ or "").strip().splitlines()[0]
        name, _, summary = head.partition(": ")
        rows.append((name, summary.rstrip(".")))
    return _table(("command", "does"), rows)


def _operations(rows: list[Operation]) -> str:
    return _table(
        ("method and path", "does"), [(f"`{row.method} {row.path}`", row.summary.rstrip(".")) for row in rows]
    )


def klarna() -> str:
    """Return the table of Klarna's own endpoints."""
    return _operations([row for row in OPERATIONS if row.is_klarnas])


def mock() -> str:
    """Return the table of the sandbox's own endpoints."""
    return _operations([row for row in OPERATIONS if not row.is_klarnas])


def settings() -> str:
    """Return the table of settings."""
    rows = []
    for setting in setting_fields():
        default = setting.default
        shown = (
            str(default).lower()
            if isinstance(default, bool)
            else f"{default:g}"
            if isinstance(default, float)
            else default
        )
        rows.append(
            (f"`{flag_of(setting.name)}`", f"`{shown}`" if shown not in ("", ()) else "", setting.metadata["help"])
        )
    return _table(("flag", "default", "meaning"), rows)


def steps() -> str:
    """Return the table of scenario steps."""
    from mock_klarna.scenario.steps import STEPS

    return _table(("step", "does"), [(f"`{name}`", _first_sentence(step)) for name, step in STEPS.items()])


def run() -> str:
    """Return the table of what `run` takes beside the settings."""
    from mock_klarna.cli import run as command

    parser = argparse.ArgumentParser(add_help=False)
    command.add(parser)
    settings = {flag_of(setting.name) for setting in setting_fields()}
    flags = [action for action in parser._actions if action.option_strings and action.option_strings[0] not in settings]
    return _table(("flag", "does"), [(f"`{_usage(flag)}`", (flag.help or "").rstrip(".")) for flag in flags])


def _usage(flag: argparse.Action) -> str:
    (name,) = flag.option_strings
    return name if flag.nargs == 0 else f"{name} {flag.metavar or flag.dest.upper()}"


def methods() -> str:
    """Return the table of what tests can do with the fixtures: both have the same methods."""
    from mock_klarna.pytest_plugin.api import Commands, MockKlarna, OrderCommands

    everything = [each for kind in (Commands, OrderCommands, MockKlarna) for each in vars(kind).values()]
    found = [each for each in everything if inspect.isfunction(each) and not each.__name__.startswith("_")]
    rows = [(f"`{each.__name__}({_parameters(each)})`", _first_sentence(each)) for each in found]
    return _table(("method", "does"), rows)


def _parameters(method: Callable[..., object]) -> str:
    _, *others = inspect.signature(method).parameters.values()
    plain = (parameter.replace(annotation=inspect.Parameter.empty) for parameter in others)
    return str(inspect.Signature(list(plain)))[1:-1]


BODIES = ("create_purchase", "create_fault", "set_clock", "decide_fraud_review", "reset", "run_scenario")
"""Bodies of the sandbox's own requests that a test writes by hand."""


def bodies() -> str:
    """Return the table of what requests under `/_mock` take."""
    paths = {row.name: f"`{row.method} {row.path}`" for row in OPERATIONS}
    rows = [(paths[name], *row) for name in BODIES for row in _members(_schema("requests", name))]
    first = [(row[0] if index == 0 or rows[index - 1][0] != row[0] else "", *row[1:]) for index, row in enumerate(rows)]
    return _table(("request", "member", "takes", "which is"), first)


def _schema(folder: str, name: str) -> Json:
    schema: Json = json.loads((resources.schemas() / folder / f"{name}.json").read_text())
    return schema


def _members(schema: Json, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield a row for each member of a body, and for those of an object that stands nowhere else."""
    for name, member in schema["properties"].items():
        yield f"`{prefix}{name}`", _form(member), member["description"].rstrip(".")
        for inner in [member, *member.get("oneOf", ())]:
            if "properties" in inner and "allOf" not in inner:
                yield from _members(inner, f"{prefix}{name}.")


def _form(member: Json) -> str:
    """Say what a member may be: its values, its type and its bounds."""
    if "$ref" in member:
        name = member["$ref"].rpartition("/")[2].removesuffix(".json")
        return '`"1h30m"` or seconds' if name == "duration" else _form(_schema("components", name))
    if "oneOf" in member:
        return " or ".join(_form(part) for part in member["oneOf"])
    if "enum" in member:
        return ", ".join(f"`{value}`" for value in member["enum"])
    kinds = member["type"] if isinstance(member["type"], list) else [member["type"]]
    return "`true`" if "const" in member else " or ".join(kind for kind in kinds if kind != "null") + _bounds(member)


def _bounds(member: Json) -> str:
    least, most = member.get("minimum", member.get("exclusiveMinimum")), member.get("maximum")
    return f", {least} to {most}" if most is not None else ""


def _first_sentence(thing: object) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0].rstrip(".")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


TABLES = {each.__name__: each for each in (commands, klarna, mock, bodies, settings, run, steps, methods)}
"""Every table by the name in its marker."""


def rewritten(text: str) -> str:
    """Return the README's text with every marked table as the code has it."""
    return _TABLE.sub(lambda match: match.group(1) + TABLES[match.group(2)]() + match.group(4), text)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
