"""Requests and responses in the pipeline, and reading bodies."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import ClientPayloadError, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mock_klarna.callbacks import Deliveries, Scheduler
from mock_klarna.domain.records import REMEMBERED_SECONDS, Decision, RememberedAnswer, remembered
from mock_klarna.emulator import Emulator
from mock_klarna.emulator.context import AnswerDecision
from mock_klarna.errors import BadValue, BodyTooLarge, Problem, RequestTimeout, UnsupportedMediaType
from mock_klarna.settings import Settings
from mock_klarna.validation import MalformedBody, Validator, read_json, write_json
from mock_klarna.web.auth import Credentials
from mock_klarna.web.rate_limits import Allowance, RateLimits
from mock_klarna.web.streams import Streams

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
PEM = "application/x-pem-file"
TEXT = "text/plain"
HTML = "text/html"
EVENT_STREAM = "text/event-stream"
T = TypeVar("T")
FindProblems = Callable[[Any], list[Problem]]
"""Finds problems of a body beyond those that its schema describes."""


@dataclass(slots=True)
class Services:
    """What handlers need.

    `started` is real time, seconds in UTC. `authority` is the certificate (PEM) that clients of HTTPS have to trust, or None.
    `limits` is None without a rate limit. `http_port` is the port of plain HTTP, once it is bound. `setting_sources` says where
    settings have their values from: flag, environment or file.
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
    setting_sources: Mapping[str, str] = field(default_factory=dict)
    http_port: int | None = None
    streams: Streams = field(default_factory=Streams)


async def _nothing() -> AsyncGenerator[bytes]:
    """Yield the body of a request that has none."""
    return
    yield


@dataclass(slots=True)
class ApiRequest:
    """A request with the results of the stages of the pipeline.

    http: aiohttp's request.
    correlation_id: goes into the response, the journal and the log.
    merchant: the merchant that calls or that the request is about; "" for none or all.
    raw_body, body: as it arrived, and as parsed and validated.
    stream: the body of an operation that reads it while it arrives.
    query: the values of all query parameters of the operation.
    purchase_id: the purchase that the request turned out to be about.
    problems, explanation: what the journal says about an error.
    warnings: what is accepted, and probably not what the merchant wants.
    is_of_page: whether the journal records the request although it has no problem: a call of `load()` or `update()`.
    arrived: real time, seconds in UTC.
    fault: the fault that was requested for this request with `POST /_mock/faults`.
    answer_name: the name under which the answer is stored, for a request with an idempotency key; else "".
    """

    http: web.Request
    correlation_id: str = ""
    merchant: str = ""
    raw_body: bytes = b""
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    purchase_id: str | None = None
    problems: tuple[Problem, ...] = ()
    explanation: str = ""
    fault: dict[str, Any] | None = None
    allowance: Allowance | None = None
    warnings: tuple[Problem, ...] = ()
    is_of_page: bool = False
    arrived: float = 0.0
    stream: AsyncIterator[bytes] = field(default_factory=_nothing)
    answer_name: str = ""

    def answer_decision(self, rendered: "Callable[[T], ApiResponse]") -> AnswerDecision[T] | None:
        """Return what stores the answer under the idempotency key, for the command to commit; None without a key.

        rendered: returns the response for the value of the command.
        """
        if not self.answer_name:
            return None

        def answer(value: T, now: float) -> Decision:
            response = rendered(value)
            return remembered(
                RememberedAnswer(
                    merchant=self.merchant,
                    name=self.answer_name,
                    status=response.status,
                    body=response.body,
                    answer_headers=tuple(response.headers.items()),
                    until=now + REMEMBERED_SECONDS,
                )
            )

        return answer

    @property
    def scope(self) -> str | None:
        """The merchant whose data a sandbox request is about, or None for all merchants."""
        return self.merchant or None

    def path(self, name: str) -> str:
        """Return a variable part of the path."""
        return self.http.match_info[name]


