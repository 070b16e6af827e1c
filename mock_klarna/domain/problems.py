"""What is wrong with a body, told so that its sender can put it right."""

import re
from collections.abc import Iterable
from typing import Any

from mock_klarna.domain.facts import value

_LONGEST_TEXT = 200
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"\[\d+\]|[^.\[]+|.")


@value
class Problem:
    """One fault of one member of a body.

    path: where, in Klarna's form (`order_lines[0].total_tax_amount`); "" is the body itself.
    rule: the broken JSON Schema keyword (`required`, `type`, `maxLength`) or a rule of ours (`line_tax`, `url`).
    sent: the value as it came; None when the member was missing, which JSON null means too (protocol 13).
    expected: what would be right, in words and with the numbers.
    formula: for money, the arithmetic with the numbers in it.
    """

    path: str
    rule: str
    sent: object
    expected: str
    formula: str = ""

    @property
    def json_path(self) -> str:
        """The same place as a JSONPath: `$.order_lines[0].total_tax_amount`."""
        return "$" + "".join(_json_path_step(step) for step in _STEP.findall(self.path) if step != ".")

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-ready form for the journal; what was sent is cut to a size that a reader can take in."""
        return {
            "path": self.path,
            "json_path": self.json_path,
            "rule": self.rule,
            "sent": bounded(self.sent),
            "expected": self.expected,
            "formula": self.formula,
        }

    def as_text(self) -> str:
        """Return the one line that goes to the log."""
        sent = "nothing" if self.sent is None else repr(bounded(self.sent))
        formula = f" ({self.formula})" if self.formula else ""
        return f"{self.path or 'body'} [{self.rule}]: sent {sent}, expected {self.expected}{formula}"


def in_words(problems: Iterable[Problem]) -> str:
    """Return all problems in one line of text."""
    return "; ".join(problem.as_text() for problem in problems)


def _json_path_step(step: str) -> str:
    if step.startswith("["):
        return step
    quoted = step.replace("\\", "\\\\").replace("'", "\\'")
    return f".{step}" if _PLAIN_NAME.fullmatch(step) else f"['{quoted}']"


def bounded(value: object) -> Any:
    """Return a JSON-ready value as it is when it is small, else its beginning or what kind of thing it is."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]}… ({len(value)} characters)"
    if isinstance(value, dict | list) and _is_large(value):
        kind, part = ("an object", "members") if isinstance(value, dict) else ("a list", "entries")
        return f"{kind} with {len(value)} {part}, too large to show"
    return value


def _is_large(value: dict[str, Any] | list[Any]) -> bool:
    left: list[object] = [value]
    weight = 0
    while left and weight <= _LONGEST_TEXT:
        part = left.pop()
        weight += len(part) if isinstance(part, str | dict | list) else 1
        if isinstance(part, dict | list) and weight <= _LONGEST_TEXT:
            left.extend([*part, *part.values()] if isinstance(part, dict) else part)
    return weight > _LONGEST_TEXT
