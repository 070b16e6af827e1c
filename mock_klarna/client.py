"""The HTTP client of a sandbox: the scenarios, the command line, the demo and the pytest plugin use it and nothing else."""

import base64
from collections.abc import Mapping
from io import BytesIO
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from msgspec import Struct

from mock_klarna import __version__
from mock_klarna.connection_errors import cause_of
from mock_klarna.errors import TYPE_BASE, MockKlarnaError, Problem, Unreachable

__tracebackhide__ = True  # of pytest, for tests with a server in their own loop
Json = dict[str, Any]
USER_AGENT = f"mock-klarna/{__version__}"
"""The header by which requests of this client are distinguished from those of a shop."""
_MEMBERS = ("path", "rule", "value", "expected", "formula")
_CONNECT_SECONDS = 10


class Answer(Struct, frozen=True):
    """An answer: status, parsed JSON body (None for an empty one), and headers."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Client:
    """Sends requests to a sandbox as one merchant: `merchant` and `password` are its Basic credentials.

    Requests are possible inside `async with`, or between `open` and `close`. Raises `MockKlarnaError` for a merchant with a colon.
    """

    def __init__(self, url: str, merchant: str = "mock-merchant", password: str = "secret") -> None:  # noqa: S107
        if ":" in merchant:
            message = f"{merchant!r} contains a colon, at which a username ends"
            raise MockKlarnaError(message, where="merchant", hint="name a merchant without a colon")
        self.url = url.rstrip("/")
        self.credentials = (merchant, password)
        token = base64.b64encode(f"{merchant}:{password}".encode()).decode()
        self.authorization = f"Basic {token}"
        """The value of the `Authorization` header."""
        self._session: aiohttp.ClientSession | None = None

    @property
    def merchant(self) -> str:
        """The merchant, which is the username of the credentials."""
        return self.credentials[0]

    def as_merchant(self, merchant: str, password: str = "secret") -> "Client":  # noqa: S107
        """Return an open client for another merchant; it shares the connections of this one, which closes them."""
        other = Client(self.url, merchant, password)
        other._session = self._session
        return other

    def reconnected(self) -> "Client":
        """Return a client for the same merchant with connections of its own, which is not open yet."""
        return Client(self.url, *self.credentials)

    def open(self) -> None:
        """Make requests possible in the running loop."""
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> "Client":
        """Open the client."""
        self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request as this merchant and return the answer, also a refusal; `headers` replace the usual ones.

        Raises `Unreachable` when no server answers.
        """
        if self._session is None:
            raise RuntimeError("this client is not open: use `async with`, or call `open` first")
        content_type = {"Content-Type": "application/json"} if body is not None else {}
        data = None if body is None else BytesIO(orjson.dumps(body))  # a file is sent in portions
        try:
            async with self._session.request(
                method,
                self.url + path,
                data=data,
                headers={
                    "Authorization": self.authorization,
                    "User-Agent": USER_AGENT,
                    **content_type,
                    **(headers or {}),
                },
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            ) as answer:
                raw = await answer.read()
                return Answer(answer.status, _parsed(raw), answer.headers)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise Unreachable(
                f"no answer from {self.url}: this is not the URL of a server; give http://HOST:PORT"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"no answer from {self.url}: {cause_of(error)}") from None

    async def require_sandbox(self) -> None:
        """Raise `MockKlarnaError` if something else than a sandbox answers at the address, `Unreachable` if nothing does."""
        answer = await self.send("GET", "/_mock/health", headers={"Authorization": ""})
        if not (isinstance(answer.body, dict) and ("version" in answer.body or _is_refusal(answer.body))):
            text = f"{self.url} is not mock-klarna: it answered GET /_mock/health with {answer.status}"
            raise MockKlarnaError(text, where="--url", hint="give the address of mock-klarna, not that of the shop")

    async def ask(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request that has to succeed and return the answer's body.

        Raises `MockKlarnaError` with the refusal and a line for each of its problems.
        """
        answer = await self.send(method, path, body, headers=headers)
        if answer.status >= 400:
            raise _refusal(f"{method} {path}", answer, await self._problems(answer))
        return answer.body

    async def _problems(self, answer: Answer) -> tuple[Problem, ...]:
        """Return all problems of a refusal: the sandbox's own contain them, Klarna's short ones have them in the journal."""
        body, member = answer.body, "errors"
        if explanation := answer.headers.get("Mock-Klarna-Explanation"):
            body, member = (await self.send("GET", urlsplit(explanation).path)).body, "problems"
        problems = body.get(member) if isinstance(body, dict) else ()
        return tuple(
            Problem(**{name: problem[name] for name in _MEMBERS})
            for problem in (problems if isinstance(problems, list) else ())
            if isinstance(problem, dict) and problem.keys() >= set(_MEMBERS)  # those of another server look otherwise
        )


def _is_refusal(body: Json) -> bool:
    """Return whether a body is an error of a sandbox, which has a store that is not available or an unknown host name."""
    return str(body.get("type")).startswith(TYPE_BASE)


def _refusal(request: str, answer: Answer, problems: tuple[Problem, ...]) -> MockKlarnaError:
    body = answer.body if isinstance(answer.body, dict) else {}
    messages = body.get("error_messages")
    message = " ".join(map(str, messages)) if isinstance(messages, list) else ""
    text = str(body.get("detail") or body.get("error_message") or message or f"HTTP {answer.status}")
    where, hint = str(body.get("where") or ""), str(body.get("hint") or "")
    if len(problems) > 1 or not hint:
        text, hint = "\n  ".join([text, *(problem.as_text() for problem in problems)]), ""
    return MockKlarnaError(f"{request}: {text}", where=where, hint=hint, problems=problems)


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "backslashreplace")
