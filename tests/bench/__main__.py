"""The benchmarks: `python -m tests.bench` prints a report in Markdown.

It needs wrk, except for `--cpu`, `--start`, `--store`, `--memory` and `--dashboard`.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path

import orjson

from tests.bench import cpu, dashboard, memory, processes, state, stores, wrk

PREFIX = f"{state.AUTHORIZATIONS}/"


def send(url: str, method: str, body: bytes | None) -> bytes:
    """Send one request and return the answer's body."""
    request = urllib.request.Request(url, data=body, method=method, headers=state.HEADERS)
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def start_up(loop: str, rounds: int) -> None:
    """Compare the time from process start to the first healthy answer."""
    ours, bare = [], []
    for _ in range(rounds):
        port = processes.free_port()
        bare.append(processes.start(processes.bare(port, loop), port, state.authorized_order()))
        port = processes.free_port()
        ours.append(processes.start(processes.emulator(port, loop), port))
    for name, kind in (("cold start to first healthy answer", "clock"), ("the same, CPU time", "cpu")):
        times, others = ([getattr(each, kind) for each in starts] for starts in (ours, bare))
        median, least = statistics.median(times), min(times) / min(others)
        ratios = f"{median / statistics.median(others):.2f} x bare, {least:.2f} x at best"
        print(f"| {name} | {median * 1000:.0f} ms | {ratios} |")


def endpoints(folder: Path, loop: str, seconds: int, count: int) -> None:
    """Compare GET authorization and POST orders at 32 connections with a bare handler."""
    tokens, order = folder / "tokens", folder / "order.json"
    tokens.write_text("\n".join(state.tokens(count)))
    order.write_bytes(state.order())
    get = wrk.script(folder / "get.lua", "GET", PREFIX, "", tokens, state.HEADERS, None)
    post = wrk.script(folder / "post.lua", "POST", PREFIX, "/orders", tokens, state.HEADERS, order)
    bare_port, our_port = processes.free_port(), processes.free_port()
    with (
        processes.process(*processes.bare(bare_port, loop), given=state.authorized_order()),
        processes.process(*processes.emulator(our_port, loop)),
    ):
        send(f"http://127.0.0.1:{our_port}/_mock/snapshot", "PUT", state.snapshot(count, time.time()))
        for name, lua in (("GET authorization", get), ("POST orders", post)):
            bare = wrk.run(f"http://127.0.0.1:{bare_port}", lua, seconds=seconds)
            ours = wrk.run(f"http://127.0.0.1:{our_port}", lua, seconds=seconds)
            print(
                f"| {name}, 32 connections | {ours.rate:.0f}/s, p50 {ours.p50:.2f} ms, p99 {ours.p99:.2f} ms, "
                f"refused {ours.refused} | {ours.rate / bare.rate:.2f} x bare ({bare.rate:.0f}/s) |"
            )


def purchases(folder: Path, loop: str, seconds: int, orders: int) -> None:
    """Measure whole purchases with the demo shop in a process of its own, at first and after many orders; and memory."""
    port, shop_port = processes.free_port(), processes.free_port()
    url, shop = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{shop_port}"
    with processes.process(*processes.emulator(port, loop)) as emulator:
        idle = processes.resident_megabytes(emulator.pid)
        print(f"| memory, idle | {idle:.1f} MB | |")
        with processes.process("-m", "mock_klarna", "shop", "--klarna", url, "--port", str(shop_port)):
            urls = {
                "place_order": f"{shop}/klarna/place-order?merchant={state.MERCHANT}&then=place_unchecked",
                "terms": f"{shop}/terms",
                "confirmation": f"{shop}/thanks",
            }
            send(url + state.BUTTONS, "POST", orjson.dumps({"merchant_urls": urls}))
            lua = _purchase_script(folder)
            first = wrk.run(url, lua, seconds=seconds, connections=16)
            _report("whole purchases with the demo shop, 16 shoppers at once", first)
            _callback_arrival(url)
            _many(url, lua, orders)
            last = wrk.run(url, lua, seconds=seconds, connections=16)
            _report(f"the same after {_orders(url):,} orders ({last.rate / first.rate:.2f} of the first rate)", last)
        grown = processes.resident_megabytes(emulator.pid)
        print(
            f"| memory after {_orders(url):,} purchases | {grown:.0f} MB | {(grown - idle) * 1024 / _orders(url):.1f} kB an order |"
        )


