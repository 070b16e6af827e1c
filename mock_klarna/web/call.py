"""One request on its way through: who calls, what they sent, and what they get."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from mock_klarna.domain.problems import Problem
from mock_klarna.web.limits import Allowance

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
