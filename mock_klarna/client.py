"""The HTTP client of the ways in: the scenario player, the command line, the demo and the pytest plugin have no other power."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from mock_klarna.errors import MockKlarnaError, Problem

Json = dict[str, Any]
_MEMBERS = ("path", "rule", "sent", "expected", "formula")


class Unreachable(MockKlarnaError):
    """Nobody answers at the emulator's address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, parsed JSON body (None for none), and headers."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Client:
    """Talks to an emulator as one merchant: `merchant` and `password` are its Basic credentials."""

    def __init__(self, url: str, merchant: str = "mock-merchant", password: str = "secret") -> None:  # noqa: S107
        self.url = url.rstrip("/")
        self.merchant = merchant
        token = base64.b64encode(f"{merchant}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Client":
        """Open the connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request as this merchant and return whatever is answered; `headers` go over the usual ones.

        Raises `Unreachable` when nobody answers.
        """
        assert self._session is not None, "use `async with`"
        sent = {
            **self._headers,
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        data = None if body is None else BytesIO(orjson.dumps(body))  # which is sent in portions
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        try:
            async with self._session.request(
                method, self.url + path, data=data, headers=sent, timeout=timeout
            ) as answer:
                raw = await answer.read()
                return Answer(answer.status, _parsed(raw), answer.headers)
        except (aiohttp.ClientError, OSError) as fault:
            raise Unreachable(
                f"no answer from {self.url}: {str(fault) or type(fault).__name__}", where="--url"
            ) from None

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that has to succeed and return the answer's body.

        Raises `MockKlarnaError` with the refusal and a line for each of its problems.
        """
        answer = await self.send(method, path, body)
        if answer.status >= 400:
            raise _refusal(f"{method} {path}", answer, await self._problems(answer))
        return answer.body

    async def _problems(self, answer: Answer) -> tuple[Problem, ...]:
        """Return all that was wrong: the sandbox's own refusals say it, Klarna's terse ones lead to the journal."""
        told = answer.body
        if explanation := answer.headers.get("Mock-Klarna-Explanation"):
            told = (await self.send("GET", urlsplit(explanation).path)).body
        found = told.get("problems", ()) if isinstance(told, dict) else ()
        return tuple(Problem(**{name: problem[name] for name in _MEMBERS}) for problem in found)


def _refusal(asked: str, answer: Answer, problems: tuple[Problem, ...]) -> MockKlarnaError:
    said = answer.body if isinstance(answer.body, dict) else {}
    messages = " ".join(said.get("error_messages") or ())
    text = said.get("error") or said.get("error_message") or messages or f"HTTP {answer.status}"
    where, hint = said.get("where", ""), said.get("hint", "")
    if len(problems) > 1 or not hint:
        text, hint = "\n  ".join([text, *(problem.as_text() for problem in problems)]), ""
    return MockKlarnaError(f"{asked}: {text}", where=where, hint=hint, problems=problems)


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "backslashreplace")
