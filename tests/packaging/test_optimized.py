"""`python -OO`, which removes docstrings and asserts: the package does not depend on them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mock_klarna

pytestmark = pytest.mark.process

ROOT = Path(mock_klarna.__file__).parents[1]
SUITE = """
import pytest

def test_what_does_not_happen(mock_klarna):
    with pytest.raises(AssertionError, match="the journal has no push yet"):
        mock_klarna.wait_for("push", within=0)

async def test_a_coroutine(mock_klarna_async):
    await mock_klarna_async.create_button(merchant_urls={"place_order": "nowhere"})
"""


def _python(*line: object) -> str:
    command = [sys.executable, "-OO", *map(str, line)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_stored_scenario_passes() -> None:
    assert " passed in " in _python("-m", "mock_klarna", "run").splitlines()[-1]


def test_every_operation_of_the_document_has_a_summary() -> None:
    document = json.loads(_python("-m", "mock_klarna", "openapi"))
    summaries = [operation["summary"] for path in document["paths"].values() for operation in path.values()]
    assert "Create button." in summaries
    assert all(summaries)


def test_the_fixtures_work_and_a_failing_test_shows_its_timeline(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(SUITE)
    plugins = ("-p", "pytest_asyncio.plugin", "-p", "mock_klarna.pytest_plugin", "-o", "asyncio_mode=auto")
    result = pytester.runpytest_subprocess(*plugins, timeout=120)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*POST /instantshopping/v1/buttons → 400 *", "*merchant_urls.place_order *: sent *"])
