"""What is answered to bytes that are no HTTP: JSON too, in Klarna's shape."""

import logging
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from aiohttp.web_request import BaseRequest

from mock_klarna.web.exchange import correlation_id

_log = logging.getLogger(__name__)


class JsonProtocol(web.RequestHandler):
    """aiohttp's connection handler, with its plain-text errors in JSON."""

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what went wrong, except that a body could not be unpacked: its sender was told so in the answer."""
        if isinstance(kw.get("exc_info"), web.RequestPayloadError):
            _log.debug("the rest of a body cannot be read: %s", kw["exc_info"])
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Return the answer to a request that could not even be read, and close the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was already begun")
        said = (message or HTTPStatus(status).phrase).strip().splitlines()[0][:300]
        _log.warning("a request could not be read: %s %s", status, said, exc_info=exc if status >= 500 else None)
        correlation = correlation_id()
        body: dict[str, Any] = {
            "error_code": "bad_request" if status < 500 else "internal_server_error",
            "error_message": f"not a readable HTTP request: {said}" if status < 500 else "a bug in mock-klarna",
            "correlation_id": correlation,
        }
        response = web.Response(
            status=status,
            body=orjson.dumps(body),
            headers={"Content-Type": "application/json", "Klarna-Correlation-Id": correlation},
        )
        response.force_close()
        return response
