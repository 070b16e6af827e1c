"""The work of lib.js on large pages, counted by the browser itself: it grows with the number of buttons, not with its square."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

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
