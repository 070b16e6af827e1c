"""Command lines of the tests: in this process where possible, because a process takes a second to start."""

import gc
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from mock_klarna.cli.main import main

_LOGGERS = ("", "mock_klarna", "mock_klarna.refusals", "aiohttp", "asyncio")


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command line."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Result]


def run_in_this_process(capsys: pytest.CaptureFixture[str], *arguments: object) -> Result:
    """Run a command line in this process, in a test without a running event loop."""
    capsys.readouterr()
    with _process_state_restored():
        try:
            code: object = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return Result(code, *capsys.readouterr())


@contextmanager
def _process_state_restored() -> Iterator[None]:
    """Restore what a command changes for its whole process: logging and garbage collection."""
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


@contextmanager
def command_process(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m mock_klarna` as a process, which ends with the block; how thorough the tests are is no setting of it."""
    line = [sys.executable, "-m", "mock_klarna", *map(str, arguments)]
    env = {name: value for name, value in os.environ.items() if name != "MOCK_KLARNA_TESTS"}
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.terminate()
