"""The files in `docs/examples`: each shop sells, and each test passes with the runner of its language."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bench.processes import free_port
from tests.browser.chromium import ARGUMENTS, INSTALLED
from tests.commands import command_process
from tests.documentation import curl
from tests.documentation.conftest import Sandbox
from tests.documentation.pages import ROOT, blocks

pytestmark = pytest.mark.process

EXAMPLES = ROOT / "docs" / "examples"
NODE_PACKAGES = ROOT / ".ci" / "javascript" / "node_modules"
_DEBIAN = {"node": "nodejs", "php": "php-cli", "java": "default-jdk-headless"}
_MAX_LINES = 15
_SECONDS = 300
_DJANGO = """
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, STATIC_URL="static/")
"""
_PLAYWRIGHT = """
export default { timeout: 240_000, expect: { timeout: 60_000 }, use: { launchOptions: { executablePath: "%s", args: %s } } };
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples, beside the packages of npm."""
    (tmp_path / "node_modules").symlink_to(NODE_PACKAGES)
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples"))


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    """Run a command in a folder and return what it prints; raises AssertionError if it fails."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "MOCK_KLARNA_"))}
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**inherited, "PATH": path, "MOCK_KLARNA_CALLBACK_TIMEOUT": "60", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def require(found: object, what: str) -> None:
    """Skip the test if something is missing on this machine; in continuous integration fail it."""
    if found:
        return
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(what)
    pytest.skip(what)


def require_program(name: str) -> None:
    """Skip the test if a program is missing on this machine; in continuous integration fail it."""
    require(shutil.which(name), f"there is no {name}: Debian's package is {_DEBIAN[name]}")


def require_node_package(name: str) -> None:
    """Skip the test if a package of npm is missing; in continuous integration fail it."""
    require_program("node")
    require((NODE_PACKAGES / name).exists(), f"there is no {name}: .ci/javascript/install installs it")


@contextmanager
def merchant(program: str, klarna: str, folder: Path) -> Iterator[str]:
    """Start a shop with its command on the page, on a free port, and give its address once it answers."""
    (line,) = (line for block in blocks("console") for line in block.code.splitlines() if line.split()[:1] == [program])
    port = str(free_port())
    words = line.replace("3000", port).split()
    command = [sys.executable, "-m", *words] if program == "flask" else words
    variables = {**os.environ, "KLARNA_URL": klarna, "PORT": port}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log) as shop,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, shop, folder / "log")
            yield address
        finally:
            shop.terminate()


def _wait_for(address: str, shop: subprocess.Popen[bytes], log: Path) -> None:
    """Return once a shop answers, with whatever status; raises AssertionError if its process ends."""

    def answers() -> bool:
        try:
            urllib.request.urlopen(address).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            assert shop.poll() is None, log.read_text()
            return False
        return True

    _wait_until(answers)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def bought(sandbox: Sandbox, shop: str) -> Any:
    """Create a button key whose callbacks go to a shop, and return a purchase with it."""
    urls = {"place_order": f"{shop}/klarna/place-order", "terms": f"{shop}/terms"}
    curl.requested("POST", f"{sandbox.klarna}/instantshopping/v1/buttons", {"merchant_urls": urls})
    wanted = {"cart": "se-battery-pack", "shopper": "se-approved", "wait": 60}
    return curl.requested("POST", f"{sandbox.klarna}/_mock/purchases", wanted)[2]


@pytest.mark.parametrize("program", ["flask", "node", "php"])
def test_the_shop_of_each_language_places_the_order(program: str, sandbox: Sandbox, folder: Path) -> None:
    if program == "node":
        require_node_package("express")
    elif program == "php":
        require_program("php")
    with merchant(program, sandbox.klarna, folder) as shop:
        purchase = bought(sandbox, shop)
        assert purchase["state"] == "placed", (folder / "log").read_text()
        _wait_until(lambda: f"placed {purchase['order_id']}" in (folder / "log").read_text())


@pytest.mark.parametrize("file", ["merchant.py", "merchant.js", "merchant.php"])
def test_each_shop_has_fifteen_lines(file: str) -> None:
    lines = [line for line in (EXAMPLES / file).read_text().splitlines() if line.strip() not in ("", "<?php")]
    assert len(lines) <= _MAX_LINES


def test_the_tests_for_flask_django_and_aiohttp_pass(folder: Path) -> None:
    (folder / "conftest.py").write_text(_DJANGO)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    printed = run([sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:randomly"], folder)
    assert "3 passed" in printed
    assert "warning" not in printed


def test_the_test_for_nodes_test_runner_passes(folder: Path) -> None:
    require_program("node")
    assert "# pass 1" in run(["node", "--test", "--test-reporter=tap", "purchase.test.mjs"], folder)


def test_the_program_in_java_buys(folder: Path, sandbox: Sandbox) -> None:
    require_program("java")
    assert run(["java", "Purchase.java"], folder, KLARNA_URL=sandbox.klarna) == "placed\n"
    (attempt,) = curl.requested("GET", f"{sandbox.klarna}/_mock/journal?kind=callback&wait=60")[2]["entries"]
    assert (attempt["name"], attempt["status"]) == ("place_order", 200)


def test_the_test_for_playwright_passes(folder: Path, sandbox: Sandbox) -> None:
    require_node_package("@playwright/test")
    found = os.environ.get("PLAYWRIGHT_CHROMIUM") or next((str(path) for path in INSTALLED if path.exists()), "")
    require(found, "there is no Chromium: Debian's package is chromium, PLAYWRIGHT_CHROMIUM names one")
    (folder / "playwright.config.mjs").write_text(_PLAYWRIGHT % (found, list(ARGUMENTS)))
    program = NODE_PACKAGES / ".bin" / "playwright"
    with command_process("shop", "--klarna", sandbox.klarna) as shop:
        assert shop.stdout is not None
        url = re.findall(r"ready at (\S+)", shop.stdout.readline())[0]
        assert "1 passed" in run([program, "test", "checkout.spec.mjs"], folder, SHOP_URL=url)


def test_the_file_for_cypress_is_javascript(folder: Path) -> None:
    require_program("node")
    run(["node", "--check", "checkout.cy.js"], folder)
