"""One server and one demo shop for all scenarios that are played here."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mock_klarna.client import Client
from mock_klarna.demo.shop import serve_shop
from mock_klarna.scenario.loader import loaded
from mock_klarna.scenario.report import Report
from mock_klarna.scenario.runner import Ways, play
from mock_klarna.server import serve_in_thread
from mock_klarna.settings import Settings

NOBODY = "http://127.0.0.1:1/klarna"
"""A merchant who is never there, so that the scenario itself places and denies."""
BUTTON = f'- create_button: {{merchant_urls: {{place_order: "{NOBODY}", terms: "{NOBODY}", push: "{NOBODY}"}}}}'
BOUGHT = f"{BUTTON}\n- purchase: {{cart: se-battery-pack, shopper: se-approved, wait: 0}}"


@pytest.fixture(scope="session")
def ways() -> Iterator[Ways]:
    """How to play against a server and a shop of this test run."""
    with serve_in_thread(Settings(port=0)) as server:
        opening = serve_shop(server.url)
        shop = asyncio.run_coroutine_threadsafe(opening.__aenter__(), server.loop).result()
        yield Ways(
            url=server.url,
            connect=lambda merchant, password: Client(server.url, merchant, password),
            variables=lambda scenario: {"shop": shop.url} if "shop" in scenario.variables else {},
        )
        asyncio.run_coroutine_threadsafe(opening.__aexit__(None, None, None), server.loop).result()


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Path]:
    """Write steps into a scenario file that has a name of its own."""

    def write(steps: str, head: str = "", name: str = "") -> Path:
        file = tmp_path / f"{name or request.node.name[:60]}.yaml"
        indented = "".join(f"  {line}\n" for line in steps.splitlines())
        file.write_text(f"name: A scenario of a test\n{head}steps:\n{indented}", "utf-8")
        return file

    return write


@pytest.fixture
def played(ways: Ways, written: Callable[..., Path]) -> Callable[..., Report]:
    """Play steps against the server and return the report."""

    def run(steps: str, head: str = "") -> Report:
        scenario = loaded([written(steps, head)], {})[0]
        return asyncio.run(play(scenario, ways))

    return run
