"""Emulators that run for as long as the tests do."""

from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_klarna.server import ThreadedServer
    from mock_klarna.settings import Settings


class Servers:
    """One emulator for each kind of settings, started on first use, each in a thread of its own."""

    def __init__(self) -> None:
        self._running: dict[Settings, ThreadedServer] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Servers":
        """Begin with none."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them all."""
        self._stack.close()

    def running(self, settings: "Settings") -> "ThreadedServer":
        """Return the emulator with these settings."""
        from mock_klarna.server import serve_in_thread

        if settings not in self._running:
            self._running[settings] = self._stack.enter_context(serve_in_thread(settings))
        return self._running[settings]
