"""Errors as responses: Klarna's bodies for Klarna's APIs, problem details (RFC 9457) for our own."""

import logging
from collections.abc import Callable
from typing import Any

from mock_klarna.errors import (
    TYPE_BASE,
    BadValue,
    InvalidInput,
    KlarnaError,
    MethodNotAllowed,
    MockKlarnaError,
    NoFilesLeft,
    StoreFailure,
    Unauthorized,
    without_files,
)
from mock_klarna.settings import Settings
from mock_klarna.validation import write_json
from mock_klarna.web.auth import CHALLENGE
from mock_klarna.web.operation import ErrorFormat
from mock_klarna.web.request import PROBLEM_JSON, ApiRequest, ApiResponse

Json = dict[str, Any]
_log = logging.getLogger(__name__)
_GATEWAY: Json = {
    "http_status_code": 401,
    "http_status_message": "Unauthorized",
    "internal_message": "authorization_error",
}
"""The body that was seen from Klarna's gateway (klarna.md §1.3)."""

PROBLEM_TYPES: dict[int, tuple[str, str]] = {
    400: ("invalid-request", "Invalid request"),
    403: ("forbidden", "Not for this caller"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    408: ("request-timeout", "The body did not arrive in time"),
    409: ("state-conflict", "The current state does not allow this"),
    413: ("body-too-large", "The body is too large"),
    415: ("unsupported-media-type", "The body is not declared as JSON in UTF-8"),
    417: ("expectation-failed", "The Expect header cannot be met"),
    421: ("unknown-host", "The host name is not known as one of this server"),
    500: ("internal-error", "An error in mock-klarna"),
    503: ("unavailable", "The database or the server is not available now"),
    507: ("store-full", "The disk of the database is full"),
}
"""The last part of `type` and the `title` of problem details, by status."""


def error_response(
    error: Exception, error_format: ErrorFormat, request: ApiRequest, name: str, settings: Settings
) -> ApiResponse:
    """Return the response to an error that an operation raised; the journal gets its problems from the request.

    An exception that is not an error of the caller is a bug in mock-klarna: a 500 with the traceback in the log.
    """
    if without_files(error):
        error = NoFilesLeft()
    known = (KlarnaError, MockKlarnaError) if error_format is ErrorFormat.PROBLEM_DETAILS else KlarnaError
    if not isinstance(error, known):
        return _bug(error, error_format, request, name)
    request.problems = error.problems
    return _FORMATS[error_format](error, request, settings)


def _klarna(error: Any, request: ApiRequest, settings: Settings) -> ApiResponse:
    body = _single(error.error_code, error.error_message, request)
    return _klarna_response(error, body, request, settings)


def _klarna_list(error: Any, request: ApiRequest, settings: Settings) -> ApiResponse:
    messages = [error.error_message]
    if isinstance(error, BadValue):
        messages = [f"Bad value: {problem.path or 'body'}" for problem in error.problems]
    body = _list(error.error_code, messages, request)
    return _klarna_response(error, body, request, settings)


def _klarna_response(error: KlarnaError, body: Json, request: ApiRequest, settings: Settings) -> ApiResponse:
    request.explanation = error.error_message
    if isinstance(error, Unauthorized) and settings.unauthorized_body == "gateway":
        body = _GATEWAY
    return ApiResponse(error.status, write_json(body), _headers(error))


def _single(code: str, message: str, request: ApiRequest) -> Json:
    return {"error_code": code, "error_message": message, "correlation_id": request.correlation_id}


def _list(code: str, messages: list[str], request: ApiRequest) -> Json:
    return {"error_code": code.upper(), "error_messages": messages, "correlation_id": request.correlation_id}


def _problem_details(error: Any, _request: ApiRequest, _settings: Settings) -> ApiResponse:
    own = _as_own_error(error) if isinstance(error, KlarnaError) else error
    response = problem_details(own.status, own.message, where=own.where, hint=own.hint, problems=own.problems)
    response.headers.update(_headers(error))
    return response


def _as_own_error(error: KlarnaError) -> MockKlarnaError:
    """Return an error of Klarna's APIs as one of our own: those of reading a body are raised for both."""
    if error.problems:
        own: MockKlarnaError = InvalidInput(error.problems, where="body")
    else:
        own = MockKlarnaError(error.error_message, where="request")
    own.status = error.status
    return own


def problem_details(
    status: int, detail: str, *, where: str = "", hint: str = "", problems: tuple[Any, ...] = ()
) -> ApiResponse:
    """Return an error response of our own APIs; `where`, `hint` and `errors` are left out if they are empty."""
    slug, title = PROBLEM_TYPES.get(status, PROBLEM_TYPES[400])
    body: Json = {"type": TYPE_BASE + slug, "title": title, "status": status, "detail": detail}
    more = {"where": where, "hint": hint, "errors": [problem.as_json() for problem in problems]}
    body |= {name: value for name, value in more.items() if value}
    return ApiResponse(status, write_json(body), {"Content-Type": PROBLEM_JSON})


_FORMATS: dict[ErrorFormat, Callable[[Any, ApiRequest, Settings], ApiResponse]] = {
    ErrorFormat.KLARNA: _klarna,
    ErrorFormat.KLARNA_LIST: _klarna_list,
    ErrorFormat.PROBLEM_DETAILS: _problem_details,
}


def _headers(error: KlarnaError | MockKlarnaError) -> dict[str, str]:
    """Return the headers of an error: the challenge of a 401, the allowed methods of a 405, when to try again after a 503."""
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": CHALLENGE}
    if isinstance(error, StoreFailure):
        return {"Retry-After": "1"}
    return {"Allow": ", ".join(error.allowed)} if isinstance(error, MethodNotAllowed) else {}


def _bug(error: Exception, error_format: ErrorFormat, request: ApiRequest, name: str) -> ApiResponse:
    """Log a bug of ours and return a 500 that says so."""
    _log.error("%s [%s]: a bug in mock-klarna", name, request.correlation_id, exc_info=error)
    detail = f"a bug in mock-klarna: {type(error).__name__}; its log has the details"
    if error_format is ErrorFormat.PROBLEM_DETAILS:
        return problem_details(500, detail)
    code = "internal_server_error"
    is_list = error_format is ErrorFormat.KLARNA_LIST
    return ApiResponse(500, write_json(_list(code, [detail], request) if is_list else _single(code, detail, request)))
