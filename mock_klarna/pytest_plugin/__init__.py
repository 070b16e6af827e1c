"""The pytest plugin: an emulator in the fixtures `mock_klarna` and `mock_klarna_async`, imported when a test asks for it."""

import re
from collections.abc import Callable, Generator, Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_klarna.api import MockKlarna, MockKlarnaAsync
    from mock_klarna.pytest_plugin.fixtures import Servers
    from mock_klarna.settings import Settings

SECTION = "mock-klarna timeline"
"""Title of the section in the report of a failing test."""
_MOST_LINES = 200
_FILE_SYSTEMS = ("fs", "fs_class", "fs_module", "fs_session")
_EMULATORS = ("mock_klarna", "mock_klarna_async", "mock_klarna_url", "mock_klarna_servers")
_Read = Callable[[], str]
_timelines = pytest.StashKey[list[_Read]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Read all files of the package before a test hides them: pyfakefs gives its tests another file system."""
    names = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if not names.isdisjoint(_FILE_SYSTEMS) and not names.isdisjoint(_EMULATORS):
        from mock_klarna.pytest_plugin.fixtures import read_files

        read_files()


@pytest.fixture(scope="session")
def mock_klarna_settings() -> "Settings":
    """Return how the emulator behaves; override it, in any scope, to change that."""
    from mock_klarna.settings import Settings

    return Settings(port=0)


@pytest.fixture(scope="session")
def mock_klarna_servers() -> Iterator["Servers"]:
    """Return the emulators of this session, one for each kind of settings."""
    from mock_klarna.pytest_plugin.fixtures import Servers

    with Servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def mock_klarna_url(mock_klarna_settings: "Settings", mock_klarna_servers: "Servers") -> str:
    """Return the address of the emulator of `mock_klarna`, for a shop that is started once for all tests."""
    return mock_klarna_servers.running(mock_klarna_settings).url


@pytest.fixture
def mock_klarna_merchant(request: pytest.FixtureRequest, mock_klarna_settings: "Settings") -> tuple[str, str]:
    """Return the username and password of the test's own merchant; override it for a shop whose credentials are fixed.

    After a test its own merchant is empty again. Another one, also that of the setting `credentials`, is as it was before, with
    the button keys that the shop has made meanwhile.
    """
    return mock_klarna_settings.default_credentials() if mock_klarna_settings.credentials else _own_merchant(request)


def _own_merchant(request: pytest.FixtureRequest) -> tuple[str, str]:
    name = re.sub(r"\W+", "-", request.node.name)[:40].strip("-")
    return f"{name}-{blake2b(request.node.nodeid.encode(), digest_size=4).hexdigest()}", "secret"


@pytest.fixture
def mock_klarna(
    request: pytest.FixtureRequest,
    mock_klarna_settings: "Settings",
    mock_klarna_servers: "Servers",
    mock_klarna_merchant: tuple[str, str],
) -> Iterator["MockKlarna"]:
    """Give an emulator in a thread of its own, for tests without a loop; its merchant is then as it was before the test."""
    from mock_klarna.pytest_plugin.fixtures import emptied, restored

    klarna = mock_klarna_servers.running(mock_klarna_settings).as_merchant(*mock_klarna_merchant)
    _add_timeline(request, lambda: _timeline(klarna.journal(limit=10_000)))
    is_own = mock_klarna_merchant == _own_merchant(request)
    with emptied(klarna) if is_own else restored(klarna):
        yield klarna


@pytest.fixture
def mock_klarna_async(
    request: pytest.FixtureRequest, mock_klarna_settings: "Settings", mock_klarna_merchant: tuple[str, str]
) -> Iterator["MockKlarnaAsync"]:
    """Give an emulator in a thread of its own, for tests that are coroutines, in any loop; it stops after the test."""
    from mock_klarna.server import serve_in_thread

    with serve_in_thread(mock_klarna_settings, *mock_klarna_merchant) as klarna:
        _add_timeline(request, lambda: _timeline(klarna.journal(limit=10_000)))
        yield klarna.awaitable()


def _add_timeline(request: pytest.FixtureRequest, read: _Read) -> None:
    request.node.stash.setdefault(_timelines, []).append(read)


def _timeline(entries: list[dict[str, Any]]) -> str:
    """Return the last entries as text."""
    from mock_klarna.pytest_plugin.fixtures import timeline

    left_out = len(entries) - _MOST_LINES
    text = timeline(entries[-_MOST_LINES:])
    return f"({left_out} earlier lines left out)\n{text}" if left_out > 0 else text


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the timeline of the emulator to the report of a test that failed while it ran."""
    report = yield
    if report.failed and report.when != "teardown":
        for read in item.stash.get(_timelines, ()):
            report.sections.append((SECTION, _readable(read)))
    return report


def _readable(read: _Read) -> str:
    """Return the timeline, or why there is none: a report about a failure must not fail itself."""
    try:
        return read() or "nothing happened"
    except Exception as error:
        return f"not available: {error}"
