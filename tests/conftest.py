"""What the tests of every folder share."""

import gc
import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

from mock_klarna import MockKlarna, MockKlarnaAsync, resources
from tests.commands import Command, run_in_this_process
from tests.database import Database, running

pytest_plugins = ["pytester"]

CLOSED = "http://127.0.0.1:1"
"""A shop that refuses every connection at once."""

BROWSER = "tests/browser/"

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # workers and servers would compile all that they import, each anew
os.environ["SSL_CERT_FILE"] = os.devnull  # parsing the system's authorities takes a fifth of the start of a process
gc.disable()  # until everything is collected
settings.register_profile("tests", settings.default, deadline=None)  # on a busy machine each example may take long
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Take the plugin from the checkout where the package is not installed."""
    if not config.pluginmanager.has_plugin("mock_klarna"):
        config.pluginmanager.register(import_module("mock_klarna.pytest_plugin"), "mock_klarna")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many workers `-n auto` starts: none for single files and tests, else one more than there are cores.

    One more, because tests also wait.
    """
    if config.args and all(Path(argument.partition("::")[0]).suffix == ".py" for argument in config.args):
        return 0
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS", (os.cpu_count() or 1) + 1))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the folder `browser`, and so what it imports, where `-m` leaves out its tests."""
    is_left_out = "not browser" in config.option.markexpr and collection_path == Path(__file__).parent / "browser"
    return is_left_out or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark the tests of the folder `browser`, and those whose fixtures need PostgreSQL or a process, for `-m`."""
    for item in items:
        if item.nodeid.startswith(BROWSER):
            item.add_marker("browser")
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if "postgres" in values or not {"postgres", "database"}.isdisjoint(item.fixturenames):
            item.add_marker("database")
        if "bad" in item.fixturenames:  # the merchant of tests/merchants/bad.py
            item.add_marker("process")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exclude what was imported and collected from every garbage collection of the run."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def patient_scenarios() -> Iterator[None]:
    """Scenarios that do not say how long they wait for what they expect wait long: on a busy machine it comes late."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mock_klarna.scenario.scenario_run.DEFAULT_WITHIN", 120.0)
        patch.setattr("mock_klarna.scenario.expectations._DEFAULT_WAIT", 120.0)
        yield


@pytest.fixture(scope="session")
def faker_seed() -> int:
    """Replaces a fixture of pytest-randomly that makes a seed for each test: Faker gets the seeds of the shoppers."""
    return 0


@pytest.fixture
def klarna(mock_klarna: MockKlarna) -> MockKlarnaAsync:
    """A merchant of the test's own at the server that the tests of a process share, one for each kind of settings."""
    return mock_klarna.awaitable()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command line in this process, with no setting in the environment; gives exit code and both outputs."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "MOCK_KLARNA_", "PORT")):
            monkeypatch.delenv(name)
    return partial(run_in_this_process, capsys)


@pytest.fixture
async def button(klarna: MockKlarnaAsync) -> Any:
    """A button key of a shop that refuses every callback."""
    return await klarna.create_button(
        merchant_urls={
            "place_order": f"{CLOSED}/place-order",
            "terms": f"{CLOSED}/terms",
            "confirmation": f"{CLOSED}/thanks",
        }
    )


@pytest.fixture
async def purchase(klarna: MockKlarnaAsync, button: Any, page: Callable[[str], Any]) -> Any:
    """A purchase of the guide's Swedish cart that waits for the merchant to place or deny."""
    return await klarna.purchase(button_key=button["button_key"], page=page("se-battery-pack"), wait=0)


@pytest.fixture(scope="session")
def page() -> Callable[[str], Any]:
    """Reads what a page gives `load()`: a cart by its name, such as `se-battery-pack`."""
    return lambda name: json.loads((resources.fixtures() / "carts" / f"{name}.json").read_bytes())


@pytest.fixture(scope="session")
def guide() -> Callable[[str], Any]:
    """Reads a JSON example of the integration guide by its name, such as `se-order`."""
    return lambda name: json.loads((resources.fixtures() / "guide" / f"{name}.json").read_bytes())


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A PostgreSQL server for all tests of this process: what one sandbox writes delays the journals of others on its server."""
    with running() as started:
        yield started


@pytest.fixture
def postgres(new_store: Callable[[str], str]) -> str:
    """The URL of an empty store in PostgreSQL."""
    return new_store("postgres")


@pytest.fixture(scope="session")
def new_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Gives the setting `store` for an empty store of an engine: memory, sqlite or postgres."""

    def empty(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:{tmp_path_factory.mktemp('store') / 'state.db'}"
        if engine == "postgres":
            database: Database = request.getfixturevalue("database")
            return database.url(f"test_{uuid4().hex[:12]}")
        return engine

    return empty


@pytest.fixture
def hang_up_is_not_ignored() -> Iterator[None]:
    """Tests that run under `nohup` start processes that ignore SIGHUP; those of this test do not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)
