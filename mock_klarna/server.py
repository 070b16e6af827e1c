"""The one place that wires settings, store, emulator and application, and opens the socket."""

import asyncio
import contextlib
import gc
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Thread

import orjson
from aiohttp import web

from mock_klarna.callbacks import Deliveries, Runner
from mock_klarna.callbacks.merchant_client import MerchantClient
from mock_klarna.contract import Contract
from mock_klarna.emulator import Emulator
from mock_klarna.settings import Settings
from mock_klarna.store.opening import open_store
from mock_klarna.store.port import Store
from mock_klarna.web.app import build
from mock_klarna.web.credentials import Credentials
from mock_klarna.web.desk import Desk
from mock_klarna.web.protocol import JsonProtocol

_LAST_WORDS_SECONDS = 0.05
_YOUNG_OBJECTS = 50_000


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts requests: where it is, and what it is made of."""

    url: str
    port: int
    desk: Desk


@asynccontextmanager
async def serve(settings: Settings | None = None) -> AsyncIterator[Running]:
    """Serve the emulator in the running loop; it accepts requests inside the `async with` and is gone after it.

    Raises OSError when the address cannot be bound, and what `open_store` raises.
    """
    settings = settings or Settings()
    async with AsyncExitStack() as stack:
        store = open_store(settings)
        stack.push_async_callback(store.close)
        desk = _wired(settings, store, stack)
        await stack.enter_async_context(_working(desk.runner))
        listening = await stack.enter_async_context(_listening(desk))
        stack.enter_context(_announced(settings.ready_file, listening))
        yield Running(listening.url, listening.port, desk)


def _wired(settings: Settings, store: Store, stack: AsyncExitStack) -> Desk:
    contract = Contract(strict=settings.strict)
    emulator = Emulator(store, settings, time.time, settings.seed or token_hex(8))
    client = MerchantClient(settings)
    stack.push_async_callback(client.close)
    deliveries = Deliveries(emulator, contract, client)
    runner = Runner(emulator, deliveries)
    return Desk(settings, contract, emulator, deliveries, runner, Credentials(settings.credentials), time.time())


@asynccontextmanager
async def _working(runner: Runner) -> AsyncIterator[None]:
    """Keep the background work going, and end it when everything else has ended."""
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        await runner.drain()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True, slots=True)
class _Listening:
    url: str
    port: int


@asynccontextmanager
async def _listening(desk: Desk) -> AsyncIterator[_Listening]:
    """Bind the socket last, so that who can connect is served."""
    settings = desk.settings
    runner = web.AppRunner(build(desk), access_log=None, shutdown_timeout=_LAST_WORDS_SECONDS)
    await runner.setup()
    web_server = runner.server
    assert web_server is not None
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            lambda: JsonProtocol(web_server, loop=loop, access_log=None),  # type: ignore[arg-type]
            settings.host,
            settings.port,
            backlog=1024,
            reuse_address=True,
        )
        port = server.sockets[0].getsockname()[1]
        try:
            yield _Listening(f"http://{_shown(settings.host, server.sockets[0])}:{port}", port)
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _shown(host: str, bound: socket.socket) -> str:
    """Return the host to reach the server at from here: an address that means "all" is shown as loopback."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if bound.family == socket.AF_INET6 and ":" in host else host


@contextmanager
def _announced(ready_file: str, listening: _Listening) -> Iterator[None]:
    """Write the ready file by renaming, so that who sees it sees all of it, and remove it at the end."""
    if not ready_file:
        yield
        return
    path, said = Path(ready_file), {"url": listening.url, "port": listening.port, "pid": os.getpid()}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(orjson.dumps(said))
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def tune_garbage_collection() -> None:
    """Keep what was loaded at start out of every collection, and collect less often (for a process that only serves)."""
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)
    gc.enable()


@contextmanager
def serve_in_thread(settings: Settings | None = None) -> Iterator["ThreadedServer"]:
    """Serve the emulator in a thread of its own, for callers without a loop; raises what `serve` raises."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="mock-klarna", daemon=True)
    thread.start()
    serving = serve(settings or Settings(port=0))
    try:
        running = asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
        try:
            yield ThreadedServer(running.url, running.port, loop)
        finally:
            asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(frozen=True, slots=True)
class ThreadedServer:
    """A server in another thread: where it is, and its loop, on which coroutines can be run beside it."""

    url: str
    port: int
    loop: asyncio.AbstractEventLoop
