"""An event loop in a thread of its own, for callers without a loop, and for tests that freeze the time of theirs."""

import asyncio
import atexit
import gc
import os
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial
from threading import Thread
from typing import Any, Final, TypeVar

T = TypeVar("T")
_EXIT_SECONDS: Final = 5.0
_PID: Final = os.getpid()


def _real_clock() -> Callable[[], float]:
    """Return a monotonic clock that freezegun and time-machine do not replace: they look for `time.monotonic`."""
    if hasattr(time, "clock_gettime"):
        return partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    return partial(time.monotonic)


_CLOCK = _real_clock()


class LoopThread:
    """A thread that runs an event loop until `stop`, at the latest until the interpreter exits.

    Timers of the loop follow real time, also while a test has frozen `time.monotonic`. In a process that was forked
    from this one there is no such thread, and `stop` does nothing.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.time = _CLOCK  # type: ignore[method-assign]
        self._pid = os.getpid()
        self._stack = AsyncExitStack()
        self._thread = Thread(target=self.loop.run_forever, name="mock-klarna", daemon=True)
        self._thread.start()
        atexit.register(self._stop_at_exit)

    @property
    def is_of_another_process(self) -> bool:
        """Whether this process was forked from the one that the thread runs in."""
        return self._pid != os.getpid()

    def start(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run a coroutine in the loop; gives the future of its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter a context manager in the loop, which `stop` leaves; returns what it yields."""
        return self.start(self._stack.enter_async_context(context)).result()

    def stop(self, timeout: float | None = None) -> None:
        """Leave all that was entered, cancel what still runs, and end the thread.

        Raises what the context managers raise, and TimeoutError if they take more than `timeout` seconds.
        """
        atexit.unregister(self._stop_at_exit)
        if self.is_of_another_process or not self._thread.is_alive():
            return
        try:
            self.start(self._stack.aclose()).result(timeout)
        finally:
            self.start(_end_other_tasks()).result(timeout)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(timeout)
            self.loop.close()

    def _stop_at_exit(self) -> None:
        with suppress(Exception):
            self.stop(_EXIT_SECONDS)


def silent_server(port: int, caller: asyncio.AbstractEventLoop | None) -> str | None:
    """Return why a server of this process that listens at a port cannot answer now, or None if nothing prevents it.

    `caller` is the loop whose thread waits for the answer without running the loop.
    """
    if os.getpid() != _PID:
        return None  # a forked process sees the servers of the other one as they were
    for server in _asyncio_servers():
        if any(each.getsockname()[1:2] == (port,) for each in server.sockets):
            loop = server.get_loop()
            if loop is caller:
                return (
                    "runs in the event loop of the test, which waits for this call: await the methods of "
                    "mock_klarna_async or awaitable()"
                )
            if not loop.is_running():
                return (
                    "runs in an event loop that does not run during this call: give the shop and the test the same loop, "
                    "with pytest-asyncio the same loop_scope"
                )
    return None


def _asyncio_servers() -> "list[asyncio.Server]":
    """Return the servers of all event loops of this process."""
    kinds = [asyncio.Server]
    if (uvloop := sys.modules.get("uvloop.loop")) is not None:
        kinds.append(uvloop.Server)
    return [each for each in gc.get_objects() if type(each) in kinds]


async def _end_other_tasks() -> None:
    """Cancel what still runs in this loop and wait for its end, as `asyncio.run` does: a loop must not close with pending tasks."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
