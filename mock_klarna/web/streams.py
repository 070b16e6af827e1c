"""Sending bodies in parts, with limits on what waits in this process for clients that do not read."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import HttpVersion11, web

from mock_klarna.errors import StoreFailure

PATIENCE_SECONDS = 30.0
"""How long a part waits for a client that reads nothing."""
MAX_UNREAD = 64 << 20
"""Bytes that wait for all clients together."""
PART_BYTES = 64 << 10
_CLOSING_SECONDS = 5.0
_log = logging.getLogger(__name__)


async def slices(body: bytes) -> AsyncGenerator[bytes]:
    """Yield a body in parts."""
    for start in range(0, len(body), PART_BYTES):
        yield body[start : start + PART_BYTES]


class _Reader:
    """A client that a body is sent to. `patience` is set while a part waits for it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.patience: asyncio.Timeout | None = None

    @property
    def unread(self) -> int:
        """How many bytes wait for the client."""
        return self.transport.get_write_buffer_size()

    def end(self) -> None:
        """Disconnect the client."""
        if self.patience is None:
            self.transport.abort()
        elif not self.patience.expired():
            self.patience.reschedule(asyncio.get_running_loop().time())


class Streams:
    """Sends bodies in parts: each waits until the client has read most of the earlier ones.

    A client is disconnected if it reads nothing for `patience` seconds, or if more than `most_unread` bytes wait for all
    clients: then those whose part has waited longest go first.
    """

    def __init__(self, patience: float = PATIENCE_SECONDS, most_unread: int = MAX_UNREAD) -> None:
        self._patience = patience
        self._most = most_unread
        self._readers: dict[_Reader, None] = {}
        self._at_most = 0

    @property
    def clients(self) -> int:
        """To how many clients something is being sent."""
        return len(self._readers)

    def unread(self) -> int:
        """Return how many bytes wait for all clients."""
        return sum(reader.unread for reader in self._readers)

    async def send(
        self, http: web.BaseRequest, response: web.StreamResponse, parts: AsyncGenerator[bytes], last: bytes | None
    ) -> web.StreamResponse:
        """Send parts until there are none or the client goes; HEAD gets the headers only.

        A client that is disconnected by a limit gets `last` before its connection is closed. With None, or if the store fails
        meanwhile, the body is cut off, so that the client sees that it is incomplete.
        """
        async with contextlib.aclosing(parts):
            await response.prepare(http)
            if http.method == "HEAD" or http.transport is None:
                return response
            reader = _Reader(http.transport)
            self._readers[reader] = None
            try:
                await self._send_parts(http, reader, response, parts, last)
            except StoreFailure as failure:
                _log.warning("%s %s was cut off: %s", http.method, http.path[:200], failure)
                reader.transport.abort()
            finally:
                del self._readers[reader]
        return response

    async def _send_parts(
        self,
        http: web.BaseRequest,
        reader: _Reader,
        response: web.StreamResponse,
        parts: AsyncGenerator[bytes],
        last: bytes | None,
    ) -> None:
        async for part in parts:
            if not await self._is_taken(reader, response, part):
                _log.warning("%s %s: the client does not read; disconnected", http.method, http.path[:200])
                _disconnect(http, last)
                return

    async def _is_taken(self, reader: _Reader, response: web.StreamResponse, part: bytes) -> bool:
        """Write a part and wait for room; return False if the client was too slow."""
        self._at_most += len(part)
        try:
            async with asyncio.timeout(self._patience) as reader.patience:
                del self._readers[reader]
                self._readers[reader] = None  # those whose part has waited longest are first
                if self._at_most > self._most:
                    self._make_room()
                await response.write(part)
        except TimeoutError:
            return False
        finally:
            reader.patience = None
        return True

    def _make_room(self) -> None:
        """Measure what waits, and disconnect the slowest clients if it is too much."""
        self._at_most = self.unread()
        for reader in list(self._readers):
            if self._at_most <= self._most - self._most // 8:
                break
            if reader.unread:
                self._at_most -= reader.unread
                reader.end()


def _disconnect(http: web.BaseRequest, last: bytes | None) -> None:
    """Close a connection, soon even if its client does not read what is left."""
    transport: Any = http.transport
    if transport is None:
        return
    if last is None:
        transport.abort()
        return
    with contextlib.suppress(ConnectionError, RuntimeError):
        is_chunked = http.version >= HttpVersion11
        transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last) if is_chunked else last)
        transport.close()
    asyncio.get_running_loop().call_later(_CLOSING_SECONDS, transport.abort)
