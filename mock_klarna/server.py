"""The composition root: it connects settings, store, emulator and application, and opens the sockets."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

import orjson

from mock_klarna.callbacks import Deliveries, DueMerchants, Scheduler
from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.emulator import Context, Emulator
from mock_klarna.emulator.context import JournalObserver
from mock_klarna.settings import Settings, SettingsError, flag_of
from mock_klarna.store.base import Store, open_store
from mock_klarna.threads import LoopThread
from mock_klarna.web.app import build
from mock_klarna.web.auth import Credentials
from mock_klarna.web.rate_limits import RateLimits
from mock_klarna.web.request import Services
from mock_klarna.web.sockets import Listening, listening

if TYPE_CHECKING:
    from mock_klarna.api import MockKlarna, MockKlarnaAsync
    from mock_klarna.certificates import Https
    from mock_klarna.client import Client


class RunningServer:
    """A server that accepts requests: `url`, `port`, `tls_url` (None without the setting `tls`), and the parts it is made of."""

    def __init__(self, listening: Listening, services: Services) -> None:
        self.url = listening.url
        self.port = listening.port
        self.tls_url = listening.tls_url
        self.services = services
        self._client: Client | None = None

    def as_merchant(self, merchant: str | None = None, password: str = "secret") -> "MockKlarnaAsync":  # noqa: S107
        """Return the commands of a merchant: by default the first that the setting `credentials` names, or `mock-merchant`."""
        from mock_klarna.api import MockKlarnaAsync
        from mock_klarna.client import Client

        if self._client is None:
            self._client = Client(self.url, *self.services.settings.default_credentials())
            self._client.open()
        client = self._client if merchant is None else self._client.as_merchant(merchant, password)
        return MockKlarnaAsync(client, self.tls_url)

    async def close_client(self) -> None:
        """Close the connections of all that `as_merchant` returned."""
        if self._client is not None:
            await self._client.close()


def serve(
    settings: Settings | None = None,
    journal_observer: JournalObserver | None = None,
    setting_sources: Mapping[str, str] | None = None,
) -> "ServerContext":
    """Serve the emulator in the running loop; it accepts requests inside the `async with` and stops at its end.

    The observer notices each entry of the journal that this server records, and each refusal of the control API.
    `setting_sources` is what `GET /_mock/settings` says about where settings have their values from.
    Raises OSError when an address cannot be bound, `SettingsError` for certificates, folders and files that cannot be used,
    and what `open_store` raises.
    """
    return ServerContext(settings or Settings(), journal_observer, setting_sources or {})


class ServerContext(AbstractAsyncContextManager[RunningServer]):
    """A server for `async with`; a plain `with` raises a TypeError that says what to use."""

    def __init__(
        self, settings: Settings, journal_observer: JournalObserver | None, setting_sources: Mapping[str, str]
    ) -> None:
        self._context = _serving(settings, journal_observer, setting_sources)

    async def __aenter__(self) -> RunningServer:
        """Start the server."""
        return await self._context.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Stop it."""
        return await self._context.__aexit__(kind, error, trace)

    def __enter__(self) -> NoReturn:
        """Refuse; raises TypeError."""
        raise TypeError(
            "serve() runs in an event loop: use `async with serve()`, or without a loop `with serve_in_thread()`"
        )

    def __exit__(self, *_: object) -> None:
        """Never runs; `with` looks for it before it calls `__enter__`."""


def serve_in_thread(
    settings: Settings | None = None,
    merchant: str | None = None,
    password: str = "secret",  # noqa: S107
) -> "ServerInThread":
    """Serve the emulator in a thread of its own, for callers without a loop.

    The `with` gives the commands of one merchant: by default the first that the setting `credentials` names, or
    `mock-merchant`. `as_merchant` gives those of others. Without settings the server takes any free port. A server that is
    not left stops when the interpreter exits. Raises what `serve` raises.
    """
    return ServerInThread(settings or Settings(port=0), merchant, password)