@dataclass(slots=True)
class ApiResponse:
    """A response: status, body as bytes (empty for none) and headers.

    stream: yields the parts of a body that is long or endless. last: what a client gets that is disconnected because it
    does not read them; None if the body is cut off then. is_compressed: whether a client that accepts gzip gets it so.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncGenerator[bytes] | None = None
    last: bytes | None = None
    is_compressed: bool = False


def json_response(data: Any, status: int = 200) -> ApiResponse:
    """Return a response with a JSON body."""
    return ApiResponse(status, write_json(data))


def accepts_gzip(http: web.Request) -> bool:
    """Return whether the header Accept-Encoding names gzip without `q=0`."""
    accepted = http.headers.get("Accept-Encoding", "").lower()
    parts = (entry.replace(" ", "").partition(";q=") for entry in accepted.split(","))
    return any(name == "gzip" and (not weight or weight.strip("0.")) for name, _, weight in parts)


def position(text: str) -> int | None:
    """Return the position in the journal that a text names, or None if it names none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


_UNREADABLE = (ClientPayloadError, web.RequestPayloadError, HttpProcessingError, OSError)


async def read_body(http: web.Request, max_bytes: int, timeout_seconds: float) -> bytes:
    """Return the raw body, decompressed; raises what `body_parts` raises."""
    if not http.content.is_eof():
        return b"".join([part async for part in body_parts(http, max_bytes, timeout_seconds)])
    _require_size(http.content_length or 0, max_bytes)
    try:
        body = http.content.read_nowait()
    except _UNREADABLE as error:
        raise _undecodable(http, error) from None
    if len(body) > max_bytes:
        raise _too_large("is too large", max_bytes)
    return body


async def body_parts(http: web.Request, max_bytes: int, timeout_seconds: float) -> AsyncGenerator[bytes]:
    """Yield the raw body, decompressed, as it arrives; only the time of waiting for it counts for the timeout.

    Raises `BodyTooLarge` (before reading if the length is declared), `RequestTimeout`, and `BadValue` for a body that is not
    complete or cannot be decoded as its headers declare.
    """
    _require_size(http.content_length or 0, max_bytes)
    loop, waited, size = asyncio.get_running_loop(), 0.0, 0
    while True:
        asked = loop.time()
        try:
            async with asyncio.timeout(timeout_seconds - waited):
                part = await http.content.readany()
        except TimeoutError:
            raise RequestTimeout(f"the body did not arrive within {timeout_seconds:g} seconds") from None
        except _UNREADABLE as error:
            raise _undecodable(http, error) from None
        waited += loop.time() - asked
        size += len(part)
        if size > max_bytes:
            raise _too_large("is too large", max_bytes)
        if not part:
            return
        yield part


def _require_size(declared: int, max_bytes: int) -> None:
    if declared > max_bytes:
        raise _too_large(f"has {declared} bytes", max_bytes)


def _undecodable(http: web.Request, error: Exception) -> BadValue:
    if isinstance(error, OSError):
        return BadValue([Problem("", "incomplete", None, "a complete body; the client closed the connection")])
    names = ("Content-Encoding", "Transfer-Encoding")
    name = next((name for name in names if http.headers.get(name)), "Content-Length")
    sent = f"{name}: {http.headers.get(name, '')}"[:200]
    return BadValue([Problem("", "encoding", sent, f"a complete body that is encoded as {name} says")])


def _too_large(what: str, max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body {what}; this server reads at most {max_bytes} bytes")


def require_json(http: web.Request) -> None:
    """Raise `UnsupportedMediaType` if the header Content-Type is not JSON in UTF-8; the header may be missing."""
    declared = http.headers.get(hdrs.CONTENT_TYPE)
    if declared is None or declared == JSON:
        return
    kind = http.content_type
    if not (kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))):
        raise UnsupportedMediaType(f"Content-Type is {declared[:100]!r}; send application/json")
    charset = (http.charset or "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"charset is {charset[:40]!r}; send UTF-8")


def parse(raw: bytes) -> Any:
    """Return the parsed body; raises `BadValue` with the position of a syntax error."""
    try:
        return read_json(raw)
    except MalformedBody as malformed:
        raise BadValue([malformed.problem]) from None
