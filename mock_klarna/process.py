"""A process of our own, such as `mock-klarna serve`: its event loop, its signals and its garbage collection.

Nothing here runs where the package is used as a library, inside the loop of another program. This module is imported first,
so it imports nothing large.
"""

import errno
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
STOP_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""The signals that end a process; SIGHUP exists on POSIX only, SIGBREAK on Windows only."""
_YOUNG_OBJECTS: Final = 5_000
_YOUNG_COLLECTIONS: Final = 200
"""A collection of 5,000 young objects takes a few milliseconds, which a request may wait; older objects are collected rarely."""


def exit_at_stop_signals(code: int) -> None:
    """Let a stop signal end the process at once with an exit code, until `run_in_loop` or `on_stop_signal` replaces this.

    A container's first process ignores signals without a handler, so this is called before anything else is imported.
    Signals that were blocked before the process began, so that none is lost, arrive now.
    """
    for number in _obeyed_signals():
        signal.signal(number, lambda _number, _frame: os._exit(code))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _obeyed_signals() -> list[signal.Signals]:
    """Return the stop signals without SIGHUP if it is ignored, as `nohup` wants."""
    hang_up = getattr(signal, "SIGHUP", None)
    return [number for number in STOP_SIGNALS if number != hang_up or signal.getsignal(number) != signal.SIG_IGN]


def run_in_loop(main: Coroutine[Any, Any, T], loop: str = "auto") -> T:
    """Run a coroutine in a new event loop and return its result; the first stop signal cancels it.

    `loop` is the setting of that name: `asyncio`, `uvloop`, or `auto` for uvloop if it is installed. Raises `SettingsError`
    if uvloop is requested but not installed, and KeyboardInterrupt if a stop signal ended the coroutine.
    """
    import asyncio

    try:
        with asyncio.Runner(loop_factory=_loop_factory(loop, main)) as runner:
            return runner.run(_until_stopped(main))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _until_stopped(main: Coroutine[Any, Any, T]) -> T:
    import asyncio

    task = asyncio.current_task()

    def stop() -> None:
        """Cancel the task, and ignore stop signals from now on: a second one must not interrupt the end of the process."""
        _ignore_stop_signals()
        if task is not None:
            task.cancel()

    on_stop_signal(stop)
    return await main


def _ignore_stop_signals() -> None:
    """Ignore stop signals until the process ends. They are blocked meanwhile: between two handlers, one would end the process."""
    import asyncio

    loop, numbers = asyncio.get_running_loop(), _obeyed_signals()
    can_block = hasattr(signal, "pthread_sigmask")
    if can_block:
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    for number in numbers:
        with suppress(NotImplementedError):  # the loops of Windows
            loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    if can_block:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def _loop_factory(loop: str, main: Coroutine[Any, Any, Any]) -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """Return what makes the event loop; None stands for asyncio's own."""
    if loop == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        if loop == "auto":
            return None
        from mock_klarna.settings import SettingsError

        main.close()
        raise SettingsError(
            "--loop: uvloop is not installed; install mock-klarna[fast], or use --loop asyncio"
        ) from None
    return uvloop.new_event_loop


def with_written_output(run: Callable[[], int]) -> int:
    """Return the exit code of a command; 1, and a sentence on standard error, if its output cannot be written.

    A reader of a pipe that has gone does not change the exit code.
    """
    code = 0
    try:
        try:
            code = run()
        finally:
            sys.stdout.flush()  # while an error still has an exit code
        return code
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        discard_output(sys.stdout)
        if error.errno == errno.EPIPE:
            return code
        with suppress(OSError):
            place = error.filename or "the output"
            print(f"mock-klarna: cannot write {place}: {error.strerror}", file=sys.stderr)
        return 1


def discard_output(stream: TextIO) -> None:
    """Let a stream of this process accept and discard what is still written to it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


_UNWRITABLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE)


def on_stop_signal(stop: Callable[[], object]) -> None:
    """Call a function in the running loop at each stop signal; SIGHUP stays ignored if it is, as `nohup` wants."""
    import asyncio

    loop = asyncio.get_running_loop()
    for number in _obeyed_signals():
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # the loops of Windows
            signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(stop))


def import_aiohttp() -> None:
    """Import aiohttp without the certificate authorities of the system, whose loading would be a seventh of a server's start.

    aiohttp loads them for its own default of outgoing https. The server makes no such requests but callbacks, and
    `callbacks/http.py` loads the authorities for the first one to https.
    """
    if "aiohttp" in sys.modules:
        return
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull
    try:
        import aiohttp  # noqa: F401
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before


def pause_garbage_collection() -> None:
    """Collect nothing while the process starts: none of the objects made then is garbage."""
    gc.disable()


def resume_garbage_collection() -> None:
    """Collect from now on, rarely, and never the objects made at start; for a process that only serves."""
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_COLLECTIONS, 100)
    gc.enable()
