"""What the tests of every folder share."""

import gc
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest

from mock_klarna import resources
from mock_klarna.pytest_plugin.api import MockKlarnaAsync
from tests.commands import Command, in_this_process
from tests.database import Database, running

pytest_plugins = ["pytester"]

CLOSED = "http://127.0.0.1:1"
"""A shop that refuses every connection at once."""


def pytest_configure(config: pytest.Config) -> None:
    """Take the plugin from the checkout where the package is not installed."""
    if not config.pluginmanager.has_plugin("mock_klarna"):
        config.pluginmanager.register(import_module("mock_klarna.pytest_plugin"), "mock_klarna")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep what was imported and collected out of every garbage collection of the run, of which it would be the most part."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture
def klarna(mock_klarna_async: MockKlarnaAsync) -> MockKlarnaAsync:
    """The emulator in the test's own loop."""
    return mock_klarna_async


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command line in this process, with no setting in the environment; gives exit code and both outputs."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "MOCK_KLARNA_", "PORT")):
            monkeypatch.delenv(name)
    return partial(in_this_process, capsys)


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
    """A purchase of the seed's Swedish cart that waits for the merchant to place or deny."""
    return await klarna.purchase(button_key=button["button_key"], page=page("se-battery-pack"), wait=0)


@pytest.fixture(scope="session")
def page() -> Callable[[str], Any]:
    """Reads what a page gives `load()`: a cart by its name, such as `se-battery-pack`."""
    return lambda name: json.loads((resources.fixtures() / "carts" / f"{name}.json").read_bytes())


@pytest.fixture(scope="session")
def seed() -> Callable[[str], Any]:
    """Reads a JSON example of the seed page by its name, such as `se-order`."""
    return lambda name: json.loads((resources.fixtures() / "guide" / f"{name}.json").read_bytes())


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A PostgreSQL server for all tests of this process."""
    with running() as started:
        yield started


@pytest.fixture
def postgres(database: Database) -> str:
    """The URL of an empty store in PostgreSQL."""
    return database.url(f"test_{uuid4().hex[:12]}")
