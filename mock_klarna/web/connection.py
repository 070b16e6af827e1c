"""A client's connection: aiohttp's, with limits for headers and refused bodies, and with its plain-text errors in JSON."""

import asyncio
import logging
import re
from ast import literal_eval
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import hdrs, web
from aiohttp.http import HttpRequestParser, RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from mock_klarna.domain.journal import readable
from mock_klarna.errors import NoFilesLeft, without_files
from mock_klarna.web.errors import problem_details
from mock_klarna.web.operation import Api, ErrorFormat, api_of_path
from mock_klarna.web.pipeline import correlation_id

LONGEST_LINE = 64 << 10
"""Bytes of the request line, and of each header: a browser sends the cookies of everything that ran on localhost."""
LONGEST_HEAD = 2 * LONGEST_LINE
"""Bytes of all headers of a request that arrive in parts."""
MAX_PIPELINED = 32
"""Requests that are read ahead while the first one is answered."""
_SMALL_BODY = 64 << 10
"""Bytes of a body that are read and discarded after an early answer, so that the connection can be used again."""
_LINGERING_SECONDS = 2.0
"""How long the rest of a refused body is received, so that the client can read the response, before the connection is closed."""
_READ_SIZE = 256 << 10
_END_OF_HEAD = b"\r\n\r\n"
_log = logging.getLogger(__name__)
Parsed = tuple[Any, bool, bytes]
"""Requests with their bodies, whether the connection changes its protocol, and what is left."""
NOTHING: Parsed = ((), False, b"")


class HeadTimeout(HttpProcessingError):
    """The headers of a request did not arrive in time."""

    code = 408


class HeadTooLong(HttpProcessingError):
    """The headers of a request are too long together."""

    code = 431


_STATUS_OF = {HeadTimeout: 408, HeadTooLong: 431, LineTooLong: 431}
_NO_REQUEST = "not a readable HTTP request: "
_LONGEST_SENT = 100
_REQUEST_LINE = "write the request line as METHOD /path HTTP/1.1, with %20 for a blank in the path"
_EXPLANATIONS = (
    ("HTTPS traffic", "TLS was sent to a port for plain HTTP", "use http:// in the URL, or the port of --tls"),
    ("PRI/Upgrade", "HTTP/2 was sent", "use HTTP/1.1"),
    ("Missing 'Host'", "the header Host is missing", "send it once"),
    ("Duplicate 'Host'", "the header Host was sent twice", "send it once"),
    ("Duplicate Content-Length", "the header Content-Length was sent twice", "send it once"),
    ("in Content-Length", "Content-Length is not a number", "send the number of bytes of the body"),
    ("Transfer-Encoding can't", "Content-Length and Transfer-Encoding were sent together", "send one of them"),
    ("invalid `Transfer-Encoding`", "the Transfer-Encoding is not known", "send chunked, or Content-Length instead"),
    ("chunk", "a chunk of the body is malformed", "begin each chunk with a line that has its size in hexadecimal"),
    ("header value", "a header is malformed", "begin it with its name, and leave out control characters"),
    ("header token", "a header is malformed", "write it as Name: value"),
    ("method", "the method is not known", "send one such as GET, POST, PUT, PATCH or DELETE, in upper case"),
    ("HTTP version", "the HTTP version is not known", "use HTTP/1.1"),
    ("CRLF", "a line does not end with carriage return and line feed", _REQUEST_LINE),
    ("Expected HTTP/", "the path is not followed by HTTP/1.1", _REQUEST_LINE),
    ("start char in url", "the path does not begin with /", _REQUEST_LINE),
    ("char in url", "the path has a character that is not allowed", "percent-encode it, such as %C3%A9 for \u00e9"),
    (
        "content-encoding",
        "the body is packed in a way that is not known",
        "pack it with gzip or deflate, or not at all",
    ),
)
"""What is wrong with a request and what would be right, by a part of the message of aiohttp."""


