"""The client with which the demo shop calls Klarna: a REST API with Basic credentials (guide, steps 1 and 3)."""

import base64
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any

import aiohttp
import orjson
from yarl import URL

Json = dict[str, Any]
BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATIONS = "/instantshopping/v1/authorizations"
ORDERS = "/ordermanagement/v1/orders"
MAX_CALLS = 1000
"""How many calls are kept; the oldest are deleted first."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Klarna and its answer; without an answer `status` is 0 and `answer` is the reason."""

    merchant: str
    method: str
    path: str
    status: int
    answer: bytes


class Klarna:
    """Klarna's API at the address `url`, over persistent connections; `calls` are the newest calls, oldest first."""

    def __init__(self, url: str, password: str) -> None:
        self.calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self.url = url.rstrip("/")
        self._password = password
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Klarna":
        """Open the connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def create_button(self, merchant: str, options: Json) -> Call:
        """Create a button key (guide, step 1)."""
        return await self._call(merchant, "POST", BUTTONS, orjson.dumps(options))

    async def read(self, merchant: str, token: str) -> Call:
        """Read the authorized order of a token (guide, step 3)."""
        return await self._call(merchant, "GET", f"{AUTHORIZATIONS}/{token}")

    async def place(self, merchant: str, token: str, order: Json, *, password: str | None = None) -> Call:
        """Place an order (guide, step 3); `password` replaces the shop's own."""
        path = f"{AUTHORIZATIONS}/{token}/orders"
        return await self._call(merchant, "POST", path, orjson.dumps(order), password)

    async def deny(self, merchant: str, token: str, reason: Mapping[str, str] | None = None) -> Call:
        """Deny a purchase with a reason, or without a body (guide, step 3)."""
        return await self._call(
            merchant, "DELETE", f"{AUTHORIZATIONS}/{token}", orjson.dumps(reason) if reason else b""
        )

    async def create_token(self, merchant: str, token: str) -> Call:
        """Create a customer token from an authorization (klarna.md §4.3)."""
        path = f"{AUTHORIZATIONS}/{token}/customer-token"
        return await self._call(merchant, "POST", path, orjson.dumps({"intended_use": "SUBSCRIPTION"}))

    async def acknowledge(self, merchant: str, order_id: str) -> Call:
        """Acknowledge an order, which ends the pushes (klarna.md §4.4)."""
        return await self._call(merchant, "POST", f"{ORDERS}/{order_id}/acknowledge")

    async def capture(self, merchant: str, order_id: str, amount: int) -> Call:
        """Capture an amount of an order (klarna.md §9.1)."""
        body = orjson.dumps({"captured_amount": amount})
        return await self._call(merchant, "POST", f"{ORDERS}/{order_id}/captures", body)

    async def managed_order(self, merchant: str, order_id: str) -> Call:
        """Read an order with its captures and refunds (klarna.md §9.2)."""
        return await self._call(merchant, "GET", f"{ORDERS}/{order_id}")

    async def _call(
        self, merchant: str, method: str, path: str, body: bytes = b"", password: str | None = None
    ) -> Call:
        status, answer = await self._send(
            method, path, body, _headers(merchant, self._password if password is None else password)
        )
        call = Call(merchant, method, path, status, answer)
        self.calls.append(call)
        return call

    async def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if self._session is None:
            raise RuntimeError("this client is not open: use `async with`")
        url = URL(self.url + path, encoded=True)
        try:
            async with self._session.request(method, url, data=body or None, headers=headers) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, OSError) as error:
            return 0, f"no answer from {self.url}: {str(error) or type(error).__name__}".encode()


@lru_cache(maxsize=1024)
def _headers(merchant: str, password: str) -> Mapping[str, str]:
    token = base64.b64encode(f"{merchant}:{password}".encode()).decode()
    return {
        "Authorization": f"Basic {token}",
        "Content-Type": "application/json",
        "User-Agent": "mock-klarna-demo-shop",
    }
