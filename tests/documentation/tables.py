"""The README's tables as the code has them; `python -m tests.documentation.tables` writes them into the README."""

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from mock_klarna.cli.main import COMMANDS
from mock_klarna.settings import flag_of, setting_fields
from mock_klarna.web.operation import Operation
from mock_klarna.web.operations import OPERATIONS

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


def _first_sentence(thing: object) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0].rstrip(".")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


TABLES = {"commands": commands, "klarna": klarna, "mock": mock, "settings": settings, "steps": steps}
"""Every table by the name in its marker."""


def rewritten(text: str) -> str:
    """Return the README's text with every marked table as the code has it."""
    return _TABLE.sub(lambda match: match.group(1) + TABLES[match.group(2)]() + match.group(4), text)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
