"""The one place that wires settings, store, emulator and application, and opens the socket."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

import orjson

from mock_klarna.callbacks import Deliveries, Runner
from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.domain.records import ButtonKey
from mock_klarna.emulator import Emulator
from mock_klarna.settings import Settings, SettingsError
from mock_klarna.store.base import Store, open_store
from mock_klarna.validation import shared_contract
from mock_klarna.web.app import build
from mock_klarna.web.auth import Credentials
from mock_klarna.web.rate_limits import RateLimits
from mock_klarna.web.request import Services
from mock_klarna.web.sockets import Listening, listening

if TYPE_CHECKING:
    from mock_klarna.certificates import Https


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts requests: where it is, and what it is made of; `tls_url` is None without `--tls`."""

    url: str
    port: int
    services: Services
    tls_url: str | None = None


def serve(settings: Settings | None = None) -> "Serving":
    """Serve the emulator in the running loop; it accepts requests inside the `async with` and is gone after it.

    Raises OSError when an address cannot be bound, `SettingsError` for certificates, folders and files that cannot be used,
    and what `open_store` raises.
    """
    return Serving(settings or Settings())


class Serving(AbstractAsyncContextManager[Running]):
    """A server that is there inside an `async with`; a plain `with` is told what it needs."""

    def __init__(self, settings: Settings) -> None:
        self._served = _serving(settings)

    async def __aenter__(self) -> Running:
        """Begin to serve."""
        return await self._served.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End it."""
        return await self._served.__aexit__(kind, fault, trace)

    def __enter__(self) -> NoReturn:
        """Refuse; raises TypeError."""
        raise TypeError(
            "serve() runs in an event loop: use `async with serve()`, or without a loop `with serve_in_thread()`"
        )

    def __exit__(self, *_: object) -> None:
        """Never happens, but `with` looks for it first."""


@asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[Running]:
    _require_use(settings)
    tls = _https(settings)
    async with AsyncExitStack() as stack:
        store = open_store(settings)
        stack.push_async_callback(store.close)
        services = _wired(settings, store, stack)
        await stack.enter_async_context(_working(services.runner))
        services.authority = tls.authority if tls else None
        if settings.separate_regions:
            services.credentials.remember({button.merchant for button in await store.records(ButtonKey, None)})
        bound = await stack.enter_async_context(listening(build(services), settings, tls.context if tls else None))
        stack.enter_context(_announced(settings.ready_file, bound))
        yield Running(bound.url, bound.port, services, bound.tls_url)


def _require_use(settings: Settings) -> None:
    """Refuse settings that would be passed over in silence."""
    if settings.scenarios and not Path(settings.scenarios).is_dir():
        raise SettingsError(f"--scenarios: {settings.scenarios!r} is not a folder that exists")
    for flag, file in (("--tls-cert", settings.tls_cert), ("--tls-key", settings.tls_key)):
        if file and not settings.tls:
            raise SettingsError(f"{flag}: {file!r} is not used without --tls; give --tls too, or leave it out")


def _https(settings: Settings) -> "Https | None":
    if not settings.tls:
        return None
    from mock_klarna.certificates import https

    return https(settings)


def _wired(settings: Settings, store: Store, stack: AsyncExitStack) -> Services:
    contract = shared_contract(strict=settings.strict)
    emulator = Emulator(store, settings, time.time, settings.seed or token_hex(8))
    client = MerchantClient(settings)
    stack.push_async_callback(client.close)
    deliveries = Deliveries(emulator, contract, client)
    runner = Runner(emulator, deliveries)
    limits = RateLimits(settings.rate_limit, time.time) if settings.rate_limit else None
    credentials = Credentials(settings.credentials, separate_regions=settings.separate_regions)
    return Services(settings, contract, emulator, deliveries, runner, credentials, time.time(), limits)


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


@contextmanager
def _announced(ready_file: str, bound: Listening) -> Iterator[None]:
    """Write the ready file by renaming, so that who sees it sees all of it, and remove it at the end."""
    if not ready_file:
        yield
        return
    path, said = Path(ready_file), {"url": bound.url, "port": bound.port, "pid": os.getpid()}
    said |= {"tls_url": bound.tls_url, "tls_port": bound.tls_port} if bound.tls_url else {}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(orjson.dumps(said))
        draft.replace(path)
    except OSError as fault:
        draft.unlink(missing_ok=True)
        hint = "a path in a folder that exists and can be written"
        raise SettingsError(f"--ready-file: cannot write {ready_file!r}: {fault.strerror}; name {hint}") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


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
            yield ThreadedServer(running.url, running.port, loop, running.tls_url)
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
    tls_url: str | None = None
