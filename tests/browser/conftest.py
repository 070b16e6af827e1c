"""A browser, a tab whose console must stay free of errors, and a shop on another origin whose pages load lib.js.

The tests share one browser and so one loop: each module says `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from mock_klarna import MockKlarna
from tests.browser import shop as shops
from tests.browser.chromium import launched

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

Json = dict[str, Any]
Product = Callable[..., str]
LIBRARY = "/instantshopping/lib/v1/lib.js"
TIMEOUT_MS = 60_000
"""How long a condition may take on a machine that has much else to do."""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="teal"/></svg>'
"""What the tab gets from the internet: carts name pictures there."""
WATCHDOG_SECONDS = 300.0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> "AsyncIterator[Browser]":
    """Chromium, once for all tests of a worker."""
    from playwright.async_api import expect

    expect.set_options(timeout=TIMEOUT_MS)
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def requests_end_with_the_test() -> AsyncIterator[None]:
    """Cancel what waits for an answer that a test never gave: asyncio would report it in the output of another test."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture
def console_errors() -> list[str]:
    """Errors and unhandled rejections that the tab's console has shown; a test that provokes some clears them."""
    return []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(browser: "Browser") -> "AsyncIterator[BrowserContext]":
    """A browser context, once for all tests of a worker: the first page of each context opens a whole browser window."""
    context = await browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    await context.route(re.compile("^https:"), lambda route: route.fulfill(body=PICTURE, content_type="image/svg+xml"))
    await context.new_page()  # keeps the window open between the tests
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tab(context: "BrowserContext", console_errors: list[str], mock_klarna: MockKlarna) -> "AsyncIterator[Page]":
    """A new tab, whose storage and origin are its own, closed before the emulator is reset; errors in its console fail the test."""
    before = context.pages
    page = await context.new_page()
    page.on("pageerror", lambda fault: console_errors.append(str(fault)))
    page.on("console", lambda message: console_errors.append(_error_text(message)) if message.type == "error" else None)
    # what waits for a page without a limit of its own, such as a script or a key, ends with its page
    watchdog = asyncio.get_running_loop().call_later(WATCHDOG_SECONDS, lambda: asyncio.ensure_future(page.close()))
    yield page
    watchdog.cancel()
    for opened in context.pages:
        if opened not in before:
            await opened.close()
    await context.clear_cookies()
    assert console_errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def timed(browser: "Browser", mock_klarna: MockKlarna) -> "AsyncIterator[Page]":
    """A tab whose clock the test moves, in a context of its own, because Playwright replaces the clocks of a whole context."""
    context = await browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    page = await context.new_page()
    await page.clock.install(time=datetime(2030, 1, 1, tzinfo=UTC))
    yield page
    await context.close()


def _error_text(message: "ConsoleMessage") -> str:
    return f"{message.text} ({message.location['url']})"


@pytest.fixture
def shop(mock_klarna: MockKlarna) -> Iterator[shops.Shop]:
    """A shop whose merchant does nothing until a test sets `decide`."""
    with shops.opened() as shop:
        yield shop


@pytest.fixture
def key(mock_klarna: MockKlarna, shop: shops.Shop) -> str:
    """A button key of the shop."""
    created: str = mock_klarna.create_button(merchant_urls=shop.merchant_urls)["button_key"]
    return created


@pytest.fixture
def options(key: str, page: Callable[[str], Any]) -> Json:
    """What the shop's page gives `load()`: the guide's Swedish cart."""
    setup = {"instance_id": "button-1", "key": key, "environment": "production", "region": "eu"}
    return {"setup": setup, **page("se-battery-pack")}


@pytest.fixture
def product_page(mock_klarna: MockKlarna, shop: shops.Shop) -> Product:
    """Makes the product page: `script` runs when lib.js is ready, `body` holds the containers; returns the address."""
    library = mock_klarna.url + LIBRARY
    container = '<klarna-instant-shopping data-instance-id="button-1"></klarna-instant-shopping>'

    def show(script: str = "", body: str = container, **headers: str) -> str:
        shop.show(f"window.answers = [];\nwindow.klarnaAsyncCallback = function () {{ {script} }};", "/page.js")
        head = f'<script src="/page.js"></script><script src="{library}" async></script>'
        return shop.show(f"<!doctype html><title>Product</title>{head}{body}<h1>Battery Power Pack</h1>", **headers)

    return show


def load(options: Json, then: str = "answers.push(answer)") -> str:
    """Return the script that loads a button and does something with the answer."""
    return f"Klarna.InstantShopping.load({json.dumps(options)}, function (answer) {{ {then} }});"
