"""Finds and starts the browser of these tests."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserType

INSTALLED = tuple(map(Path, ("/usr/bin/chromium", "/usr/bin/google-chrome")))
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Arguments for a browser in a container that connects to the tests only."""
START_MS = 180_000
"""How long the browser may take to start on a machine that has much else to do."""


@asynccontextmanager
async def launched(*arguments: str) -> AsyncIterator["Browser"]:
    """Start Chromium: that of PLAYWRIGHT_CHROMIUM, else the system's, else the one that `playwright install chromium` fetched."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        missing("the package playwright is not installed; it is in the extra `test`")
    async with async_playwright() as playwright:
        found = executable(playwright.chromium)
        if not found.exists():
            missing(f"no Chromium at {found}; `playwright install chromium` fetches one, PLAYWRIGHT_CHROMIUM names one")
        browser = await playwright.chromium.launch(
            executable_path=found, args=[*ARGUMENTS, *arguments], timeout=START_MS
        )
        yield browser
        await browser.close()


def executable(chromium: "BrowserType") -> Path:
    """Return the browser's program, which may be missing."""
    if os.environ.get("PLAYWRIGHT_CHROMIUM"):
        return Path(os.environ["PLAYWRIGHT_CHROMIUM"])
    return next((path for path in INSTALLED if path.exists()), Path(chromium.executable_path))


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where it must not be skipped: in continuous integration."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)