class ServerInThread(AbstractContextManager["MockKlarna"]):
    """A server in a thread for `with`."""

    def __init__(self, settings: Settings, merchant: str | None, password: str) -> None:
        self._settings = settings
        self._credentials = merchant, password
        self._thread: LoopThread | None = None

    def __enter__(self) -> "MockKlarna":
        """Start the thread and the server."""
        from mock_klarna.api import MockKlarna

        self._thread = thread = LoopThread()
        try:
            running = thread.enter(serve(self._settings))
            started = thread.start(self._commands(running)).result()
        except BaseException:
            thread.stop()
            raise
        return MockKlarna(started.client, thread, started.tls_url)

    async def _commands(self, running: RunningServer) -> "MockKlarnaAsync":
        return running.as_merchant(*self._credentials)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and the thread."""
        if self._thread is not None:
            self._thread.stop()


@asynccontextmanager
async def _serving(
    settings: Settings, journal_observer: JournalObserver | None, setting_sources: Mapping[str, str]
) -> AsyncIterator[RunningServer]:
    _require_usable(settings)
    https = _load_https(settings)
    async with AsyncExitStack() as stack:
        store = open_store(settings)
        stack.push_async_callback(store.close)
        await store.open()
        services = _services(settings, store, stack, https.authority if https else None, journal_observer)
        services.setting_sources = setting_sources
        await stack.enter_async_context(_background_work(services.scheduler))
        bound = await stack.enter_async_context(listening(build(services), settings, https.context if https else None))
        services.http_port = bound.port
        stack.enter_context(_ready_file(settings.ready_file, bound))
        running = RunningServer(bound, services)
        stack.push_async_callback(running.close_client)
        yield running


def _require_usable(settings: Settings) -> None:
    """Raise `SettingsError` for settings that would have no effect."""
    if settings.quiet and settings.verbose:
        raise SettingsError("--quiet: --verbose is given too; leave one of them out")
    if settings.scenarios and not _is_folder(Path(settings.scenarios)):
        raise SettingsError(f"--scenarios: {settings.scenarios!r} is not a folder that exists")
    for name in ("tls_folder", "tls_cert", "tls_key"):
        file = getattr(settings, name)
        if file and not settings.tls:
            raise SettingsError(f"{flag_of(name)}: {file!r} is not used without --tls; give --tls too, or leave it out")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, or one in a folder that cannot be read
        return False


def _load_https(settings: Settings) -> "Https | None":
    if not settings.tls:
        return None
    from mock_klarna.certificates import load_https

    return load_https(settings)


def _services(
    settings: Settings,
    store: Store,
    stack: AsyncExitStack,
    authority: bytes | None,
    journal_observer: JournalObserver | None,
) -> Services:
    """Connect the parts of a server; `authority` is the certificate that clients of HTTPS have to trust."""
    due_merchants, client = DueMerchants(), MerchantClient(settings)
    stack.push_async_callback(client.close)
    context = Context(store, settings, _now, settings.seed or token_hex(8), due_merchants, journal_observer)
    deliveries = Deliveries(context, client)
    emulator = Emulator(context, deliveries)
    scheduler = Scheduler(emulator, deliveries, due_merchants)
    limits = RateLimits(settings.rate_limit, _now, store.count_request) if settings.rate_limit else None
    credentials = Credentials(settings.credentials, separate_regions=settings.separate_regions)
    return Services(
        settings, context.validator, emulator, deliveries, scheduler, credentials, _now(), limits, authority
    )


def _now() -> float:
    """Return the time, seconds in UTC: also the one to which a test has frozen or moved `time.time` since the server started."""
    return time.time()


@asynccontextmanager
async def _background_work(scheduler: Scheduler) -> AsyncIterator[None]:
    """Run the scheduler, and stop it after everything else has stopped."""
    task = asyncio.create_task(scheduler.run())
    try:
        yield
    finally:
        await scheduler.drain()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextmanager
def _ready_file(path: str, bound: Listening) -> Iterator[None]:
    """Write the ready file by renaming, so that no reader sees a part of it, and remove it at the end.

    The file of a server that was started in place of this one stays.
    """
    if not path:
        yield
        return
    file = Path(path)
    content = {"url": bound.url, "port": bound.port, "pid": os.getpid()}
    content |= {"tls_url": bound.tls_url, "tls_port": bound.tls_port} if bound.tls_url else {}
    written = orjson.dumps(content)
    draft = file.parent / f"{file.name}.{os.getpid()}"
    try:
        draft.write_bytes(written)
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        hint = "a path in a folder that exists and can be written"
        raise SettingsError(f"--ready-file: cannot write {path!r}: {error.strerror}; name {hint}") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if file.read_bytes() == written:
                file.unlink()
