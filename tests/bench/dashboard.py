"""What the dashboard costs: the work of the page with many purchases, and the CPU time of the server while the page is open."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import orjson

from tests.bench import cpu, processes, state
from tests.browser.chromium import launched

if TYPE_CHECKING:
    from playwright.async_api import Page

_PURCHASES = 10_000
_SECONDS = 10
_OBSERVE = """
window.tasks = [];
const keep = (list) => tasks.push(...list.getEntries().map((task) => Math.round(task.duration)));
new PerformanceObserver(keep).observe({ type: "longtask" });
new MutationObserver(() => {
    if (!window.firstRow && document.querySelector(".row")) window.firstRow = Math.round(performance.now());
}).observe(document, { childList: true, subtree: true });
"""
_SCROLL = """async () => {
    const list = document.querySelector("#list");
    for (const step of [40, 400, 4000]) {
        list.scrollTop = 0;
        for (let frame = 0; frame < 100; frame += 1) {
            list.scrollTop += step;
            await new Promise(requestAnimationFrame);
        }
    }
}"""
_URLS = {name: f"http://127.0.0.1:1/{name}" for name in ("place_order", "terms", "confirmation")}


class _Server:
    """An emulator with purchases, and requests that are sent to it while the page is open."""

    def __init__(self, stack: ExitStack, loop: str, purchases: int) -> None:
        self.port = processes.free_port()
        self.pid = stack.enter_context(processes.process(*processes.emulator(self.port, loop))).pid
        self.load = cpu.Load(self.port, stack)
        self.tokens = state.tokens(purchases)
        self.load.send([state.request("PUT", "/_mock/snapshot", state.snapshot(purchases, time.time()))])
        self.load.send([state.request("POST", state.BUTTONS, orjson.dumps({"merchant_urls": _URLS}))])

    def read(self, token: str) -> bytes:
        """Return the request that reads an authorization: one exchange in the journal."""
        return state.request("GET", f"{state.AUTHORIZATIONS}/{token}")

    async def send(self, requests: list[bytes], rate: int) -> None:
        """Send requests at a rate per second."""
        for start in range(0, len(requests), rate // 10):
            await asyncio.to_thread(self.load.send, requests[start : start + rate // 10])
            await asyncio.sleep(0.1)


async def measure(loop: str, requests: int) -> None:
    """Print the report."""
    async with launched() as browser:
        with ExitStack() as stack:
            server = _Server(stack, loop, _PURCHASES)
            tab = await browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True)
            await _measure_page(tab, server)
            await tab.close()
        with ExitStack() as stack:
            tab = await browser.new_page()
            await _measure_watching(tab, _Server(stack, loop, requests * cpu.ROUNDS * 2), requests)


async def _measure_page(tab: "Page", server: _Server) -> None:
    server.load.send(map(server.read, server.tokens))  # 10,000 entries of the journal
    await tab.add_init_script(_OBSERVE)
    address = f"http://127.0.0.1:{server.port}/"
    await tab.goto(address)  # combines the modules, once for each server
    for _ in range(3):
        async with _reported(tab, "opening, until all purchases are in the list") as result:
            before = processes.cpu_seconds(server.pid)
            await tab.goto(address)
            await tab.wait_for_selector(f'.row[aria-setsize="{_PURCHASES}"]')
            used = (processes.cpu_seconds(server.pid) - before) * 1000
            result += [f"first rows after {await tab.evaluate('firstRow')} ms", f"CPU time of the server {used:.0f} ms"]
    async with _reported(tab, "scrolling through the list, 300 frames"):
        await tab.evaluate(_SCROLL)
    reads = [server.read(token) for token in server.tokens[: 100 * _SECONDS]]
    async with _reported(tab, "100 requests/s for 10 s"):
        await server.send(reads, 100)
    purchases = [state.request("POST", "/_mock/purchases", state.purchase(wait=0))] * (20 * _SECONDS)
    async with _reported(tab, "20 purchases/s for 10 s"):
        await server.send(purchases, 20)
    one = server.tokens[0]
    fetched = await tab.evaluate(f"fetch('/_mock/purchases/{one}').then((answer) => answer.text())")
    purchase_id = orjson.loads(fetched)["purchase_id"]
    async with _reported(tab, "opening a purchase with 1,000 entries"):
        server.load.send([server.read(one)] * 1000)
        await tab.goto(f"{address}?purchase_id={purchase_id}")
        await tab.locator("#earlier").wait_for()
    async with _reported(tab, "100 further entries/s of it for 10 s"):
        await server.send([server.read(one)] * (100 * _SECONDS), 100)


@asynccontextmanager
async def _reported(tab: "Page", name: str) -> AsyncIterator[list[str]]:
    """Print how many requests the page sends, and its tasks of more than 50 ms."""
    sent, result = list[str](), list[str]()

    def count(request: object) -> None:
        sent.append(str(request))

    tab.on("request", count)
    yield result
    tab.remove_listener("request", count)
    tasks = await tab.evaluate("tasks.splice(0)")
    print(f"| {name} | {'; '.join([*result, f'{len(sent)} requests, tasks above 50 ms: {tasks or 0}'])} |", flush=True)


async def _measure_watching(tab: "Page", server: _Server, requests: int) -> None:
    """Print the CPU time of a POST while nobody watches and while the page is open; the rounds alternate."""
    posts = iter(
        [state.request("POST", f"{state.AUTHORIZATIONS}/{token}/orders", state.order()) for token in server.tokens]
    )
    alone, watched = list[float](), list[float]()
    for _ in range(cpu.ROUNDS):
        alone.append(_post(server, posts, requests))
        await tab.goto(f"http://127.0.0.1:{server.port}/?merchant={state.MERCHANT}")
        await tab.locator("#live.on").wait_for()
        await tab.wait_for_timeout(2000)
        watched.append(await asyncio.to_thread(_post, server, posts, requests))
        await tab.goto("about:blank")
    ratio = statistics.median(other / one for one, other in zip(alone, watched, strict=True))
    times = f"{min(alone):.0f} µs, {min(watched):.0f} µs; {(ratio - 1) * 100:+.1f} % in the median"
    print(f"| CPU time of POST orders, the page is closed or open | {times} |")


def _post(server: _Server, posts: Iterator[bytes], count: int) -> float:
    """Return the microseconds of CPU time of a request."""
    batch = [next(posts) for _ in range(count)]
    before = processes.cpu_seconds(server.pid)
    server.load.send(batch)
    return (processes.cpu_seconds(server.pid) - before) / count * 1e6
