"""A process of our own, such as `mock-klarna serve`: its event loop, its signals and its garbage collection.

Nothing here runs where the package is used as a library, inside the loop of another program.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from mock_klarna.settings import SettingsError

T = TypeVar("T")
_YOUNG_OBJECTS: Final = 5_000
_YOUNG_COLLECTIONS: Final = 200
"""A collection of 5,000 young objects takes a few milliseconds, which a request may wait; older objects are collected rarely."""


def run_in_loop(main: Coroutine[Any, Any, T], loop: str = "auto") -> T:
    """Run a coroutine in a new event loop and return its result.

    `loop` is the setting of that name: `asyncio`, `uvloop`, or `auto` for uvloop if it is installed. Raises `SettingsError`
    if uvloop is requested but not installed.
    """
    with asyncio.Runner(loop_factory=_loop_factory(loop, main)) as runner:
        return runner.run(main)


def _loop_factory(loop: str, main: Coroutine[Any, Any, Any]) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop; None stands for asyncio's own."""
    if loop == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        if loop == "auto":
            return None
        main.close()
        raise SettingsError(
            "--loop: uvloop is not installed; install mock-klarna[fast], or use --loop asyncio"
        ) from None
    return uvloop.new_event_loop


def on_stop_signal(stop: Callable[[], object]) -> None:
    """Call a function in the running loop at SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def stop_event() -> asyncio.Event:
    """Return an event of the running loop that SIGTERM and SIGINT set."""
    stopped = asyncio.Event()
    on_stop_signal(stopped.set)
    return stopped


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