class RequestParser:
    r"""aiohttp's parser of requests, which keeps a complete request although what follows it is not HTTP.

    Bytes of a header that are not UTF-8 are replaced by text such as `\xe9`: no JSON and no response header can contain them.
    Targets that are not a path (`*`, and the `host:port` of CONNECT) are routed as an unknown path.
    """

    def __init__(self, connection: "ClientConnection", loop: asyncio.AbstractEventLoop, head_timeout: float) -> None:
        parser = HttpRequestParser(
            connection,
            loop,
            _READ_SIZE,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            payload_exception=web.RequestPayloadError,
            max_msg_queue_size=1,  # it pauses after each request, so that an error in the next one does not lose it
        )
        self._feed = parser.feed_data
        self.message_consumed = parser.message_consumed
        self.pause_reading = parser.pause_reading
        self.feed_eof = parser.feed_eof
        self.set_upgraded = parser.set_upgraded
        self._connection = connection
        self._loop = loop
        self._head_timeout = head_timeout
        self._timer: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._payload: StreamReader = EMPTY_PAYLOAD
        self._failure: HttpProcessingError | None = None
        self.is_drained = False
        """Whether the parser contains nothing that was not returned yet."""
        self.is_broken = False
        """Whether an error was raised: nothing that follows can be understood."""
        self.request_line = b""
        """The beginning of the request in which an error was found, if it is known."""

    def feed_data(self, data: bytes) -> Parsed:
        """Return the requests whose headers are complete; raises `HttpProcessingError`, after which no data must follow."""
        is_start = not self._head_size and self._payload.is_eof() and self._failure is None
        try:
            return self._parsed(data)
        except HttpProcessingError:
            self.is_broken = True
            if is_start:
                self._keep_request_line(data)
            raise

    def _keep_request_line(self, data: bytes) -> None:
        self.request_line = data.lstrip(b"\r\n")[:LONGEST_LINE].partition(b"\n")[0].rstrip(b"\r")

    def _parsed(self, data: bytes) -> Parsed:
        if self._failure is not None:
            raise self._failure
        self.is_drained = False
        is_in_body = not self._payload.is_eof()
        parsed: Parsed = self._feed(data)
        messages = parsed[0]
        if messages and not is_in_body and not self._head_size:
            message, payload = messages[0]
            if payload.is_eof() and _has_ascii_head(data) and message.path[0] == "/" and not message.upgrade:
                return self._with_following(parsed)  # one complete request, as nearly always
        if messages:
            self._head_is_complete()
            self._payload = messages[-1][1]
        elif not is_in_body:
            self._head_continues(data)
            return parsed
        return self._cleaned(self._with_following(parsed) if self._payload.is_eof() and not parsed[1] else parsed)

    def _with_following(self, parsed: Parsed) -> Parsed:
        """Return requests with the complete ones that arrived behind them, and keep an error for the next call."""
        following, found = parsed, parsed[0]
        try:
            following = self._feed(b"")
            if not following[0]:
                self.is_drained = True
                return parsed
            while following[0]:
                found = [*found, *following[0]]
                self._payload = found[-1][1]
                if following[1] or len(found) >= MAX_PIPELINED or not self._payload.is_eof():
                    break
                following = self._feed(b"")
        except HttpProcessingError as error:
            self._fail(error)
            following = NOTHING
        return self._cleaned((found, following[1], following[2]))

    def _fail(self, error: HttpProcessingError) -> None:
        """Let the connection meet an error after the requests that were complete."""
        self._failure = error.with_traceback(None)
        self.is_drained = False
        self._loop.call_soon(self._connection.data_received, b"")

    def _head_is_complete(self) -> None:
        self._head_size, self.request_line = 0, b""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_continues(self, data: bytes) -> None:
        """Limit the time and the size of headers that arrive in parts."""
        if not data.strip(b"\r\n"):
            return
        if not self._head_size:
            self._keep_request_line(data)
        self._head_size += len(data)
        if self._head_size > LONGEST_HEAD:
            raise HeadTooLong(message=f"the headers have more than {LONGEST_HEAD} bytes")
        if self._timer is None:
            late = HeadTimeout(message=f"the headers did not arrive within {self._head_timeout:g} seconds")
            self._timer = self._loop.call_later(self._head_timeout, self._fail, late)

    def close(self) -> None:
        """Stop waiting for headers."""
        self._head_is_complete()

    @staticmethod
    def _cleaned(parsed: Parsed) -> Parsed:
        return [(_clean(message), payload) for message, payload in parsed[0]], parsed[1], parsed[2]


def _has_ascii_head(data: bytes) -> bool:
    return data.isascii() or data[: data.find(_END_OF_HEAD)].isascii()


def _clean(message: RawRequestMessage) -> RawRequestMessage:
    if not all(value.isascii() for value in message.headers.values()):
        headers = CIMultiDict((name, readable(value)) for name, value in message.headers.items())
        message = message._replace(headers=CIMultiDictProxy(headers))
    has_no_path = message.path == "*" or message.method == hdrs.METH_CONNECT
    return message._replace(url=URL("/")) if has_no_path else message


