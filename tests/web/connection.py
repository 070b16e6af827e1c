"""A connection on which bytes are sent as they are, and answers read as they come."""

import asyncio
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer: status, header lines in their own spelling, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Connection:
    """One connection, kept open for as many exchanges as the server allows."""

    def __init__(self, url: str, authorization: str) -> None:
        self._address = urlsplit(url)
        self._authorization = authorization

    async def __aenter__(self) -> "Connection":
        """Connect."""
        host, port = self._address.hostname, self._address.port
        self.reader, self.writer = await asyncio.open_connection(host, port, limit=1 << 24)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self.writer.transport.abort()

    def head(self, start: str, **headers: str | int) -> bytes:
        """Return a request connection and headers; `_` in a name stands for `-`, and an empty value leaves a header out."""
        usual = {"Host": self._address.netloc, "Authorization": self._authorization}
        lines = {**usual, **{name.replace("_", "-"): str(value) for name, value in headers.items()}}
        fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        return f"{start} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")

    async def answer(self, raw: bytes, *, bodiless: bool = False) -> RawAnswer:
        """Send bytes and return the answer to them; `bodiless` for the answer to a HEAD."""
        self.writer.write(raw)
        return await self.next(bodiless=bodiless)

    async def next(self, *, bodiless: bool = False) -> RawAnswer:
        """Return the next answer."""
        async with asyncio.timeout(120):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            start, *lines = head.rstrip().split("\r\n")
            headers = dict(connection.split(": ", 1) for connection in lines)
            length = 0 if bodiless else int(headers.get("Content-Length", 0))
            return RawAnswer(int(start.split()[1]), headers, await self.reader.readexactly(length))

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str | int) -> RawAnswer:
        """Send a whole request and return the answer."""
        length = {"Content_Length": len(body)} if body else {}
        raw = self.head(f"{method} {path}", **{**length, **headers}) + body
        return await self.answer(raw, bodiless=method == "HEAD")
