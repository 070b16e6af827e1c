"""Log lines."""

import logging
import sys

import pytest

from mock_klarna.logs import TextFormatter


def formatted(message: str) -> str:
    record = logging.LogRecord("mock_klarna", logging.WARNING, "", 0, "%s", (message,), None)
    return TextFormatter("%(levelname)s %(message)s").format(record)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a\nERROR b", "a\\x0aERROR b"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("a\x00\x7f\x9b", "a\\x00\\x7f\\x9b"),
        ("a\u202eb\u2028c", "a\\x202eb\\x2028c"),
        ("räksmörgås\n  name [type]: sent 1", "räksmörgås\n  name [type]: sent 1"),
    ],
)
def test_control_characters_of_a_request_cannot_forge_a_line(message: str, shown: str) -> None:
    assert formatted(message) == f"WARNING {shown}"


def test_a_traceback_keeps_its_lines() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        record = logging.LogRecord("mock_klarna", logging.ERROR, "", 0, "a bug", (), sys.exc_info())
    assert TextFormatter("%(message)s").format(record).splitlines()[:2] == [
        "a bug",
        "Traceback (most recent call last):",
    ]