class ClientConnection(web.RequestHandler):
    """A connection of a client; `head_timeout` is in seconds."""

    __slots__ = ("_refused", "_requests")

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, head_timeout: float) -> None:
        super().__init__(server, loop=loop, access_log=None, lingering_time=_LINGERING_SECONDS)  # type: ignore[arg-type]
        self._refused: StreamReader | None = None
        self._requests = RequestParser(self, loop, head_timeout)
        self._parser: Any = self._requests

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; what follows an error and the rest of a refused body are discarded as they are.

        aiohttp calls it without data after each request, for what the parser still contains.
        """
        requests = self._requests
        if self._refused is None and not requests.is_broken and (data or not requests.is_drained):
            super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop waiting for the client."""
        self._requests.close()
        super().connection_lost(exc)
        if self._refused is not None:
            self._refused.feed_eof()

    def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        """Send a response; where the rest of the body is not worth reading, it says `Connection: close`."""
        if isinstance(resp, web.HTTPException):
            resp = _in_json(resp)
        body = request.content
        if not body.is_eof() and not _is_worth_reading(request, resp):
            resp.force_close()
            self._refused = body
            self.resume_reading(resume_parser=False)
        return super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log errors, except for a body that could not be decompressed: the response reports that."""
        if isinstance(kw.get("exc_info"), web.RequestPayloadError):
            _log.debug("the rest of a body cannot be read: %s", kw["exc_info"])
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Return the response to an unreadable request, and close the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("a response was already started")
        if without_files(exc):
            return _no_files(request.path)
        status = _STATUS_OF.get(type(exc), status)
        if isinstance(exc, HttpProcessingError):
            exc.__traceback__ = None  # its frames contain what arrived, and refer to the exception
        if isinstance(exc, LineTooLong):
            message = f"the request line or a header has more than {LONGEST_LINE} bytes"
        line = self._requests.request_line
        reason, hint = _explained((message or HTTPStatus(status).phrase).strip(), line)
        said = f"{reason}; {hint}" if hint else reason
        _log.warning("a request could not be read: %s %s", status, said, exc_info=exc if status >= 500 else None)
        if status >= 500:
            response = _error(status, "internal_server_error", "a bug in mock-klarna")
        else:
            error_format = _api_of(line).rules.error_format
            if error_format is ErrorFormat.PROBLEM_DETAILS:
                details = problem_details(status, _NO_REQUEST + reason, where="request", hint=hint)
                response = web.Response(status=status, body=details.body, headers=details.headers)
            else:
                response = _error(status, "bad_request", _NO_REQUEST + said, error_format)
        response.headers[hdrs.CONNECTION] = "close"
        response.force_close()
        return response


def _no_files(path: str) -> web.Response:
    """Return the answer of a page or of a static file that cannot be opened, because no file descriptors are free."""
    error, error_format = NoFilesLeft(), api_of_path(path).rules.error_format
    if error_format is ErrorFormat.PROBLEM_DETAILS:
        details = problem_details(error.status, error.error_message)
        response = web.Response(status=error.status, body=details.body, headers=details.headers)
    else:
        response = _error(error.status, error.error_code, error.error_message, error_format)
    response.headers[hdrs.RETRY_AFTER] = "1"
    return response


def _explained(message: str, line: bytes) -> tuple[str, str]:
    """Return what is wrong with a request, with what was sent, and what would be right, for a message of aiohttp."""
    known = (said for mark, *said in _EXPLANATIONS if mark in message)
    if message == "*":
        wrong, hint = "the target * is for OPTIONS only", _REQUEST_LINE
    else:
        wrong, hint = next(known, (message.splitlines()[0][:300].rstrip(":"), ""))
    quoted, packed = _QUOTED.search(message), _PACKED.search(message)
    if packed:
        sent = b"Content-Encoding: " + packed[1].encode()
    else:
        sent = (literal_eval(quoted[1]) if quoted else b"") or (line if hint else b"")
    if not sent or sent.lower().startswith(b"authorization"):
        return wrong, hint
    return f"{wrong}; sent {sent[:_LONGEST_SENT].decode('latin-1')!a}", hint


_QUOTED = re.compile(r"^\s*(b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\")$", re.MULTILINE)
_PACKED = re.compile(r"content-encoding: \S+ \((\w+)\)")
_TARGET = re.compile(rb"[^ ]+ +(?:https?://[^/ ]*)?(/[^ ?]*)", re.IGNORECASE)


def _api_of(line: bytes) -> Api:
    """Return the API that a request line belongs to, as far as it can be read."""
    target = _TARGET.match(line)
    return api_of_path(target[1].decode("latin-1") if target else "/")


def _error(status: int, code: str, message: str, error_format: ErrorFormat = ErrorFormat.KLARNA) -> web.Response:
    correlation = correlation_id()
    body: dict[str, Any] = {"error_code": code, "error_message": message, "correlation_id": correlation}
    if error_format is ErrorFormat.KLARNA_LIST:
        body = {"error_code": code.upper(), "error_messages": [message], "correlation_id": correlation}
    headers = {"Content-Type": "application/json", "Klarna-Correlation-Id": correlation}
    return web.Response(status=status, body=orjson.dumps(body), headers=headers)


def _in_json(error: web.HTTPException) -> web.Response:
    """Return an error of aiohttp's router, such as 405 for a page, in JSON."""
    response = _error(error.status, error.reason.lower().replace(" ", "_"), error.reason)
    if hdrs.ALLOW in error.headers:
        response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    return response


def _is_worth_reading(request: BaseRequest, response: web.StreamResponse) -> bool:
    """Return whether the rest of a body is read and discarded: it is small, not packed, and the client is sending it."""
    headers, length = request.headers, request.content_length
    is_small = length is not None and length <= _SMALL_BODY and hdrs.CONTENT_ENCODING not in headers
    return is_small and hdrs.EXPECT not in headers and response.status != HTTPStatus.REQUEST_TIMEOUT
