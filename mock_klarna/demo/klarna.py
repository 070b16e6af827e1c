"""The client with which the demo shop calls Klarna: a REST API with Basic credentials (guide, steps 1 and 3).

A request that Klarna did not answer, or answered with 429 or 5xx, is sent again as it was, after a pause that doubles.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from mock_klarna import __version__
from mock_klarna.connection_errors import cause_of

Json = dict[str, Any]
BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATIONS = "/instantshopping/v1/authorizations"
ORDERS = "/ordermanagement/v1/orders"
MAX_CALLS = 1000
"""How many calls are kept; the oldest are deleted first."""
_MAX_TRIES = 4
_TEMPORARY = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE = 10
"""Seconds; the shopper waits for the decision."""
_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Klarna and its answer; without an answer `status` is 0 and `answer` is the reason.

    correlation_id: `Klarna-Correlation-Id` of the answer, which Klarna's support asks for (klarna.md §1.5).
    """

    merchant: str
    method: str
    path: str
    status: int
    answer: bytes
    correlation_id: str = ""


class Klarna:
    """Klarna's API at the address `url`, over persistent connections; `calls` are the newest calls, oldest first.

    pause: seconds before a request is sent a second time. sleep: waits for seconds.
    """

    def __init__(
        self, url: str, password: str, pause: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self.url = url.rstrip("/")
        self._password = password
        self._pause = pause
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Klarna":
        """Open the connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), timeout=_TIMEOUT
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def create_button(self, merchant: str, options: Json) -> Call:
        """Create a button key (guide, step 1). It is not sent again: a second key would be created."""
        return await self._call(merchant, "POST", BUTTONS, orjson.dumps(options), tries=1)

    async def read(self, merchant: str, token: str) -> Call:
        """Read the authorized order of a token (guide, step 3)."""
        return await self._call(merchant, "GET", _path(AUTHORIZATIONS, token))

    async def place(self, merchant: str, token: str, order: Json, *, password: str | None = None) -> Call:
        """Place an order (guide, step 3); `password` replaces the shop's own."""
        path = _path(AUTHORIZATIONS, token, "orders")
        return await self._call(merchant, "POST", path, orjson.dumps(order), password=password)

    async def deny(self, merchant: str, token: str, reason: Mapping[str, str] | None = None) -> Call:
        """Deny a purchase with a reason, or without a body (guide, step 3)."""
        return await self._call(
            merchant, "DELETE", _path(AUTHORIZATIONS, token), orjson.dumps(reason) if reason else b""
        )

    async def create_token(self, merchant: str, token: str) -> Call:
        """Create a customer token from an authorization (klarna.md §4.3)."""
        path = _path(AUTHORIZATIONS, token, "customer-token")
        return await self._call(merchant, "POST", path, orjson.dumps({"intended_use": "SUBSCRIPTION"}))

    async def acknowledge(self, merchant: str, order_id: str) -> Call:
        """Acknowledge an order, which ends the pushes (klarna.md §4.4)."""
        return await self._call(merchant, "POST", _path(ORDERS, order_id, "acknowledge"))

    async def capture(
        self, merchant: str, order_id: str, amount: int, shipping_info: Json, idempotency_key: str
    ) -> Call:
        """Capture an amount of an order (klarna.md §9.1); once, however often the key is sent (klarna.md §9.4)."""
        body = orjson.dumps({"captured_amount": amount, "shipping_info": [shipping_info]})
        path = _path(ORDERS, order_id, "captures")
        return await self._call(merchant, "POST", path, body, idempotency_key=idempotency_key)

    async def refund(self, merchant: str, order_id: str, amount: int, idempotency_key: str) -> Call:
        """Refund an amount of what was captured (klarna.md §9.1); once, however often the key is sent (klarna.md §9.4)."""
        path = _path(ORDERS, order_id, "refunds")
        return await self._call(
            merchant, "POST", path, orjson.dumps({"refunded_amount": amount}), idempotency_key=idempotency_key
        )

    async def managed_order(self, merchant: str, order_id: str) -> Call:
        """Read an order with its captures and refunds (klarna.md §9.2)."""
        return await self._call(merchant, "GET", _path(ORDERS, order_id))

    async def _call(
        self,
        merchant: str,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        password: str | None = None,
        idempotency_key: str = "",
        tries: int = _MAX_TRIES,
    ) -> Call:
        """Send a request, again if the answer was lost or temporary, and return the last call."""
        headers = dict(_headers(merchant, self._password if password is None else password))
        if idempotency_key:
            headers["Klarna-Idempotency-Key"] = idempotency_key
        pause = self._pause
        while True:
            call, retry_after = await self._send(merchant, method, path, body, headers)
            tries -= 1
            is_final = call.status and call.status not in _TEMPORARY
            if is_final or not tries or retry_after > _LONGEST_PAUSE:
                return call
            await self._sleep(max(pause, retry_after))
            pause *= 2

    async def _send(
        self, merchant: str, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Call, int]:
        """Send a request once; return the call and the seconds after which Klarna wants it again, 0 if it does not say.

        An answer that is not the JSON that a successful request has is as good as lost.
        """
        if self._session is None:
            raise RuntimeError("this client is not open: use `async with`")
        retry_after = 0
        try:
            url = URL(self.url + path, encoded=True)
            async with self._session.request(method, url, data=body or None, headers=headers) as response:
                answer = await response.read()
                if answer and response.ok:
                    orjson.loads(answer)
                correlation_id = response.headers.get("Klarna-Correlation-Id", "")
                call = Call(merchant, method, path, response.status, answer, correlation_id)
                retry_after = _retry_after(response)
        except (aiohttp.ClientError, OSError, orjson.JSONDecodeError) as error:
            call = Call(merchant, method, path, 0, f"no answer from {self.url}: {cause_of(error)}".encode())
        self.calls.append(call)
        return call, retry_after


def _retry_after(response: aiohttp.ClientResponse) -> int:
    """Return the seconds of `Retry-After`, or of Klarna's header of a rate limit (klarna.md §1.5); 0 without."""
    header = "X-Ratelimit-Reset" if response.status == 429 and "Retry-After" not in response.headers else "Retry-After"
    seconds = response.headers.get(header, "")
    return int(seconds) if seconds.isdecimal() else 0


def _path(*parts: str) -> str:
    """Return a path. Its parts are quoted: a token or an id of a forged callback must not lead to another path."""
    first, *others = parts
    return "/".join((first, *(quote(part, safe="") for part in others)))


@lru_cache(maxsize=1024)
def _headers(merchant: str, password: str) -> Mapping[str, str]:
    token = base64.b64encode(f"{merchant}:{password}".encode()).decode()
    return {
        "Authorization": f"Basic {token}",
        "Content-Type": "application/json",
        "User-Agent": f"mock-klarna-demo-shop/{__version__}",
    }
