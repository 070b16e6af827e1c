"""What the dashboard costs: the server's CPU time while somebody watches, and the work of the page with many purchases."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench import cpu, processes, state
from tests.browser.chromium import launched

if TYPE_CHECKING:
    from playwright.async_api import Page

PURCHASES = 10_000
_RATE, _SECONDS = 100, 10
_OBSERVE = """
window.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: "longtask" });
new MutationObserver(() => {
    if (!window.firstRow && document.querySelector(".row")) window.firstRow = performance.now();
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


def watching(requests: int, loop: str) -> Iterator[cpu.Row]:
    """Yield the CPU time of a POST without and with an open stream of events; the rounds alternate."""
    port = processes.free_port()
    with ExitStack() as stack:
        server = stack.enter_context(processes.process(*processes.emulator(port, loop)))
        load = cpu.Load(port, stack)
        tokens = state.tokens(requests * cpu.ROUNDS * 2)
        load.send([state.request("PUT", "/_mock/snapshot", state.snapshot(len(tokens), time.time()))])
        posts = iter(
            [state.request("POST", f"{state.AUTHORIZATIONS}/{token}/orders", state.order()) for token in tokens]
        )
        alone, watched = list[float](), list[float]()
        for _ in range(cpu.ROUNDS):
            alone.append(_seconds(server.pid, load, posts, requests))
            with _watcher(port):
                watched.append(_seconds(server.pid, load, posts, requests))
    yield cpu.Row("POST orders, nobody watches", min(alone))
    yield cpu.Row("POST orders, a dashboard is open", min(watched), min(watched) - min(alone))


def _seconds(pid: int, load: cpu.Load, posts: Iterator[bytes], count: int) -> float:
    """Return the microseconds of CPU time of a request."""
    batch = [next(posts) for _ in range(count)]
    before = processes.cpu_seconds(pid)
    load.send(batch)
    return (processes.cpu_seconds(pid) - before) / count * 1e6


@contextmanager
def _watcher(port: int) -> Iterator[None]:
    """Read the stream that the dashboard reads, from now on."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        health = state.request("GET", "/_mock/journal?order=newest&limit=1")
        connection.sendall(health)
        position = orjson.loads(connection.recv(1 << 20).partition(b"\r\n\r\n")[2])["position"]
        connection.sendall(state.request("GET", f"{STREAM}&after={position}"))
        connection.recv(1 << 10)
        reader = Thread(target=_read, args=(connection,))
        reader.start()
        yield
        connection.shutdown(socket.SHUT_RDWR)
        reader.join()


def _read(connection: socket.socket) -> None:
    while connection.recv(1 << 20):
        pass


STREAM = "/_mock/events?merchant=bench&interval=0.25&detail=summary"


async def page() -> None:
    """Print what Chromium does with many purchases: the first rows, scrolling, and a stream of entries."""
    port = processes.free_port()
    with processes.process(*processes.emulator(port, "uvloop")) as server, ExitStack() as stack:
        load = cpu.Load(port, stack)
        load.send([state.request("PUT", "/_mock/snapshot", state.snapshot(PURCHASES, time.time()))])
        tokens = state.tokens(PURCHASES)
        load.send([state.request("GET", f"{state.AUTHORIZATIONS}/{token}") for token in tokens])
        async with launched() as browser:
            tab = await browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True)
            await tab.add_init_script(_OBSERVE)
            for name in ("first visit", "second visit"):
                before = processes.cpu_seconds(server.pid)
                await tab.goto(f"http://127.0.0.1:{port}/")
                await tab.wait_for_function("window.firstRow")
                print(f"| {name}: first rows | {await tab.evaluate('firstRow'):.0f} ms |")
                await tab.wait_for_function("document.querySelector('#count').textContent.startsWith('10000 ')")
                await tab.wait_for_timeout(3000)
                print(f"| {name}: long tasks while loading | {await _tasks(tab)} |")
                print(
                    f"| {name}: CPU time of the server | {(processes.cpu_seconds(server.pid) - before) * 1000:.0f} ms |"
                )
            await tab.evaluate(_SCROLL)
            print(f"| scrolling 300 frames | {await _tasks(tab)} |")
            before = processes.cpu_seconds(server.pid)
            requests: list[str] = []
            tab.on("request", lambda request: requests.append(request.url))
            for number in range(_RATE * _SECONDS // 10):
                batch = [
                    state.request("GET", f"{state.AUTHORIZATIONS}/{token}") for token in tokens[number * 10 :][:10]
                ]
                await asyncio.to_thread(load.send, batch)
                await asyncio.sleep(10 / _RATE)
            print(f"| {_RATE} exchanges/s for {_SECONDS} s | {await _tasks(tab)}, {len(requests)} requests |")
            requests.clear()
            load.send(
                [
                    state.request(
                        "POST",
                        state.BUTTONS,
                        orjson.dumps(
                            {
                                "merchant_urls": {
                                    n: f"https://shop.example/{n}" for n in ("place_order", "terms", "confirmation")
                                }
                            }
                        ),
                    )
                ]
            )
            for _ in range(_SECONDS * 10):
                await asyncio.to_thread(
                    load.send, [state.request("POST", "/_mock/purchases", state.purchase(wait=0))] * 2
                )
                await asyncio.sleep(0.1)
            print(f"| 20 purchases/s for {_SECONDS} s | {await _tasks(tab)}, {len(requests)} requests |")
            await tab.locator("#list").evaluate("list => { list.scrollTop = 0 }")


async def _tasks(tab: "Page") -> str:
    tasks: list[Any] = await tab.evaluate("tasks.splice(0)")
    return f"{len(tasks)} tasks above 50 ms: {[round(task) for task in tasks]}"


if __name__ == "__main__":
    print("| what | measured |\n|---|---|", flush=True)
    asyncio.run(page())
    for row in watching(500, "uvloop"):
        print(row, flush=True)
