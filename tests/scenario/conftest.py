"""One server for each store engine and one demo shop for all scenarios of these tests."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from mock_klarna.client import Client
from mock_klarna.demo.shop import serve_shop
from mock_klarna.scenario.loader import load_scenarios
from mock_klarna.scenario.report import Report
from mock_klarna.scenario.runner import RunOptions, run_scenario
from mock_klarna.server import serve_in_thread
from mock_klarna.settings import Settings

UNREACHABLE_SHOP = "http://127.0.0.1:1/klarna"
"""A shop that refuses every connection, so that only the scenario places and denies."""
BUTTON = (
    f'- create_button: {{merchant_urls: {{place_order: "{UNREACHABLE_SHOP}", terms: "{UNREACHABLE_SHOP}", '
    f'push: "{UNREACHABLE_SHOP}"}}}}'
)
PURCHASE = f"{BUTTON}\n- purchase: {{cart: se-battery-pack, shopper: se-approved, wait: 0}}"
"""Steps after which a purchase is authorized."""

WriteScenario = Callable[..., Path]
RunSteps = Callable[..., Report]


@pytest.fixture(scope="session")
def options_of(new_store: Callable[[str], str]) -> Iterator[Callable[[str], RunOptions]]:
    """Gives options with a server on a store engine and a demo shop, the same ones for all tests of this run."""
    with ExitStack() as stack:
        yield cache(lambda engine: stack.enter_context(_serving(new_store(engine))))


@contextmanager
def _serving(store: str) -> Iterator[RunOptions]:
    with serve_in_thread(Settings(port=0, store=store, callback_timeout=60)) as server:
        serving = serve_shop(server.url, has_secret=False)
        shop = asyncio.run_coroutine_threadsafe(serving.__aenter__(), server.loop).result()
        yield RunOptions(
            url=server.url,
            connect=lambda merchant, password: Client(server.url, merchant, password),
            variables=lambda scenario: {"shop": shop.url} if "shop" in scenario.variables else {},
        )
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), server.loop).result()


@pytest.fixture
def run_options(options_of: Callable[[str], RunOptions]) -> RunOptions:
    """Options with the server and the demo shop of this test run."""
    return options_of("memory")


@pytest.fixture
def write_scenario(tmp_path: Path, request: pytest.FixtureRequest) -> WriteScenario:
    """Write a scenario file with the given steps; its name, and so its merchant, is that of the test by default."""

    def write(steps: str, head: str = "", name: str = "") -> Path:
        file = tmp_path / f"{name or request.node.name[:60]}.yaml"
        indented = "".join(f"  {line}\n" for line in steps.splitlines())
        file.write_text(f"name: A scenario of a test\n{head}steps:\n{indented}", "utf-8")
        return file

    return write


@pytest.fixture
def run_steps(run_options: RunOptions, write_scenario: WriteScenario) -> RunSteps:
    """Run steps against the server and return the report."""

    def run(steps: str, head: str = "") -> Report:
        scenario = load_scenarios([write_scenario(steps, head)], {}, require_values=False)[0]
        return asyncio.run(run_scenario(scenario, run_options))

    return run
