"""Command lines run in the process of the tests: the same words and exit codes as in one of their own, without its start."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from mock_klarna.cli.main import main

_LOGGERS = ("", "mock_klarna", "mock_klarna.refusals", "aiohttp", "asyncio")


@dataclass(frozen=True)
class Ran:
    """What a command line ended with and said."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Ran]


def in_this_process(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """Run a command line; a test that calls this has no running loop."""
    capsys.readouterr()
    with _left_as_it_was():
        try:
            code: object = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return Ran(code, *capsys.readouterr())


@contextmanager
def _left_as_it_was() -> Iterator[None]:
    """Put back what a command sets for its whole process: logging and garbage collection."""
    before = [(logger, logger.level, logger.handlers) for logger in map(logging.getLogger, _LOGGERS)]
    for logger, _, _ in before:
        logger.handlers = []
    try:
        yield
    finally:
        for logger, level, handlers in before:
            logger.setLevel(level)
            logger.handlers = handlers
        gc.enable()
