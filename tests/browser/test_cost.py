"""What lib.js and the dialog cost, counted by the browser itself: the work on large pages, and what opening the dialog loads."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import TIMEOUT_MS, load
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Product = Callable[..., str]
CONTAINER = "<klarna-instant-shopping data-instance-id={}></klarna-instant-shopping>"
LOAD_ALL = """async ([options, count]) => {
    const { InstantShopping } = Klarna;
    const started = performance.now();
    const loads = [...Array(count).keys()].map((id) => new Promise((done) => {
        InstantShopping.on("buy_button_clicked", () => {}, { setup: { instance_id: id } });
        InstantShopping.load({ ...options, setup: { ...options.setup, instance_id: id } }, done);
    }));
    const shown = (await Promise.all(loads)).filter((answer) => answer.show_button).length;
    return [shown, performance.now() - started];
}"""
COUNTED = ("querySelector", "querySelectorAll", "getElementsByTagName", "createElement", "attachShadow", "replaceSync")
COUNT = f"""
window.calls = 0;
for (const type of [Document, Element, CSSStyleSheet]) for (const name of {list(COUNTED)}) {{
    const original = type.prototype[name];
    if (original) type.prototype[name] = function (...given) {{ calls += 1; return original.apply(this, given); }};
}}
const observe = MutationObserver.prototype.observe;
window.observed = 0;
MutationObserver.prototype.observe = function (...given) {{ observed += 1; return observe.apply(this, given); }};
"""


async def loaded(tab: "Page", product_page: Product, options: Json, count: int) -> float:
    """Show a page with buttons and return the seconds until all are drawn; the time of the server is not in them."""
    body = "".join(map(CONTAINER.format, range(count)))
    await tab.goto(product_page("", body))
    offer = await tab.evaluate(
        "async ([url, options]) => (await fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'},"
        "body: JSON.stringify({options, page_url: location.href})})).json()",
        [await tab.evaluate("document.scripts[1].src.replace('lib/v1/lib.js', 'sdk/load')"), options],
    )
    await tab.evaluate("(offer) => { window.fetch = async () => ({ status: 200, json: async () => offer }) }", offer)
    shown, milliseconds = await tab.evaluate(LOAD_ALL, [options, count])
    assert shown == count
    return float(milliseconds) / 1000


async def test_the_work_for_a_thousand_buttons_is_ten_times_that_for_a_hundred(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.add_init_script(COUNT)
    calls, seconds = {}, {}
    for count in (100, 1000):
        seconds[count] = await loaded(tab, product_page, options, count)
        calls[count] = await tab.evaluate("calls")
    assert calls[1000] <= 11 * calls[100], calls
    assert calls[1000] <= 8 * 1000, calls
    assert 0 < seconds[1000] < 3


async def test_a_page_with_a_thousand_buttons_changes_as_fast_as_without_them(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.add_init_script(COUNT)
    await loaded(tab, product_page, options, 1000)
    change = """async (count) => {
        const before = calls;
        const started = performance.now();
        for (let at = 0; at < count; at += 1) {
            const box = document.body.appendChild(document.createElement("p"));
            await Promise.resolve();
            box.remove();
            await Promise.resolve();
        }
        return [calls - before - count, observed, performance.now() - started];
    }"""
    *more, milliseconds = await tab.evaluate(change, 1000)
    assert more == [0, 0]
    assert 0 < milliseconds < 2000, "1 ms for each of 2,000 changes"


class Traffic:
    """The requests that a page and its frames of the same site send to a server, preflights included, and the bytes received."""

    def __init__(self, cdp: "CDPSession", server: str) -> None:
        self.sent: dict[str, str] = {}
        self.received: dict[str, int] = {}
        self.server = server
        cdp.on("Network.requestWillBeSent", self.keep_request)
        cdp.on("Network.loadingFinished", self.keep_size)
        self.changed = asyncio.Event()

    def keep_request(self, event: Json) -> None:
        address = event["request"]["url"]
        if address.startswith(self.server):
            self.sent[event["requestId"]] = f"{event['request']['method']} {address.removeprefix(self.server)}"

    def keep_size(self, event: Json) -> None:
        self.received[event["requestId"]] = event["encodedDataLength"]
        self.changed.set()

    async def open_dialog(self, tab: "Page") -> list[tuple[str, int]]:
        """Open the dialog and return the bytes of each request from the click until the dialog is ready and nothing is loading."""
        button = tab.locator("klarna-instant-shopping button")
        await button.wait_for()
        self.sent.clear()
        await button.click()
        await expect(tab.locator("mock-klarna-overlay dialog.ready")).to_be_visible(timeout=TIMEOUT_MS)
        async with asyncio.timeout(TIMEOUT_MS / 1000):
            while self.sent.keys() - self.received.keys():
                self.changed.clear()
                await self.changed.wait()
        return [(request, self.received[number]) for number, request in self.sent.items()]


async def test_the_dialog_opens_with_eight_requests_and_forty_kilobytes(
    browser: "Browser", product_page: Product, options: Json, mock_klarna: MockKlarna, shop: Shop
) -> None:
    shop.url = shop.url.replace(
        "localhost", "127.0.0.1"
    )  # the site of the server: one process has the page and the frame
    context = await browser.new_context()  # with an empty cache
    try:
        tab = await context.new_page()
        cdp = await context.new_cdp_session(tab)
        await cdp.send("Network.enable")
        traffic = Traffic(cdp, mock_klarna.url)
        await tab.goto(product_page(load(options)))
        cold = await traffic.open_dialog(tab)
        await tab.reload()
        warm = await traffic.open_dialog(tab)
    finally:
        await context.close()
    assert len(cold) <= 8, cold
    assert 1_000 < sum(size for _, size in cold) <= 40_000, cold
    assert sum("/dialog/main.js" in request for request, _ in cold) == 1, cold
    assert {size for request, size in warm if "/instantshopping/static" in request} == {0}, warm
