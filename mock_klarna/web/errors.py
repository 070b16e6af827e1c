"""Refusals as Klarna words them, and the log lines that say more."""

import logging
from typing import Any

import orjson

from mock_klarna.errors import BadValue, KlarnaError, MethodNotAllowed, MockKlarnaError, StoreFailure, Unauthorized
from mock_klarna.settings import Settings
from mock_klarna.web.auth import CHALLENGE
from mock_klarna.web.operation import PLURAL
from mock_klarna.web.request import Call, Reply

_log = logging.getLogger("mock_klarna.refusals")
_LOGGED_PROBLEMS = 20


def as_reply(refusal: KlarnaError, correlation: str, settings: Settings, path: str) -> Reply:
    """Return Klarna's error body: code, message, correlation id (protocol 1.6), and the headers that HTTP demands."""
    body = _error(path, refusal.error_code, _messages(refusal, path), correlation)
    if isinstance(refusal, Unauthorized) and settings.unauthorized_body == "gateway":
        body = _GATEWAY
    return Reply(refusal.status, orjson.dumps(body), demanded_headers(refusal))


def _error(path: str, code: str, messages: list[str], correlation: str) -> dict[str, Any]:
    """Return an error in the shape of the API that a path belongs to: one message, or a list under an upper-case code (C-9)."""
    if path.startswith(PLURAL):
        return {"error_code": code.upper(), "error_messages": messages, "correlation_id": correlation}
    return {"error_code": code, "error_message": messages[0], "correlation_id": correlation}


def _messages(refusal: KlarnaError, path: str) -> list[str]:
    if isinstance(refusal, BadValue) and path.startswith(PLURAL):
        return [f"Bad value: {problem.path or 'body'}" for problem in refusal.problems]
    return [refusal.error_message]


def demanded_headers(refusal: KlarnaError) -> dict[str, str]:
    """Return the headers that HTTP demands of a refusal: the challenge of a 401, the right verbs of a 405, the pause of a 503."""
    if isinstance(refusal, Unauthorized):
        return {"WWW-Authenticate": CHALLENGE}
    if isinstance(refusal, StoreFailure):
        return {"Retry-After": "1"}
    return {"Allow": ", ".join(refusal.allowed)} if isinstance(refusal, MethodNotAllowed) else {}


_GATEWAY = {"http_status_code": 401, "http_status_message": "Unauthorized", "internal_message": "authorization_error"}
"""The body that was seen from Klarna's gateway (protocol 1.3)."""


def log_refusal(name: str, call: Call, refusal: KlarnaError, correlation: str) -> None:
    """Log a refusal with all of its problems, each with what would be right."""
    problems = refusal.problems[:_LOGGED_PROBLEMS]
    details = "".join(f"\n  {problem.as_text()}" for problem in problems)
    more = len(refusal.problems) - len(problems)
    rest = f"\n  and {more} more in the journal" if more else ""
    _log.warning(
        "%s %s of %s: %s %s [%s]%s%s",
        call.request.method,
        name,
        call.merchant or "nobody",
        refusal.status,
        refusal.error_message,
        correlation,
        details,
        rest,
        extra={"problems": [problem.as_json() for problem in problems]},
    )


def own_fault(bug: Exception, name: str, correlation: str, path: str) -> Reply:
    """Log a bug of ours and return a 500 that says so; it is never meant to happen."""
    _log.error("%s [%s]: a bug in mock-klarna", name, correlation, exc_info=bug)
    message = f"a bug in mock-klarna: {type(bug).__name__}; its log has the details"
    return Reply(500, orjson.dumps(_error(path, "internal_server_error", [message], correlation)))


def misuse(fault: MockKlarnaError) -> Reply:
    """Return what `/_mock` answers when it was held wrong: what, where, what would be right, and every problem."""
    body = {
        "error": fault.message,
        "where": fault.where,
        "hint": fault.hint,
        "problems": [problem.as_json() for problem in fault.problems],
    }
    return Reply(fault.status, orjson.dumps({name: value for name, value in body.items() if value}))
