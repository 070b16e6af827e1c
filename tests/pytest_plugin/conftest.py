import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mock_klarna.client
import mock_klarna.server  # noqa: F401  pytester forgets what is imported inside it, and extension modules load only once
from mock_klarna import pytest_plugin

Run = Callable[..., pytest.RunResult]
_ALONE = ("-p", "pytest_asyncio.plugin", "-p", "pytest_aiohttp.plugin", "-p", "no:cacheprovider")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a user's suite with only our plugin and those that it works with: source, arguments; every warning is an error."""
    monkeypatch.setattr(
        sys, "dont_write_bytecode", True
    )  # a second suite of the same size and second would run the first
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(source: str, *, mode: str = "auto", arguments: tuple[str, ...] = ()) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess(*_ALONE, *_strictness(mode), *arguments, plugins=[pytest_plugin])

    return run


@pytest.fixture
def suite_in_a_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a user's suite in a process of its own: source, further plugins, further arguments."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def run(source: str, *plugins: str, arguments: tuple[str, ...] = ()) -> pytest.RunResult:
        pytester.makepyfile(source)
        named = (word for plugin in (*plugins, pytest_plugin.__name__) for word in ("-p", plugin))
        return pytester.runpytest_subprocess(*_ALONE, *named, *_strictness("auto"), *arguments, timeout=120)

    return run


def _strictness(mode: str) -> tuple[str, ...]:
    return ("-W", "error", "-o", f"asyncio_mode={mode}", "-o", "asyncio_default_fixture_loop_scope=function")
