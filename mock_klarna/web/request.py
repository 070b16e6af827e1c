"""One request on its way through: who calls, what they sent, and what they get."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientPayloadError, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mock_klarna.callbacks import Deliveries, Scheduler
from mock_klarna.emulator import Emulator
from mock_klarna.errors import BadValue, BodyTooLarge, Problem, RequestTimeout, UnsupportedMediaType
from mock_klarna.settings import Settings
from mock_klarna.validation import MalformedBody, Validator, read_json
from mock_klarna.web.auth import Credentials
from mock_klarna.web.rate_limits import Allowance, RateLimits

JSON = "application/json"
PEM = "application/x-pem-file"
EVENT_STREAM = "text/event-stream"
Differences = Callable[[Any], list[Problem]]
"""What else is wrong with a body, beside what its schema says."""


@dataclass(slots=True)
class Call:
    """A request with what is known of it so far: merchant, raw body, checked body, and the purchase it turned out to be about."""

    request: web.Request
    merchant: str = ""
    raw: bytes = b""
    body: Any = None
    purchase_id: str | None = None
    problems: tuple[Problem, ...] = ()
    explanation: str = ""
    fault: dict[str, Any] | None = None
    allowance: Allowance | None = None

    def path(self, name: str) -> str:
        """Return a variable part of the path."""
        return self.request.match_info[name]


@dataclass(slots=True)
class Reply:
    """An answer: status, JSON as bytes (empty for none), and headers beyond the usual ones; or what is sent bit by bit."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


async def read_body(request: web.Request, most: int, seconds: float) -> bytes:
    """Return the raw body.

    Raises `BodyTooLarge`, before anything is read where the length is declared, `RequestTimeout`, and `BadValue` for a body
    that cannot be decoded as it declares to be encoded.
    """
    declared = request.content_length or 0
    if declared > most:
        raise _too_large(f"has {declared} bytes", most)
    try:
        if request.content.is_eof():
            return _whole(request, most)
        async with asyncio.timeout(seconds):
            return await _bounded(request, most)
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {seconds:g} seconds") from None
    except (ClientPayloadError, web.RequestPayloadError, HttpProcessingError) as fault:
        encoded = request.headers.get("Content-Encoding") or request.headers.get("Transfer-Encoding") or "declared"
        problem = Problem(
            "", "encoding", str(fault).rpartition("\n")[2].strip()[:200], f"a body that is encoded as {encoded} says"
        )
        raise BadValue([problem]) from None


async def _bounded(request: web.Request, most: int) -> bytes:
    """Read a body as it comes, unpacked if it was packed, and stop where it becomes too large."""
    chunks, size = [], 0
    while chunk := await request.content.readany():
        size += len(chunk)
        if size > most:
            raise _too_large("is too large", most)
        chunks.append(chunk)
    return b"".join(chunks)


def _whole(request: web.Request, most: int) -> bytes:
    """Return a body that has arrived, unpacked if it was packed, unless it became too large."""
    body = request.content.read_nowait()
    if len(body) > most:
        raise _too_large("is too large", most)
    return body


def _too_large(what: str, most: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body {what}; this server reads at most {most} bytes")


def require_json(request: web.Request) -> None:
    """Raise `UnsupportedMediaType` when a body is declared to be something else than JSON in UTF-8; silence is fine."""
    declared = request.headers.get(hdrs.CONTENT_TYPE)
    if declared is None or declared == "application/json":
        return
    kind = request.content_type
    if not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise UnsupportedMediaType(f"Content-Type is {declared[:100]!r}; send application/json")
    charset = (request.charset or "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"charset is {charset[:40]!r}; send UTF-8")


def parse(raw: bytes) -> Any:
    """Return what a raw body means; raises `BadValue` with the place of the fault."""
    try:
        return read_json(raw)
    except MalformedBody as malformed:
        raise BadValue([malformed.problem]) from None


def dumped(body: object) -> bytes:
    """Return JSON."""
    return orjson.dumps(body)


@dataclass(slots=True)
class Services:
    """The emulator and its neighbours, as the server wired them.

    `started` is real time, seconds in UTC; `authority` is in PEM what clients of HTTPS have to trust, None where there is none.
    """

    settings: Settings
    validator: Validator
    emulator: Emulator
    deliveries: Deliveries
    scheduler: Scheduler
    credentials: Credentials
    started: float
    limits: RateLimits | None = None
    authority: bytes | None = None