def _purchase_script(folder: Path) -> Path:
    no_token, body = folder / "no-token", folder / "purchase.json"
    no_token.write_text("\n")
    body.write_bytes(state.purchase())
    return wrk.script(folder / "purchase.lua", "POST", "/_mock/purchases", "", no_token, state.HEADERS, body)


def _report(name: str, load: wrk.Load) -> None:
    print(f"| {name} | {load.rate:.0f}/s, p50 {load.p50:.1f} ms, p99 {load.p99:.1f} ms, refused {load.refused} | |")


def _many(url: str, lua: Path, orders: int) -> None:
    while _orders(url) < orders:
        wrk.run(url, lua, seconds=10, connections=16)


def _orders(url: str) -> int:
    return int(orjson.loads(send(f"{url}/_mock/health", "GET", None))["orders"])


def _callback_arrival(url: str) -> None:
    """Measure, one shopper at a time, from the final button to the merchant's answer to `place_order`."""
    body = state.purchase()
    times = []
    for _ in range(200):
        purchase = orjson.loads(send(f"{url}/_mock/purchases", "POST", body))
        journal = orjson.loads(
            send(f"{url}/_mock/journal?purchase_id={purchase['purchase_id']}&name=create_order", "GET", None)
        )
        authorized = orjson.loads(
            send(f"{url}/_mock/journal?purchase_id={purchase['purchase_id']}&name=purchase_authorized", "GET", None)
        )
        times.append(_seconds(journal) - _seconds(authorized))
    ordered = sorted(times)
    print(
        f"| authorized to the merchant's POST orders recorded | p50 {statistics.median(ordered) * 1000:.1f} ms, "
        f"p99 {ordered[int(len(ordered) * 0.99)] * 1000:.1f} ms | |"
    )


def _seconds(journal: dict[str, list[dict[str, str]]]) -> float:
    return datetime.fromisoformat(journal["entries"][0]["at"]).timestamp()


def cpu_times(loop: str, requests: int) -> None:
    """Print the CPU time per request."""
    print("| request | CPU time, µs | beyond the bare handler, µs |\n|---|---|---|", flush=True)
    for row in cpu.measure(requests, loop):
        print(row, flush=True)


def main() -> None:
    """Run the selected benchmarks and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="store_true", help="measure only the CPU time per request")
    parser.add_argument("--start", action="store_true", help="measure only the cold start")
    parser.add_argument("--requests", type=int, default=2_000, help="requests in each round of --cpu (default 2000)")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of each load (default 5)")
    parser.add_argument("--orders", type=int, default=100_000, help="orders before the last load (default 100000)")
    parser.add_argument("--starts", type=int, default=7, help="starts of each server (default 7)")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="uvloop", help="event loop of all servers")
    parser.add_argument(
        "--store", help="measure only what this store costs: statements for each request, CPU for each commit"
    )
    parser.add_argument("--memory", action="store_true", help="measure only what an order costs in memory")
    parser.add_argument("--dashboard", action="store_true", help="measure only what the dashboard costs, with Chromium")
    arguments = parser.parse_args()
    loop = arguments.loop
    if arguments.store:
        asyncio.run(stores.measure(arguments.store))
        return
    if arguments.memory:
        asyncio.run(memory.measure())
        return
    if arguments.cpu:
        cpu_times(loop, arguments.requests)
        return
    if arguments.dashboard:
        print("| what | measured |\n|---|---|", flush=True)
        asyncio.run(dashboard.measure(loop, arguments.requests))
        return
    print("| what | measured | ratio |\n|---|---|---|", flush=True)
    start_up(loop, arguments.starts)
    if arguments.start:
        return
    with tempfile.TemporaryDirectory() as name:
        endpoints(Path(name), loop, arguments.seconds, 40_000)
        purchases(Path(name), loop, arguments.seconds, arguments.orders)


if __name__ == "__main__":
    main()
