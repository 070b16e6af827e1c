"""Looking up merchants' host names, each in a thread of its own: one that is slow to be found holds up no other."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Address = tuple[Any, ...]
_FLAGS = socket.AI_ADDRCONFIG & getattr(socket, "AI_MASK", -1)  # macOS knows flags that it does not take


class Resolver(AbstractResolver):
    """The system's resolver. A lookup that hangs costs a thread until the system gives up; it delays neither others nor the end.

    How many there are is bounded by the callbacks that are under way.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return a host's addresses; raises OSError when it has none."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[Address]] = loop.create_future()

        def look_up() -> None:
            try:
                infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=_FLAGS)
            except OSError as fault:
                tell(found.set_exception, fault)
            except UnicodeError as fault:
                tell(found.set_exception, OSError(0, str(fault)))
            else:
                tell(found.set_result, infos)

        def tell(settle: Callable[[Any], None], what: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(lambda: None if found.done() else settle(what))

        Thread(target=look_up, name=f"lookup of {host[:40]}", daemon=True).start()
        return [_result(host, info) for info in await found]

    async def close(self) -> None:
        """Let go of nothing: the threads end by themselves, or with the process."""


def _result(host: str, info: Address) -> ResolveResult:
    family, _, proto, _, address = info
    scope = f"%{address[3]}" if family == socket.AF_INET6 and len(address) > 3 and address[3] else ""
    return ResolveResult(
        hostname=host,
        host=f"{address[0]}{scope}",
        port=address[1],
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
