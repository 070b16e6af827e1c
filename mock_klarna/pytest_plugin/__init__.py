"""The pytest plugin: an emulator in the fixtures `mock_klarna` and `mock_klarna_async`, imported when a test asks for it."""

import json
import re
from collections.abc import Callable, Generator, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_klarna.api import MockKlarna, MockKlarnaAsync
    from mock_klarna.pytest_plugin.servers import Servers
    from mock_klarna.settings import Settings

SECTION = "mock-klarna timeline"
"""Title of the section in the report of a failing test."""
EXPORT_SECTION = "mock-klarna export"
"""Title of the section with the files of the purchases, if the option `--mock-klarna-export` asks for them."""
_MAX_LINES = 200
_MAX_EXPORTED = 20
"""Purchases of a test that are written to files, the newest ones."""
_FILE_SYSTEMS = ("fs", "fs_class", "fs_module", "fs_session")
_EMULATORS = ("mock_klarna", "mock_klarna_async", "mock_klarna_url", "mock_klarna_servers")
_emulators = pytest.StashKey[list["MockKlarna"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option with which failing tests write their purchases to files."""
    parser.getgroup("mock-klarna").addoption(
        "--mock-klarna-export",
        metavar="FOLDER",
        help="write the purchases of each failed test into a folder, as HTML and as HTTP Archive",
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Read all files of the package before a test hides them: pyfakefs gives its tests another file system."""
    names = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if not names.isdisjoint(_FILE_SYSTEMS) and not names.isdisjoint(_EMULATORS):
        from mock_klarna.pytest_plugin.servers import read_files

        read_files()


@pytest.fixture(scope="session")
def mock_klarna_settings() -> "Settings":
    """Return how the emulator behaves; override it, in any scope, to change that."""
    from mock_klarna.settings import Settings

    return Settings(port=0)


@pytest.fixture(scope="session")
def mock_klarna_servers() -> Iterator["Servers"]:
    """Return the emulators of this session, one for each kind of settings."""
    from mock_klarna.pytest_plugin.servers import Servers

    with Servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def mock_klarna_url(mock_klarna_settings: "Settings", mock_klarna_servers: "Servers") -> str:
    """Return the address of the emulator of `mock_klarna`, for a shop that is started once for all tests."""
    from mock_klarna.pytest_plugin.servers import checked_settings

    return mock_klarna_servers.running(checked_settings(mock_klarna_settings)).url


@pytest.fixture
def mock_klarna_merchant(request: pytest.FixtureRequest, mock_klarna_settings: "Settings") -> tuple[str, str]:
    """Return the username and password of the test's own merchant; override it for a shop whose credentials are fixed.

    After a test its own merchant is empty again. Another one, also that of the setting `credentials`, is as it was before, with
    the button keys that the shop has made meanwhile.
    """
    from mock_klarna.pytest_plugin.servers import checked_settings

    settings = checked_settings(mock_klarna_settings)
    return settings.default_credentials() if settings.credentials else _own_merchant(request)


def _own_merchant(request: pytest.FixtureRequest) -> tuple[str, str]:
    return _short_name(request.node), "secret"


def _short_name(item: pytest.Item) -> str:
    """Return the name of a test, short and unlike that of any other."""
    name = re.sub(r"\W+", "-", item.name)[:40].strip("-")
    return f"{name}-{blake2b(item.nodeid.encode(), digest_size=4).hexdigest()}"


@pytest.fixture
def mock_klarna(
    request: pytest.FixtureRequest,
    mock_klarna_settings: "Settings",
    mock_klarna_servers: "Servers",
    mock_klarna_merchant: tuple[str, str],
) -> Iterator["MockKlarna"]:
    """Give an emulator in a thread of its own, for tests without a loop; its merchant is then as it was before the test."""
    from mock_klarna.pytest_plugin.servers import checked_credentials, checked_settings, emptied, restored

    merchant = checked_credentials(mock_klarna_merchant)
    klarna = mock_klarna_servers.running(checked_settings(mock_klarna_settings)).as_merchant(*merchant)
    _report_failure(request, klarna)
    is_own = merchant == _own_merchant(request)
    with emptied(klarna) if is_own else restored(klarna):
        yield klarna


@pytest.fixture
def mock_klarna_async(
    request: pytest.FixtureRequest, mock_klarna_settings: "Settings", mock_klarna_merchant: tuple[str, str]
) -> Iterator["MockKlarnaAsync"]:
    """Give an emulator in a thread of its own, for tests that are coroutines, in any loop; it stops after the test."""
    from mock_klarna.pytest_plugin.servers import checked_credentials, checked_settings
    from mock_klarna.server import serve_in_thread

    merchant = checked_credentials(mock_klarna_merchant)
    with serve_in_thread(checked_settings(mock_klarna_settings), *merchant) as klarna:
        _report_failure(request, klarna)
        yield klarna.awaitable()


def _report_failure(request: pytest.FixtureRequest, klarna: "MockKlarna") -> None:
    """Let the report of the test show what happened in an emulator."""
    request.node.stash.setdefault(_emulators, []).append(klarna)


def _timeline(klarna: "MockKlarna") -> str:
    """Return the last entries of the journal as text."""
    from mock_klarna.pytest_plugin.servers import timeline

    entries: list[dict[str, Any]] = klarna.journal(limit=10_000)
    left_out = len(entries) - _MAX_LINES
    text = timeline(entries[-_MAX_LINES:])
    return f"({left_out} earlier lines left out)\n{text}" if left_out > 0 else text


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the timeline of the emulator, and the files of its purchases, to the report of a test that failed while it ran."""
    report = yield
    folder = item.config.getoption("mock_klarna_export", None)
    if report.failed and report.when != "teardown":
        for klarna in item.stash.get(_emulators, ()):
            report.sections.append((SECTION, _readable(_timeline, klarna) or "nothing happened"))
            if folder and set(_FILE_SYSTEMS).isdisjoint(getattr(item, "fixturenames", ())):
                write = partial(_exported, item.config.invocation_params.dir / folder, _short_name(item))
                report.sections.append((EXPORT_SECTION, _readable(write, klarna) or "no purchase"))
    return report


def _readable(read: Callable[["MockKlarna"], str], klarna: "MockKlarna") -> str:
    """Return what is read, or why there is nothing: a report about a failure must not fail itself."""
    try:
        return read(klarna)
    except Exception as error:
        return f"not available: {error}"


def _exported(folder: Path, name: str, klarna: "MockKlarna") -> str:
    """Write the newest purchases, oldest first, and return the paths of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, purchase in enumerate(reversed(klarna.purchases(limit=_MAX_EXPORTED)), start=1):
        html, har = klarna.export_html(purchase["purchase_id"]), klarna.export_har(purchase["purchase_id"])
        stem = name if number == 1 else f"{name}-{number}"
        for path, text in ((folder / f"{stem}.html", html), (folder / f"{stem}.har", json.dumps(har))):
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
    return "\n".join(paths)
